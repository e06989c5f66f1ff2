/** A reply whose sender died: what Twilio has on its list, or Meta has reported, is not sent again; what is missing is. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createAliases } from '../../app/memory/aliases.ts';
import { createDeadLetters } from '../../app/memory/dead-letters.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createScripts } from '../../app/memory/redis.ts';
import { createReports } from '../../app/memory/reports.ts';
import { partsOfMarkdown } from '../../app/outbound/prepare.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { type MetaDouble, newWamid, startMetaDouble } from '../doubles/meta.ts';
import { type Bot, type Doubles, startBot, startDoubles } from '../support/bot.ts';
import { ACCESS_TOKEN, batchOf, metaSettings, NUMBER, NUMBERS, postBatch } from '../support/meta.ts';
import { startHttpProxy } from './support/http-proxy.ts';
import { report } from './support/size.ts';
import { settled } from './support/verdict.ts';

const BUSINESS = '14155238886';

let doubles: Doubles;
let meta: MetaDouble;
let bot: Bot;
const phones: string[] = [];

before(async () => {
  [doubles, meta] = await Promise.all([
    startDoubles(),
    startMetaDouble({ accessToken: ACCESS_TOKEN, numbers: NUMBERS }),
  ]);
});

after(async () => {
  await bot.stop();
  await Promise.all([doubles.stop(), meta.close()]);
});

function newPhone(): string {
  const phone = `155501003${String(phones.length).padStart(2, '0')}`;
  phones.push(phone);
  return phone;
}

/** A crash left this reply behind. */
async function leaveReply(phone: string, ours: string, parts: string[]): Promise<void> {
  const client = doubles.redis.client();
  const at = Date.now() - 5_000;
  const conversation = `${ours}:${phone}`;
  const record = {
    id: turnOf(phone),
    conversation,
    to: phone,
    parts: JSON.stringify(parts),
    via: 'call',
    at: String(at),
  };
  await client.hset(`recado:{0}:c:${phone}:reply`, record);
  await client.zadd('recado:{0}:due', String(at), phone);
}

function turnOf(phone: string): string {
  return `turn-of-${phone}`;
}

/** The same over Twilio; `arrived` are messages that it was given before, and when; `said` replies that were made before it. */
async function leaveBehind(
  text: string,
  arrived: { body: string; agoMs?: number }[],
  said: { text: string; agoMs: number }[] = [],
): Promise<string> {
  const phone = newPhone();
  const client = doubles.redis.client();
  await leaveReply(phone, `twilio:${BUSINESS}`, partsOf(text));
  for (const [i, { text, agoMs }] of said.entries()) {
    const at = Date.now() - agoMs;
    const line = JSON.stringify({ role: 'assistant', text, sent: partsOf(text), at, id: `earlier${i}`, tokens: 1 });
    await client.rpush(`recado:{0}:c:${phone}:history`, line);
  }
  for (const { body, agoMs = 4_000 } of arrived) {
    const createdAt = Date.now() - agoMs;
    doubles.twilio.addReply({ to: `whatsapp:+${phone}`, from: `whatsapp:+${BUSINESS}`, body, createdAt });
  }
  return phone;
}

function partsOf(text: string): string[] {
  return partsOfMarkdown(scrub(text), { limits: { textLength: 1_600 } });
}

function receivedBy(phone: string): string[] {
  return doubles.twilio.sent.filter(({ to }) => to === `whatsapp:+${phone}`).map(({ body }) => body);
}

test('after a crash everybody has the whole answer, and no part of it twice', async () => {
  const [one, two] = ['first part '.repeat(140).trim(), 'second part '.repeat(130).trim()] as const;
  const long = `${one}\n\n${two}`;
  const twice = `${one}\n\n${one}`;
  const cases = {
    nothing: await leaveBehind('hello', []),
    all: await leaveBehind('hello', [{ body: 'hello' }]),
    half: await leaveBehind(long, [{ body: one }]),
    equalHalves: await leaveBehind(twice, [{ body: one }]),
    sameWordsEarlier: await leaveBehind('yes', [{ body: 'yes', agoMs: 60_000 }]),
    otherWords: await leaveBehind('yes', [{ body: 'no' }]),
    sameWordsJustBefore: await leaveBehind('yes', [{ body: 'yes', agoMs: 6_000 }], [{ text: 'yes', agoMs: 7_000 }]),
    bothOfThem: await leaveBehind(
      'yes',
      [{ body: 'yes', agoMs: 6_000 }, { body: 'yes' }],
      [{ text: 'yes', agoMs: 7_000 }],
    ),
  };
  bot = await startBot(doubles, { LEASE_MS: '1000', ...metaSettings(meta.url) });
  await settled(doubles.redis.client());
  const received = Object.fromEntries(Object.entries(cases).map(([name, phone]) => [name, receivedBy(phone)]));
  assert.deepEqual(received, {
    nothing: ['hello'],
    all: ['hello'],
    half: [one, two],
    equalHalves: [one, one],
    sameWordsEarlier: ['yes', 'yes'],
    otherWords: ['no', 'yes'],
    sameWordsJustBefore: ['yes', 'yes'],
    bothOfThem: ['yes', 'yes'],
  });
});

