import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { createTwilioChannel } from '../../app/channels/twilio/client.ts';
import { createDeliver } from '../../app/conversation/deliver.ts';
import { createTakeover, type Takeover } from '../../app/conversation/takeover.ts';
import { createEvents } from '../../app/events.ts';
import { createDesk } from '../../app/memory/desk.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createRedis, createScripts, type RedisClient } from '../../app/memory/redis.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { ACCOUNT_SID, AUTH_TOKEN, type Bot, type Doubles, startBot, startDoubles } from '../support/bot.ts';

const ANA = '15550100101';
const CONVERSATION = `14155238886:${ANA}`;
const log = createLogger({ level: 'error', format: 'json', write: () => {} });

let doubles: Doubles;
let bot: Bot;
let redis: RedisClient;
let takeover: Takeover;

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
    log,
  });
  const keys = createKeys(1);
  const desk = createDesk({ redis, run: createScripts(redis), keys, historyTtlMs: 86_400_000, now: Date.now });
  const events = createEvents({ redis, streamOf: (conversation) => keys.shardOf(conversation).events });
  takeover = createTakeover({ desk, deliver: createDeliver({ channel }), events, log, now: Date.now });
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
  await redis.hset('recado:{0}:c:14155238886:15550100101:state', 'takeover', String(Date.now() - 1));
  assert.deepEqual((await bot.say(ANA, 'still there?')).texts, ['You said: still there?']);
});

test('refuses to write more than a day after their last message, and names the way out', async () => {
  await bot.say(ANA, 'hello');
  await redis.hset('recado:{0}:c:14155238886:15550100101:state', 'lastInbound', String(Date.now() - 25 * 3_600_000));
  await assert.rejects(takeover.say(CONVERSATION, 'too late'), { code: 'channel.window', message: /template/ });
  assert.equal(doubles.twilio.sent.length, 0);
});

test('a block does not end with the memory of somebody who was silent for long', async () => {
  const state = 'recado:{0}:c:14155238886:15550100101:state';
  await bot.say(ANA, 'hello');
  await takeover.block(CONVERSATION, true);
  assert.equal(await redis.pttl(state), -1);
  await bot.say(ANA, 'spam');
  await takeover.handBack(CONVERSATION);
  assert.equal(await redis.pttl(state), -1, 'nothing that happens meanwhile lets it expire');
  await takeover.block(CONVERSATION, false);
  assert.ok((await redis.pttl(state)) > 0, 'it expires again as all else');
});

test('a blocked contact is not answered, and not remembered', async () => {
  await bot.say(ANA, 'hello');
  await takeover.block(CONVERSATION, true);
  assert.deepEqual((await bot.say(ANA, 'spam')).texts, []);
  await takeover.block(CONVERSATION, false);
  await bot.say(ANA, 'sorry');
  assert.doesNotMatch(JSON.stringify(doubles.model.requests.at(-1)?.chat.messages), /spam/);
});
