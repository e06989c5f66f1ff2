/** Two processes whose clocks are ten minutes apart, and neither is Redis' or Twilio's: nothing is different for people. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Redis } from 'ioredis';
import { lastUserText } from '../doubles/model.ts';
import { eventually } from '../support/bot.ts';
import { createPeople } from './support/people.ts';
import { report } from './support/size.ts';
import { type Actor, type Stage, setStage } from './support/stage.ts';
import { figuresOf, judge, settled } from './support/verdict.ts';

const AHEAD_MS = 300_000;
/** Before which a machine that is short of time is not blamed. */
const PATIENCE_MS = 100_000;

const BUSINESS = '14155238886';

let stage: Stage;
let redis: Redis;
let fast: Actor;
let slow: Actor;

before(async () => {
  stage = await setStage(2, { TWIML_DEADLINE_MS: '0' }, [AHEAD_MS, -AHEAD_MS]);
  const [first, second] = stage.actors;
  assert.ok(first && second);
  [fast, slow] = [first, second];
  redis = stage.redis.client();
  stage.model.answer = async (request) => `Answer to ${lastUserText(request)}`;
});
beforeEach(() => {
  stage.provider.clear();
});
after(() => stage.stop());

const keyOf = (phone: string, name: string) => `recado:{0}:c:${phone}:${name}`;

function bodiesTo(phone: string): string[] {
  const got = stage.provider.received().filter(({ to }) => to === phone);
  return got.map(({ text }) => text);
}

/** A reply of a process that is gone, recorded a moment ago; `state` are fields of its contact. */
async function leaveReply(phone: string, body: string, state: Record<string, string> = {}): Promise<void> {
  const at = String(Date.now() - 1_000);
  const conversation = `twilio:${BUSINESS}:${phone}`;
  const reply = { id: `turn-of-${phone}`, conversation, to: phone, parts: JSON.stringify([body]), via: 'call', at };
  await redis.hset(keyOf(phone, 'reply'), reply);
  await redis.hset(keyOf(phone, 'state'), { [`from@twilio:${BUSINESS}`]: phone, ...state });
  await redis.zadd('recado:{0}:due', at, phone);
}

for (const name of ['fast', 'slow'] as const)
  test(`killed after a send whose answer was lost, the ${name} one's answer is found, not sent again`, async (t) => {
    const actor = name === 'fast' ? fast : slow;
    const [person] = createPeople(1, { ...stage, route: () => (actor.program.isUp ? actor.program.url : null) });
    assert.ok(person);
    let killedAt = 0;
    const { callOf, passOn } = stage.provider;
    actor.provider.handle = async (request, forward) => {
      if (callOf(request) !== 'send') return passOn(request, await forward());
      await forward();
      actor.program.kill();
      killedAt = performance.now();
      return 'silence';
    };
    await person.write();
    await settled(redis, PATIENCE_MS);
    report(t, { 'settled after (ms)': Math.round(performance.now() - killedAt) });
    actor.letGo();
    await actor.program.start();
    const verdict = await judge([person], redis, stage.provider);
    assert.deepEqual(verdict.complaints, []);
    assert.equal(bodiesTo(person.phone).length, 1);
    await redis.del(keyOf(person.phone, 'history'));
  });

test('the same words sent 90 s before are not taken for the new ones', async () => {
  const phone = '15550100801';
  stage.provider.add(phone, 'yes', Date.now() - 90_000);
  await leaveReply(phone, 'yes');
  await settled(redis, PATIENCE_MS);
  assert.deepEqual(bodiesTo(phone), ['yes', 'yes']);
});

describe('what ends at some time ends by Redis’ clock', () => {
  test('the window of 24 hours', async () => {
    const lastInbound = String(Date.now() - 24 * 3_600_000 + 120_000);
    const phones = ['15550100811', '15550100812', '15550100813', '15550100814'];
    for (const phone of phones) await leaveReply(phone, 'hello', { [`lastInbound@twilio:${BUSINESS}`]: lastInbound });
    await settled(redis, PATIENCE_MS);
    for (const phone of phones) assert.deepEqual(bodiesTo(phone), ['hello'], 'the window is open');
  });

  test('a takeover', async () => {
    for (const [i, { program }] of [fast, slow].entries()) {
      const people = createPeople(3 + i, { ...stage, route: () => program.url });
      const person = people[2 + i];
      assert.ok(person);
      const field = `takeover@twilio:${BUSINESS}`;
      await redis.hset(keyOf(person.phone, 'state'), field, String(Date.now() + 120_000));
      await person.write();
      await settled(redis, PATIENCE_MS);
      assert.deepEqual(bodiesTo(person.phone), [], 'a person answers');
      await redis.hset(keyOf(person.phone, 'state'), field, String(Date.now() - 1_000));
      await person.write();
      await eventually('the bot answers again', () => bodiesTo(person.phone).length === 1);
      await settled(redis, PATIENCE_MS);
    }
  });
});

test('what both take in turns is answered once, in order', async (t) => {
  const people = createPeople(20, stage).slice(10);
  await Promise.all(
    people.map(async (person) => {
      for (let i = 0; i < 5; i++) await person.write();
    }),
  );
  await settled(redis, PATIENCE_MS);
  const verdict = await judge(people, redis, stage.provider);
  report(t, figuresOf(verdict));
  assert.deepEqual(verdict.complaints, []);
  const times = await redis.xrange('recado:{0}:events', '-', '+');
  for (const [, [, event = '{}']] of times) {
    const { at, message } = JSON.parse(event);
    assert.ok(Math.abs(Date.now() - (at ?? message.receivedAt)) < AHEAD_MS / 2, `of another clock: ${event}`);
  }
});
