import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { z } from 'zod';
import type { PartOf } from '../../../app/channels/channel.ts';
import { createMetaChannel, type Reports } from '../../../app/channels/meta/client.ts';
import { createGraph } from '../../../app/channels/meta/graph.ts';
import { createNumbers } from '../../../app/channels/meta/numbers.ts';
import { isFailure } from '../../../app/errors.ts';
import { createDownloader } from '../../../app/media/download.ts';
import { createLogger } from '../../../app/ops/logger.ts';
import { scrub } from '../../../app/privacy/scrub.ts';
import { type ChannelUnderTest, channelContract, type ProviderFault } from '../../contracts/channel.ts';
import { type MetaDouble, type MetaFault, newWamid, type PostedTemplate, startMetaDouble } from '../../doubles/meta.ts';
import { ACCESS_TOKEN, ACCOUNT_ID, NUMBER, NUMBERS, PHONE_NUMBER_ID } from '../../support/meta.ts';
import { META_TEMPLATES as TEMPLATES } from '../../support/templates.ts';

const TO = { business: NUMBER, address: '15550100123' };
const log = createLogger({ level: 'error', format: 'json', write: () => {} });

interface Settings {
  ids?: string[];
  reports?: Reports;
  timeoutMs?: number;
}

function channelTo(meta: MetaDouble, { ids = [PHONE_NUMBER_ID], reports = reportsOf(meta), timeoutMs }: Settings = {}) {
  const graph = createGraph({ accessToken: ACCESS_TOKEN, apiBase: meta.url, timeoutMs: timeoutMs ?? 10_000 });
  const downloader = createDownloader({ trustedOrigins: [new URL(meta.url).origin], maxBytes: 1_000_000, log });
  const channel = createMetaChannel({
    accessToken: ACCESS_TOKEN,
    apiBase: meta.url,
    graph,
    numbers: createNumbers(ids, graph),
    accountId: ACCOUNT_ID,
    reports,
    downloader,
    reportMs: 50,
    now: Date.now,
    log,
  });
  return { channel, close: () => downloader.close() };
}

function valuesIn({ components = [] }: PostedTemplate): string[] {
  const Body = z.object({ type: z.literal('body'), parameters: z.array(z.object({ text: z.string() })) });
  return components.flatMap((one) => Body.safeParse(one).data?.parameters.map(({ text }) => text) ?? []);
}

/** Where the file is, or the titles that can be pressed. */
function whatIsIn(extra: Record<string, unknown>): string[] {
  const titles = [...JSON.stringify(extra).matchAll(/"title":"([^"]+)"/g)].map(([, title = '']) => title);
  return typeof extra.link === 'string' ? [extra.link] : titles;
}

/** What Meta would have reported by now. */
function reportsOf(meta: MetaDouble): Reports {
  return tracesOf(async ({ replyId, part }) => meta.sent.find(({ data }) => data === `${replyId}.${part}`)?.id ?? null);
}

/** @param sidOf what was reported of a part  @param lastAt when anything was, unix ms */
function tracesOf(sidOf: (partOf: PartOf) => Promise<string | null>, lastAt = 0, triedAt = Date.now()): Reports {
  return {
    trying: async () => {},
    find: async (partOf) => ({ sid: await sidOf(partOf), triedAt }),
    lastAt: async () => lastAt,
  };
}

const FAULTS: Record<ProviderFault, MetaFault> = {
  'rate-limited': { kind: 'status', status: 400, code: 130429 },
  'server-error': { kind: 'status', status: 500, code: 131000 },
  'server-error-after-sending': { kind: 'status', status: 503, body: '<html>busy</html>', done: true },
  reset: { kind: 'reset' },
  hang: { kind: 'hang' },
  'hang-in-the-answer': { kind: 'stall' },
  'wrong-credentials': { kind: 'status', status: 401, code: 190 },
  'empty-error': { kind: 'status', status: 500, body: '' },
  'nonsense-after-sending': { kind: 'status', status: 200, body: 'welcome to this hotel', done: true },
};

channelContract(
  'Meta',
  async (timeoutMs): Promise<ChannelUnderTest> => {
    const meta = await startMetaDouble({ accessToken: ACCESS_TOKEN, numbers: NUMBERS, accountId: ACCOUNT_ID });
    meta.templates.push(...TEMPLATES);
    const { channel, close } = channelTo(meta, { timeoutMs });
    return {
      channel,
      to: TO,
      storedExtras: () =>
        meta.sent.flatMap(({ id, text, extra }) => (extra ? [{ id, text, what: whatIsIn(extra) }] : [])),
      template: { name: 'table_booked', language: 'en' },
      storedTemplates: () =>
        meta.sent.flatMap(({ to, id, template }) =>
          template ? [{ contact: to, business: NUMBER, variables: valuesIn(template), id }] : [],
        ),
      messageId: newWamid(),
      stored: () => meta.sent.map(({ to, text, id }) => ({ contact: to, business: NUMBER, text, id })),
      backdate: () => assert.fail('Meta has no list with times'),
      typing: () => meta.typing,
      fail: (fault) => meta.faults.push(FAULTS[fault]),
      knownCode: '131047',
      ref: meta.addMedia(Buffer.from('a file')),
      stopProvider: () => meta.close(),
      async close() {
        await close();
        await meta.close().catch(() => {});
      },
    };
  },
  'reports',
);

