import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createChannels } from '../../app/channels/channels.ts';
import { createTwilioChannel } from '../../app/channels/twilio/client.ts';
import { createStateOf, createTakeover, type Takeover, type Truth } from '../../app/conversation/takeover.ts';
import { createAliases } from '../../app/memory/aliases.ts';
import { createDesk, type Desk } from '../../app/memory/desk.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createPublish } from '../../app/memory/publish.ts';
import { createRedis, createScripts, type RedisClient } from '../../app/memory/redis.ts';
import { createThreads } from '../../app/memory/threads.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { createDeliver } from '../../app/outbound/deliver.ts';
import { createSend } from '../../app/outbound/send.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { ACCOUNT_SID, AUTH_TOKEN, type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';

const ANA = '15550100101';
const CONVERSATION = `twilio:14155238886:${ANA}`;
const log = createLogger({ level: 'error', format: 'json', write: () => {} });

/** An archive that knows nobody. */
const NO_ARCHIVE_YET: Truth = {
  block: async () => {},
  consent: async () => {},
  excuse: async () => {},
  takeOver: async () => {},
};

let doubles: Doubles;
let bot: Bot;
let redis: RedisClient;
let takeover: Takeover;
let desk: Desk;

before(async () => {
  doubles = await startDoubles();
  bot = await startBot(doubles);
  redis = createRedis({ kind: 'url', url: doubles.redis.url }, log);
  await redis.connect();
  const channel = createTwilioChannel({
    accountSid: ACCOUNT_SID,
    authToken: AUTH_TOKEN,
    sender: {},
    apiBaseUrl: doubles.twilio.url,
    statusCallbackUrl: undefined,
    media: { download: async () => Buffer.from('a file') },
    log,
  });
  const keys = createKeys(1);
  const now = Date.now;
  const tools = { redis, run: createScripts(redis), keys, historyTtlMs: 86_400_000 };
  desk = createDesk({ ...tools, aliases: createAliases(tools) });
  const channels = createChannels([channel]);
  const { own } = createThreads({ ...tools, aliases: createAliases(tools), now });
  const send = createSend({
    channels,
    deliver: createDeliver({ channels, now }),
    desk,
    stateOf: createStateOf(desk, async () => new Map()),
    takeOver: NO_ARCHIVE_YET.takeOver,
    own,
    publish: createPublish({ redis, keys }),
    log,
    now,
  });
  takeover = createTakeover({ desk, truth: NO_ARCHIVE_YET, send, channels, own, now });
});

after(async () => {
  redis.disconnect();
  await bot.stop();
  await doubles.stop();
});

beforeEach(async () => {
  await redis.flushall();
  doubles.model.requests.length = 0;
  doubles.twilio.sent.length = 0;
});

test('pauses the bot, and what both sides write meanwhile is known to it afterwards', async () => {
  await bot.say(ANA, 'hello bot');
  await takeover.take(CONVERSATION, 30);
  assert.deepEqual((await bot.say(ANA, 'is a human there?')).texts, []);
  await takeover.say(CONVERSATION, 'Yes, this is *Kim*.');
  assert.deepEqual(
    doubles.twilio.sent.map(({ to, body }) => [to, body]),
    [[`whatsapp:+${ANA}`, 'Yes, this is *Kim*.']],
  );
  assert.equal(doubles.model.requests.length, 1, 'the bot kept quiet');

  await takeover.handBack(CONVERSATION);
  assert.deepEqual((await bot.say(ANA, 'who was that?')).texts, ['You said: who was that?']);
  assert.deepEqual(
    doubles.model.requests
      .at(-1)
      ?.chat.messages.slice(3)
      .map(({ content }) => content),
    ['is a human there?', 'Yes, this is *Kim*.', 'who was that?'],
  );
});

test('ends by itself when nobody at the desk wrote for so long', async () => {
  await bot.say(ANA, 'hello');
  await takeover.take(CONVERSATION, 10);
  await redis.hset('recado:{0}:c:15550100101:state', 'takeover@twilio:14155238886', String(Date.now() - 1));
  assert.deepEqual((await bot.say(ANA, 'still there?')).texts, ['You said: still there?']);
});

