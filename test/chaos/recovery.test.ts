/** A process that dies or stands still is noticed by its silence, long before its leases run out: these last ten minutes here. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { lastUserText } from '../doubles/model.ts';
import { eventually } from '../support/bot.ts';
import { createPeople, type Person } from './support/people.ts';
import { IS_META, over } from './support/provider.ts';
import { report, sized } from './support/size.ts';
import { type Actor, type Stage, setStage } from './support/stage.ts';
import { figuresOf, judge, settled } from './support/verdict.ts';

/** Before which a machine that is short of time is not blamed. */
const PATIENCE_MS = 120_000;
/** More than a sweep takes at once. */
const PEOPLE = sized(60, 300);

let stage: Stage;
let redis: Redis;
let victim: Actor;
let other: Actor;

before(async () => {
  stage = await setStage(2, { LEASE_MS: '600000', TWIML_DEADLINE_MS: '0' });
  const [first, second] = stage.actors;
  assert.ok(first && second);
  [victim, other] = [first, second];
  redis = stage.redis.client();
  stage.model.answer = async (request) => `Answer to ${lastUserText(request)}`;
});
beforeEach(async () => {
  await redis.del(...(await redis.keys('recado:*:c:*')), 'recado:{0}:none');
  stage.provider.clear();
});
after(() => stage.stop());

/** People whose messages the victim has, while its model never answers. */
async function leaveWaiting(): Promise<Person[]> {
  victim.model.handle = ({ path }, forward) => (path.startsWith('/v1/chat') ? 'silence' : forward());
  const people = createPeople(PEOPLE, { ...stage, route: () => victim.program.url });
  await Promise.all(people.map((person) => person.write()));
  await eventually('turns run', async () => (await redis.keys('recado:*:lease')).length === PEOPLE);
  return people;
}

async function nothingIsWrong(people: Person[]): Promise<Record<string, number>> {
  const verdict = await judge(people, redis, stage.provider);
  assert.deepEqual(verdict.complaints, []);
  assert.equal(await redis.xlen('recado:{0}:dead'), 0);
  return figuresOf(verdict);
}

test(over('killed, its work is done by the other one'), async (t) => {
  const people = await leaveWaiting();
  victim.program.kill();
  const killedAt = performance.now();
  await settled(redis, PATIENCE_MS);
  report(t, { 'all answered after (ms)': Math.round(performance.now() - killedAt), ...(await nothingIsWrong(people)) });
  victim.letGo();
  await victim.program.start();
});

test(over('killed while nobody else runs, its work is done at its next start'), async (t) => {
  const people = await leaveWaiting();
  other.program.kill();
  victim.program.kill();
  victim.letGo();
  await victim.program.start();
  const startedAt = performance.now();
  await settled(redis, PATIENCE_MS);
  report(t, {
    'all answered after (ms)': Math.round(performance.now() - startedAt),
    ...(await nothingIsWrong(people)),
  });
  await other.program.start();
});

test(over('killed, it is not waited for by a repeated webhook, nor by another message'), async () => {
  victim.model.handle = ({ path }, forward) => (path.startsWith('/v1/chat') ? 'silence' : forward());
  let url = victim.program.url;
  const [person] = createPeople(1, { ...stage, route: () => url });
  assert.ok(person);
  const id = stage.provider.newId(false);
  await person.write({ id, text: 'c0m0' });
  await eventually('a turn runs', async () => (await redis.keys('recado:*:lease')).length === 1);
  victim.program.kill();
  url = other.program.url;
  await person.write({ id, text: 'c0m0' });
  await person.write({ text: 'c0m2' });
  await settled(redis, PATIENCE_MS);
  const answers = stage.provider
    .received()
    .map(({ text }) => text)
    .join(' ');
  assert.equal(answers.match(/c0m0/g)?.length, 1, answers);
  assert.equal(answers.match(/c0m2/g)?.length, 1, answers);
  victim.letGo();
  await victim.program.start();
});

test(over('standing still, its work is done by the other one, and it sends nothing when it goes on'), async (t) => {
  let stillAt = 0;
  const { callOf, textOf, passOn, refuse } = stage.provider;
  victim.provider.handle = async (request, forward) => {
    if (stillAt > 0 || callOf(request) !== 'send' || textOf(request) === null) return passOn(request, await forward());
    // It has a refusal before it stands still, and so the next try is what it goes on with.
    stillAt = performance.now();
    setTimeout(() => victim.program.freeze(), 200);
    return refuse('busy');
  };
  const [person] = createPeople(1, { ...stage, route: () => victim.program.url });
  assert.ok(person);
  await person.write();
  // Over Meta it takes minutes until it is certain that nothing was sent.
  await settled(redis, IS_META ? 300_000 : PATIENCE_MS);
  assert.equal(stage.provider.received().length, 1, 'the other one answered');
  report(t, { 'answered after (ms)': Math.round(performance.now() - stillAt) });
  victim.program.wake();
  const lost = /lease was lost|could not be asked whether the lease/i;
  await eventually('it sees what it has lost', () => victim.program.logs.some((line) => lost.test(line)));
  await sleep(1_000);
  assert.equal(stage.provider.received().length, 1);
  await settled(redis, PATIENCE_MS);
});