test('a message that failed on its way is not taken for one that arrived', async () => {
  const phone = await leaveBehind('are you there?', [{ body: 'are you there?' }]);
  const failed = doubles.twilio.sent.find(({ to }) => to === `whatsapp:+${phone}`);
  assert.ok(failed);
  failed.status = 'failed';
  await settled(doubles.redis.client());
  assert.equal(receivedBy(phone).length, 2);
});

test('a dead letter of which a part had arrived is completed when it is replayed, and nothing is repeated', async () => {
  const [one, two] = ['this much arrived '.repeat(85).trim(), 'this is missing '.repeat(90).trim()] as const;
  const text = `${one}\n\n${two}`;
  const phone = '15550100410';
  const redis = doubles.redis.client();
  const at = Date.now() - 60_000;
  const line = { role: 'assistant', text, sent: [one, two], at, id: 'its-turn', tokens: 1 };
  await redis.rpush(`recado:{0}:c:${phone}:history`, JSON.stringify(line));
  const reply = { parts: JSON.stringify([one, two]), replyTo: phone, replyAt: String(at), replyId: 'its-turn' };
  const letter = {
    conversation: `twilio:${BUSINESS}:${phone}`,
    at: String(at),
    code: 'channel.window',
    reason: 'Too late.',
  };
  const fields = Object.entries({ ...letter, ...reply, messages: '[]' }).flat();
  const id = await redis.xadd('recado:{0}:dead', '*', ...fields);
  const to = `whatsapp:+${phone}`;
  doubles.twilio.addReply({ to, from: `whatsapp:+${BUSINESS}`, body: one, createdAt: at + 1_000 });
  const tools = { redis, run: createScripts(redis), keys: createKeys(1), historyTtlMs: 60_000 };
  const letters = createDeadLetters({ ...tools, aliases: createAliases(tools) });
  assert.equal(await letters.replay(`0-${id}`), 'replayed');
  await settled(redis);
  assert.deepEqual(receivedBy(phone), [one, two]);
});

describe('over Meta, which has no list', () => {
  const sentTo = (phone: string) => meta.sent.filter(({ to }) => to === phone).map(({ text }) => text);
  const reports = () => {
    const redis = doubles.redis.client();
    return createReports({ redis, keys: createKeys(1), channel: 'meta', now: Date.now });
  };
  /** The process that died had begun to send this part. */
  const tried = (phone: string, part: number, agoMs: number) =>
    reports().trying({ replyId: turnOf(phone), part }, Date.now() - agoMs);
  /** Meta tells that it has taken it. */
  const report = async (phone: string, part: number) => {
    const status = { id: newWamid(), status: 'sent', timestamp: '1', recipient_id: phone };
    const named = { ...status, biz_opaque_callback_data: `${turnOf(phone)}.${part}` };
    assert.equal((await postBatch(bot.url, batchOf({ statuses: [named] }))).status, 200);
  };

  test('what nobody had begun to send is sent at once', async () => {
    const phone = newPhone();
    await leaveReply(phone, `meta:${NUMBER}`, ['hello']);
    await settled(doubles.redis.client());
    assert.deepEqual(sentTo(phone), ['hello']);
  });

  test('what was reported is not sent again, and the part behind it is', async () => {
    const phone = newPhone();
    await tried(phone, 0, 6_000);
    await report(phone, 0);
    await leaveReply(phone, `meta:${NUMBER}`, ['first part', 'second part']);
    await settled(doubles.redis.client());
    assert.deepEqual(sentTo(phone), ['second part']);
  });

  test('a report that comes a little later is waited for', async () => {
    const phone = newPhone();
    await tried(phone, 0, 1_000);
    await leaveReply(phone, `meta:${NUMBER}`, ['hello']);
    await sleep(2_500);
    await report(phone, 0);
    await settled(doubles.redis.client());
    assert.deepEqual(sentTo(phone), []);
  });

  test('once what was sent later has long been reported, there will be no report of it: it is sent', async () => {
    const [phone, other] = [newPhone(), newPhone()];
    await tried(phone, 0, 90_000);
    await report(other, 0);
    await leaveReply(phone, `meta:${NUMBER}`, ['hello']);
    await settled(doubles.redis.client());
    assert.deepEqual(sentTo(phone), ['hello']);
  });
});

test('the one way to get an answer twice: Twilio carries out a send after its list was asked', async (t) => {
  const line = await startHttpProxy(doubles.twilio.url);
  let delayed: Promise<unknown> | null = null;
  line.handle = (request, forward) => {
    if (delayed || request.method !== 'POST' || !request.path.endsWith('/Messages.json')) return forward();
    // The connection breaks, and what was on it arrives when nobody expects it any more.
    delayed = sleep(4_500).then(forward);
    return 'cut';
  };
  const phone = '15550100400';
  const other = await startBot(doubles, { TWILIO_API_BASE_URL: line.url, TWIML_DEADLINE_MS: '0' });
  await other.say(phone, 'hello');
  await settled(doubles.redis.client());
  await delayed;
  await other.stop();
  await line.close();
  report(t, { doubled: receivedBy(phone).length - 1 });
  assert.deepEqual(receivedBy(phone), ['You said: hello', 'You said: hello']);
});
