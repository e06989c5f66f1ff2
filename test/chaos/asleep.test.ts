/** A process that does not run for a while (a frozen container, a moved machine) wakes up in the middle of a turn that is no longer its own. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { eventually } from '../support/bot.ts';
import { createPeople, type Person } from './support/people.ts';
import { report } from './support/size.ts';
import { type Actor, type Stage, setStage } from './support/stage.ts';
import { figuresOf, judge, settled } from './support/verdict.ts';

let stage: Stage;
let sleeper: Actor;

before(async () => {
  stage = await setStage(2, { LEASE_MS: '1000', TWIML_DEADLINE_MS: '0' });
  const [first] = stage.actors;
  assert.ok(first);
  sleeper = first;
});

after(() => stage.stop());

/** What a turn says that keeps silent because its lease is gone, or may be. */
const LOST = /lease lost|lease was lost|could not be asked whether the lease/i;
test('a process that slept between two tries to send sends nothing when somebody else has sent meanwhile', async (t) => {
  const [ben, ana] = createPeople(2, { ...stage, route: () => sleeper.program.url }) as [Person, Person];
  // What the first message ever sent needs is loaded then; that may take longer than this lease.
  await ben.write();
  await eventually('the first message was sent', () => stage.provider.received().length > 0);
  const earlier = stage.provider.received().length;
  let state: 'awake' | 'tired' | 'asleep' = 'awake';
  const { callOf, passOn, refuse } = stage.provider;
  sleeper.provider.handle = async (request, forward) => {
    if (state === 'asleep' || callOf(request) !== 'send') return passOn(request, await forward());
    // It has a refusal before it sleeps, and so the next try is what it wakes up for.
    if (state === 'awake') setTimeout(fallAsleep, 200);
    state = 'tired';
    return refuse('busy');
  };
  function fallAsleep(): void {
    state = 'asleep';
    sleeper.program.freeze();
  }
  await ana.write();
  await eventually('the other one answered', () => stage.provider.received().length > earlier);
  sleeper.program.wake();
  await eventually('it sees what it has lost', () => sleeper.program.logs.some((line) => LOST.test(line)));
  const client = stage.redis.client();
  await settled(client);
  const verdict = await judge([ben, ana], client, stage.provider);
  report(t, figuresOf(verdict));
  assert.deepEqual(verdict.complaints, []);
});
