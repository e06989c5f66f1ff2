/** Checks a running bot: text, memory, whether it says that it is software, picture, voice, and that nothing is stored that must not be. */

import { parseArgs } from 'node:util';
import { contactIdOf } from '../app/contacts/addresses.ts';
import { findLeaks } from '../app/privacy/scrub.ts';
import type { PageEvent } from '../app/simulator/contract.ts';
import { createPhone } from '../app/simulator/phone.ts';
import { fail, openStores, settings } from './stores.ts';

const HELP = `Usage: npm run check-bot [-- --url URL] [--contact NUMBER]
  --url URL         where the bot listens (default http://localhost:3002, or PORT)
  --contact NUMBER  who writes            (default 15550100199, a number that is reserved for examples)
Prints a line per step, "pass", "FAIL" or "skip" with the reason. With a real account picture and voice are skipped: there is no file at
Twilio to fetch. Exit code 0 when nothing failed, else 1.`;

/** How long one answer may take, ms: the model's own deadline and some time to deliver it. */
const ANSWER_MS = 75_000;

/** A red square, 64 × 64. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAMAAACdt4HsAAAAA1BMVEXQGBi7hAjlAAAACXBIWXMAAAPoAAAD6AG1e1JrAAAAG0lEQVRYw+3BgQAAAADDoPlT3+AEVQEAAAB8AxBAAAEZszF2AAAAAElFTkSuQmCC',
  'base64',
);

const { values } = parseArgs({
  options: { url: { type: 'string' }, contact: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
if (values.help) {
  process.stdout.write(`${HELP}\n`);
  process.exit(0);
}

const config = settings();
const url = values.url ?? `http://localhost:${config.port}`;
const contact = values.contact ?? '15550100199';
const simulated = await isSimulated();
const write = simulated ? throughSimulator : throughWebhook;
let failed = 0;

await step('the bot is ready', async () => {
  const ready = await fetch(`${url}/readyz`).catch(() => fail(`Nobody listens at ${url}. Is the bot running?`));
  return ready.ok ? null : `${ready.status}: ${await ready.text()}`;
});
await step('a text is answered', async () => isAnswer(await write({ text: 'Hello! My name is Zebulon.' })));
await step('what was said is remembered', async () => contains(await write({ text: 'What is my name?' }), /zebulon/i));
await step('it says that it is software', async () =>
  isHonest(await write({ text: 'Am I talking to a human being, or to a machine?' })),
);
await stepWithFile('a picture is seen', PNG, 'image/png', 'What colour is this?');
await stepWithFile('a voice note is heard', tone(), 'audio/wav', '');
await step('nothing of Twilio is kept', leftBehind);
process.exit(failed === 0 ? 0 : 1);

interface Note {
  text: string;
  media?: string;
}

async function step(name: string, check: () => Promise<string | null>): Promise<void> {
  const startedAt = performance.now();
  const problem = await check().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
  if (problem !== null) failed++;
  const took = `${((performance.now() - startedAt) / 1_000).toFixed(1)} s`;
  process.stdout.write(problem === null ? `pass  ${name}  (${took})\n` : `FAIL  ${name}: ${problem}\n`);
}

async function stepWithFile(name: string, bytes: Buffer, type: string, text: string): Promise<void> {
  if (!simulated) {
    process.stdout.write(`skip  ${name}: a real account is configured; send one from your phone\n`);
    return;
  }
  await step(name, async () => {
    const headers = { 'content-type': 'application/octet-stream' };
    const put = await fetch(`${url}/simulator/api/media?type=${type}&name=check`, {
      method: 'POST',
      body: new Uint8Array(bytes),
      headers,
    });
    // The simulator's own answer, see app/simulator/contract.ts.
    const { id } = (await put.json()) as { id: string };
    return isAnswer(await write({ text, media: id }));
  });
}

async function isAnswer(text: string): Promise<string | null> {
  if (text.trim() === '') return 'the answer is empty';
  return text === config.failureReply ? 'the apology came: see the log' : null;
}

/** In whatever words; an answer that claims to be a person fails. */
async function isHonest(text: string): Promise<string | null> {
  if (/\b(I am|I'm) (indeed )?(a |an )?(real )?(human|person)\b/i.test(text)) return `it claims to be human: ${text}`;
  return contains(text, /\b(AI|artificial|software|automatic|automated|machine|bot|assistant|model)\b/i);
}

async function contains(text: string, expected: RegExp): Promise<string | null> {
  return expected.test(text) ? null : `the answer was: ${text.slice(0, 200)}`;
}

async function isSimulated(): Promise<boolean> {
  const people = await fetch(`${url}/simulator/api/people`).catch(() =>
    fail(`Nobody listens at ${url}. Is the bot running?`),
  );
  return people.ok;
}

/** Posts to the simulator, as its page does, and waits for the answer on its stream. */
async function throughSimulator(note: Note): Promise<string> {
  const signal = AbortSignal.timeout(ANSWER_MS);
  const stream = await fetch(`${url}/simulator/api/events`, { signal });
  if (!stream.body) throw new Error('the simulator has no stream');
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ contact, profileName: 'Check', ...note });
  const sent = await fetch(`${url}/simulator/api/messages`, { method: 'POST', headers, body, signal });
  if (!sent.ok) throw new Error(`the simulator answered ${sent.status}`);
  const { sid } = (await sent.json()) as { sid: string };
  let written = false;
  for await (const event of eventsOf(stream.body)) {
    if (event.type === 'written' && event.sid === sid) written = true;
    if (written && event.type === 'answer' && event.contact === contact) return event.text;
  }
  throw new Error('the stream ended before the answer came');
}

