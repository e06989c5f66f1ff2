/** Follows a media address as the bot would, and shows every hop and what the model would get. */
import { fileTypeFromBuffer } from 'file-type';
import { createTwilioMedia } from '../app/channels/twilio/media.ts';
import { isFailure } from '../app/errors.ts';
import { imageTokens, visionOf } from '../app/llm/openai/vision.ts';
import { readVoice } from '../app/media/audio.ts';
import { createDownloader } from '../app/media/download.ts';
import { createImageReader } from '../app/media/image.ts';
import { createLogger } from '../app/ops/logger.ts';
import { fail, settings } from './stores.ts';

const HELP = `Usage: npm run check-media -- URL
  URL  the MediaUrl0 of a webhook, or its last part: MM…/ME…
Uses TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_API_BASE_URL. Prints each hop with host and status, the bytes, the type, and
what the model would be shown. Exit code 0 when the model can be given it, 1 when not.`;

const [given] = process.argv.slice(2);
if (!given || given === '--help' || given === '-h') {
  process.stdout.write(`${HELP}\n`);
  process.exit(given ? 0 : 1);
}

const config = settings();
if (!config.twilio) fail('TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN are needed: media belong to an account.');
const [, message, file] = /((?:SM|MM)[0-9a-f]{32})(?:\/Media)?\/(ME[0-9a-f]{32})/i.exec(given) ?? [];
if (!message || !file) fail('That is no media address: it should end in …/Messages/MM…/Media/ME….');

const log = createLogger({ level: 'error', format: 'text', write: () => {} });
const model = config.model?.answer ?? '';
const { accountSid, authToken, apiBaseUrl } = config.twilio;
const trustedOrigins = [new URL(apiBaseUrl).origin];
const downloader = createDownloader({ trustedOrigins, maxBytes: config.maxMediaBytes, log });
const media = createTwilioMedia({ accountSid, authToken, apiBaseUrl, downloader });
try {
  const bytes = await media.download(`${message}/${file}`, {
    onHop: ({ host, status }) => say(`hop:   ${host} ${status}`),
  });
  const type = await fileTypeFromBuffer(bytes);
  say(`bytes: ${bytes.length}`);
  say(`type:  ${type?.mime ?? 'unknown'}`);
  say(`model: ${type?.mime.startsWith('image/') ? await asPicture(bytes) : await asVoice(bytes)}`);
} catch (error) {
  fail(isFailure(error) ? `failed: ${error.code}: ${error.message}` : String(error));
} finally {
  await downloader.close();
}

async function asPicture(bytes: Buffer): Promise<string> {
  const picture = await createImageReader({ log }).read(bytes, visionOf(model));
  const { width, height, originalWidth, originalHeight, detail, url } = picture;
  const tokens = Math.round(imageTokens(model, width, height));
  return `a JPEG of ${width}×${height} (was ${originalWidth}×${originalHeight}), ${url.length} characters, detail ${detail}, about ${tokens} tokens`;
}

async function asVoice(bytes: Buffer): Promise<string> {
  const { filename, contentType, seconds } = await readVoice(bytes);
  return `${filename} (${contentType}), ${seconds === null ? 'length unknown' : `${seconds.toFixed(1)} s`}, to be transcribed`;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
