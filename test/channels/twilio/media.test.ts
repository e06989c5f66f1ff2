import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createTwilioMedia, type TwilioMedia, type TwilioMediaOptions } from '../../../app/channels/twilio/media.ts';
import { parseInbound } from '../../../app/channels/twilio/parse.ts';
import { createDownloader, type Downloader, type DownloaderOptions, type Hop } from '../../../app/media/download.ts';
import { createLogger } from '../../../app/ops/logger.ts';
import { newSid, startTwilioDouble, type TwilioDouble } from '../../doubles/twilio.ts';
import { textMessage } from '../../support/webhook.ts';

const ACCOUNT = 'AC00000000000000000000000000000000';
const TOKEN = 'test-auth-token-0123456789abcdef';
const BYTES = Buffer.from('the bytes of a picture');

describe("Twilio's media", () => {
  let twilio: TwilioDouble;
  let lines: string[];
  let downloaders: Downloader[];

  beforeEach(async () => {
    twilio = await startTwilioDouble({ accountSid: ACCOUNT, authToken: TOKEN });
    lines = [];
    downloaders = [];
  });

  afterEach(async () => {
    await Promise.all(downloaders.map((downloader) => downloader.close()));
    await twilio.close();
  });

  /** As production has it, but for the double's second host, which is on this machine. */
  function build(overrides: Partial<TwilioMediaOptions & DownloaderOptions> = {}): TwilioMedia {
    const downloader = createDownloader({
      trustedOrigins: [twilio.url, twilio.filesUrl],
      maxBytes: 1_000_000,
      waitsMs: [1, 1],
      log: createLogger({ level: 'debug', format: 'json', write: (line) => lines.push(line) }),
      ...overrides,
    });
    downloaders.push(downloader);
    return createTwilioMedia({
      accountSid: ACCOUNT,
      authToken: TOKEN,
      apiBaseUrl: twilio.url,
      downloader,
      ...overrides,
    });
  }

  /** What the webhook makes of a media address. */
  function refOf(mediaUrl: string, accountSid = ACCOUNT): string {
    const form = {
      ...textMessage(),
      AccountSid: accountSid,
      NumMedia: '1',
      MediaUrl0: mediaUrl,
      MediaContentType0: 'image/jpeg',
    };
    const inbound = parseInbound(new URLSearchParams(form), { receivedAt: 1, requestId: 'r', accountSid: ACCOUNT });
    assert.equal(inbound.kind, 'message');
    return inbound.message.attachments[0]?.ref ?? '';
  }

  test('is fetched with the credentials, which the host of the files never sees', async () => {
    const hops: Hop[] = [];
    const ref = refOf(twilio.addMedia(BYTES, 'image/jpeg'));
    assert.deepEqual(await build().download(ref, { onHop: (hop) => hops.push(hop) }), BYTES);
    const credentials = `Basic ${Buffer.from(`${ACCOUNT}:${TOKEN}`).toString('base64')}`;
    assert.deepEqual(
      twilio.requests.map(({ headers }) => headers.authorization),
      [credentials],
    );
    assert.deepEqual(
      twilio.fileRequests.map(({ headers }) => headers.authorization),
      [undefined],
    );
    assert.deepEqual(
      hops.map(({ status }) => status),
      [307, 200],
    );
  });

  test('comes from the configured address, whatever the webhook said about the host', async () => {
    const { pathname } = new URL(twilio.addMedia(BYTES, 'image/jpeg'));
    const ref = refOf(`https://collector.example.com${pathname}`);
    assert.deepEqual(await build({ apiBaseUrl: `${twilio.url}/` }).download(ref), BYTES);
    assert.equal(twilio.requests.length, 1);
  });

  test('of another account is not fetched', async () => {
    const other = 'AC11111111111111111111111111111111';
    const ref = refOf(twilio.addMedia(BYTES, 'image/jpeg').replace(ACCOUNT, other), other);
    await assert.rejects(build().download(ref), { code: 'media.refused' });
    assert.equal(twilio.requests.length, 0);
  });

  for (const ref of [
    '',
    '/',
    'MM1/ME1',
    `${newSid('MM')}/${newSid('ME')}/../..`,
    `${newSid('MM')}/${newSid('ME')}?x`,
  ]) {
    test(`is not fetched by the ref ${JSON.stringify(ref.replace(/[0-9a-f]{32}/g, '…'))}`, async () => {
      await assert.rejects(build().download(ref), { code: 'media.refused' });
      assert.equal(twilio.requests.length, 0);
    });
  }

  test('that is missing for a moment is fetched all the same', async () => {
    twilio.faults.push({ kind: 'status', status: 404, on: 'media' }, { kind: 'status', status: 404, on: 'file' });
    assert.deepEqual(await build().download(refOf(twilio.addMedia(BYTES, 'image/jpeg'))), BYTES);
    assert.equal(twilio.requests.length, 3);
  });

  test('with wrong credentials names the settings to look at', async () => {
    const downloading = build({ authToken: 'wrong' }).download(refOf(twilio.addMedia(BYTES, 'image/jpeg')));
    await assert.rejects(downloading, {
      code: 'media.credentials',
      message: /TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN/,
    });
  });

  for (const location of [
    'https://127.0.0.1/',
    'https://169.254.169.254/latest/',
    'https://[::ffff:10.0.0.1]/',
    'https://localhost/',
  ]) {
    test(`that is said to be at ${location} is not fetched`, async () => {
      twilio.faults.push({ kind: 'redirect', location, on: 'media' });
      const downloading = build().download(refOf(twilio.addMedia(BYTES, 'image/jpeg')));
      await assert.rejects(downloading, { code: 'media.refused' });
    });
  }

  test('on this machine is not fetched in production, where only the API is trusted', async () => {
    const downloading = build({ trustedOrigins: [twilio.url] }).download(refOf(twilio.addMedia(BYTES, 'image/jpeg')));
    await assert.rejects(downloading, { code: 'media.refused' });
    assert.equal(twilio.fileRequests.length, 0);
  });

  test('without an end is cut at the limit', async () => {
    twilio.faults.push({ kind: 'endless', on: 'file' });
    const downloading = build().download(refOf(twilio.addMedia(BYTES, 'image/jpeg')));
    await assert.rejects(downloading, { code: 'media.too_large' });
  });

  test('leaves nothing of its address in the log', async () => {
    const media = build();
    await media.download(refOf(twilio.addMedia(BYTES, 'image/jpeg')));
    twilio.faults.push({ kind: 'status', status: 401, on: 'media' });
    await assert.rejects(media.download(refOf(twilio.addMedia(BYTES, 'image/jpeg'))), { code: 'media.credentials' });
    const log = lines.join('\n');
    assert.match(log, /Successfully downloaded 22 bytes/);
    assert.doesNotMatch(log, /2010-04-01|\b(AC|MM|ME)[0-9a-f]{32}|Signature|Basic /);
  });
});