test('what the desk said is noted once, however often it is told', async () => {
  await bot.say(ANA, 'hello');
  const line = {
    role: 'assistant',
    text: scrub('Kim here'),
    at: Date.now(),
    id: 'one',
    tokens: 2,
    desk: true,
  } as const;
  await desk.said(CONVERSATION, line, { until: Date.now() + 60_000, pauseMs: 60_000 }, '{"type":"made up"}');
  await desk.said(CONVERSATION, line, { until: Date.now() + 60_000, pauseMs: 60_000 }, '{"type":"made up"}');
  const history = await redis.lrange(`recado:{0}:c:${ANA}:history`, 0, -1);
  assert.equal(history.filter((one) => one.includes('Kim here')).length, 1);
});

test('ends also the answer that is being made: the question is known, and nothing is said', async () => {
  doubles.model.delayMs = 300;
  const answer = bot.say(ANA, 'how much is it?');
  await eventually('the model is asked', () => doubles.model.requests.length === 1);
  await takeover.take(CONVERSATION, 30);
  assert.deepEqual((await answer).texts, []);
  doubles.model.delayMs = 0;
  await takeover.handBack(CONVERSATION);
  await bot.say(ANA, 'hello?');
  const shown = JSON.stringify(doubles.model.requests.at(-1)?.chat.messages);
  assert.match(shown, /how much is it\?/);
  assert.doesNotMatch(shown, /You said: how much/);
  assert.deepEqual(doubles.twilio.sent, []);
});

test('a block ends the answer that is being made, too, and what it was about is not remembered', async () => {
  doubles.model.delayMs = 300;
  const answer = bot.say(ANA, 'spam');
  await eventually('the model is asked', () => doubles.model.requests.length === 1);
  await takeover.block(ANA, true);
  assert.deepEqual((await answer).texts, []);
  doubles.model.delayMs = 0;
  assert.equal(await redis.exists(`recado:{0}:c:${ANA}:history`), 0);
  assert.deepEqual(doubles.twilio.sent, []);
});

test('a reply from before, that may not have gone out, becomes a dead letter instead of interrupting the desk', async () => {
  const key = `recado:{0}:c:${ANA}`;
  await bot.say(ANA, 'hello');
  await eventually('the turn is over', async () => (await redis.exists(`${key}:lease`)) === 0);
  await takeover.take(CONVERSATION, 30);
  const record = {
    id: 'a-turn',
    conversation: CONVERSATION,
    to: ANA,
    parts: '["An old answer"]',
    via: 'call',
    at: String(Date.now() - 60_000),
  };
  await redis.hset(`${key}:reply`, record);
  await redis.zadd('recado:{0}:due', '1', ANA);
  await eventually('it is given up', async () => (await redis.xlen('recado:{0}:dead')) === 1);
  assert.match(JSON.stringify(await redis.xrange('recado:{0}:dead', '-', '+')), /turn\.overtaken.*An old answer/);
  assert.deepEqual(doubles.twilio.sent, []);
});

test('refuses to write more than a day after their last message, and names the way out', async () => {
  await bot.say(ANA, 'hello');
  await redis.hset(
    'recado:{0}:c:15550100101:state',
    'lastInbound@twilio:14155238886',
    String(Date.now() - 25 * 3_600_000),
  );
  await assert.rejects(takeover.say(CONVERSATION, 'too late'), { code: 'channel.window', message: /template/ });
  assert.equal(doubles.twilio.sent.length, 0);
});

test('a block does not end with the memory of somebody who was silent for long', async () => {
  const state = 'recado:{0}:c:15550100101:state';
  await bot.say(ANA, 'hello');
  await takeover.block(ANA, true);
  assert.equal(await redis.pttl(state), -1);
  await bot.say(ANA, 'spam');
  await takeover.handBack(CONVERSATION);
  assert.equal(await redis.pttl(state), -1, 'nothing that happens meanwhile lets it expire');
  await takeover.block(ANA, false);
  assert.ok((await redis.pttl(state)) > 0, 'it expires again as all else');
});

test('a blocked contact is not answered, and not remembered', async () => {
  await bot.say(ANA, 'hello');
  await takeover.block(ANA, true);
  assert.deepEqual((await bot.say(ANA, 'spam')).texts, []);
  await takeover.block(ANA, false);
  await bot.say(ANA, 'sorry');
  assert.doesNotMatch(JSON.stringify(doubles.model.requests.at(-1)?.chat.messages), /spam/);
});