describe('a call of Meta', () => {
  let meta: MetaDouble;
  let tested: ReturnType<typeof channelTo>;
  before(async () => {
    meta = await startMetaDouble({ accessToken: ACCESS_TOKEN, numbers: { ...NUMBERS, '2': '+44 7700 900001' } });
  });
  afterEach(() => tested?.close());
  after(() => meta.close());

  const PART = { replyId: 'reply-1', part: 3 };
  const send = (to = TO) => tested.channel.send(to, scrub('hello'), PART);

  test('names the part of the reply, which Meta repeats in its reports', async () => {
    tested = channelTo(meta);
    const id = await send();
    assert.equal(meta.sent.at(-1)?.data, 'reply-1.3');
    assert.equal(await tested.channel.sentAs(PART), id);
  });

  const nothing = async () => null;
  const MINUTE_MS = 60_000;

  test('says that a message was not sent that nobody tried to send', async () => {
    tested = channelTo(meta, { reports: tracesOf(nothing, Date.now(), 0) });
    assert.equal(await tested.channel.sentAs(PART), null);
  });

  test('says so, too, when Meta has reported others long after it, and not this one', async () => {
    tested = channelTo(meta, { reports: tracesOf(nothing, Date.now(), Date.now() - 2 * MINUTE_MS) });
    assert.equal(await tested.channel.sentAs(PART), null);
  });

  test('cannot tell while a report may still come, or when Meta reports nothing at all', async () => {
    const justNow = tracesOf(nothing, Date.now(), Date.now() - 1_000);
    const silent = tracesOf(nothing, 0, Date.now() - 10 * MINUTE_MS);
    for (const reports of [justNow, silent]) {
      tested = channelTo(meta, { reports });
      await assert.rejects(tested.channel.sentAs(PART), { code: 'channel.ambiguous' });
      await tested.close();
    }
  });

  test('waits for a report that comes late', async () => {
    let asked = 0;
    tested = channelTo(meta, { reports: tracesOf(async () => (++asked > 1 ? 'wamid.late' : null)) });
    assert.equal(await tested.channel.sentAs(PART), 'wamid.late');
  });

  test('goes out from the number that was written to; the first sends when nobody says from which', async () => {
    tested = channelTo(meta, { ids: [PHONE_NUMBER_ID, '2'] });
    await send({ ...TO, business: '447700900001' });
    await send({ ...TO, business: '' });
    await send({ ...TO, business: '2' });
    assert.deepEqual(
      meta.sent.slice(-3).map(({ phoneNumberId }) => phoneNumberId),
      ['2', PHONE_NUMBER_ID, '2'],
    );
    await assert.rejects(send({ ...TO, business: '15550100199' }), { code: 'channel.sender' });
  });

  test('goes out although Meta refuses to tell of another number', async () => {
    tested = channelTo(meta, { ids: ['refused', PHONE_NUMBER_ID, '2'] });
    await send({ ...TO, business: '447700900001' });
    assert.equal(meta.sent.at(-1)?.phoneNumberId, '2');
  });

  test('never takes the token elsewhere', async () => {
    tested = channelTo(meta);
    const ref = meta.addMedia(Buffer.from('a file'));
    for (const host of [
      'https://fbsbx.com.example.com',
      'https://example.com',
      'https://user:pass@lookaside.fbsbx.com:8443',
    ])
      try {
        meta.fileHost = host;
        await assert.rejects(tested.channel.download(ref), { code: 'media.refused' }, host);
      } finally {
        meta.fileHost = new URL(meta.url).origin;
      }
    await assert.rejects(tested.channel.download(''), { code: 'media.refused' });
    assert.equal(String(await tested.channel.download(ref)), 'a file');
  });

  test('for a file that is not there any more says so', async () => {
    tested = channelTo(meta);
    await assert.rejects(tested.channel.download('999'), { code: 'media.gone' });
    meta.faults.push({ kind: 'status', status: 401, code: 190 });
    await assert.rejects(tested.channel.download('999'), { code: 'media.credentials' });
  });

  test('for a file that Meta cannot name right now is made again', async () => {
    tested = channelTo(meta);
    const ref = meta.addMedia(Buffer.from('a file'));
    meta.faults.push({ kind: 'status', status: 500, code: 131000 });
    assert.equal(String(await tested.channel.download(ref)), 'a file');
  });

  const codes: [number, string][] = [
    [131047, 'channel.window'],
    [131050, 'channel.opted_out'],
    [131026, 'channel.recipient'],
    [131056, 'channel.rate_limited'],
    [368, 'channel.sender'],
    [131009, 'channel.rejected'],
    [132015, 'channel.template'],
    [131016, 'channel.ambiguous'],
    [10, 'channel.credentials'],
    [200, 'channel.credentials'],
  ];
  for (const [code, failure] of codes)
    test(`that is refused with ${code}: ${failure}`, async () => {
      tested = channelTo(meta);
      meta.faults.push({ kind: 'status', status: 400, code });
      const error: unknown = await send().catch((reason) => reason);
      assert.ok(isFailure(error));
      assert.deepEqual([error.code, error.providerCode], [failure, String(code)]);
    });
});