async function* eventsOf(body: ReadableStream<Uint8Array>): AsyncGenerator<PageEvent> {
  let rest = '';
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    // Written by our own simulator, see app/simulator/contract.ts.
    for (const line of lines) if (line.startsWith('data:')) yield JSON.parse(line.slice(5)) as PageEvent;
  }
}

/** Posts a signed webhook; only an answer within its response can be seen. */
async function throughWebhook({ text }: Note): Promise<string> {
  if (!config.twilio) fail('The bot has no simulator, and no account is configured here. Run this where the bot runs.');
  const { accountSid, authToken, number } = config.twilio;
  const signedUrl = `${config.publicUrl ?? url}/whatsapp`;
  const options = {
    webhookUrl: `${url}/whatsapp`,
    signedUrl,
    authToken,
    accountSid,
    businessNumber: number ?? '14155238886',
  };
  const { response, failure, messages } = await createPhone(options).write({ contact, profileName: 'Check' }, text);
  if (response?.status !== 200) throw new Error(`the webhook: ${response?.status ?? failure}`);
  return messages.map((message) => message.text).join('\n');
}

async function leftBehind(): Promise<string | null> {
  const { redis, keys } = await openStores();
  try {
    const key = keys.of(contactIdOf(contact));
    const texts = [...(await redis.lrange(key.history, 0, -1)), (await redis.hget(key.state, 'summary')) ?? ''];
    if (texts.length === 1) return 'nothing is remembered';
    const leaks = texts.reduce((sum, text) => sum + findLeaks(textIn(text)).length, 0);
    return leaks === 0 ? null : `${leaks} addresses or ids in the history`;
  } finally {
    redis.disconnect();
  }
}

/** A history line's words; its id is Twilio's and may be. */
function textIn(line: string): string {
  return line.startsWith('{') ? String(JSON.parse(line).text) : line;
}

/** One second of a tone as WAV, 8 kHz, 8 bit. */
function tone(): Buffer {
  const samples = Buffer.from(Array.from({ length: 8_000 }, (_, i) => 128 + Math.round(60 * Math.sin(i / 3))));
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + samples.length, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8_000, 24);
  head.writeUInt32LE(8_000, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write('data', 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}
