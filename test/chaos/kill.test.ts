/**
 * The process is killed with SIGKILL at every step of a turn, again and again, while people write. The steps are seen from
 * outside, on the lines that a process has to Redis, to the model and to the provider, so that a kill hits exactly its step.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { lastUserText } from '../doubles/model.ts';
import { createPeople, type Person } from './support/people.ts';
import { IS_META, over, type Provider } from './support/provider.ts';
import { isLong, report, say, sized } from './support/size.ts';
import { type Actor, type Stage, setStage } from './support/stage.ts';
import { figuresOf, judge, settled } from './support/verdict.ts';

const PEOPLE = sized(16, 40);
const ROUNDS = sized(1, 6);
/** Whether a text was sent is known over Meta when later ones are reported, which takes more than a minute. */
const SETTLED_MS = IS_META ? 600_000 : 30_000;

/** Kills the actor it is given; nothing that the process was about to hear reaches it any more. */
type Strike = () => void;

interface Step {
  name: string;
  /** Left to the long version. */
  onlyLong?: true;
  /** Only a process that takes over from another comes to it: so the others are frozen meanwhile, and lose their leases. */
  takesOver?: true;
  /** Waits for the step and strikes. */
  lurk(actor: Actor, strike: Strike): void;
}

/** Before a script runs, or right after: the process never learns that it did. */
function atScript(script: string, ran: boolean): Step['lurk'] {
  return ({ redis }, strike) => {
    redis.onCommand = (name) => {
      if (name !== script) return 'pass';
      strike();
      return ran ? 'pass' : 'stop';
    };
  };
}

/** Before the provider has a request, or right after it was carried out. */
function atProvider(call: ReturnType<Provider['callOf']>, carriedOut: boolean): Step['lurk'] {
  return ({ provider }, strike) => {
    const { callOf, textOf, passOn } = stage.provider;
    provider.handle = async (request, forward) => {
      const isIt = callOf(request) === call && (call !== 'send' || textOf(request) !== null);
      if (!isIt) return passOn(request, await forward());
      if (carriedOut) await forward();
      strike();
      return 'silence';
    };
  };
}

const STEPS: Step[] = [
  { name: 'before a message is stored', onlyLong: true, lurk: atScript('accept', false) },
  { name: 'after accept', lurk: atScript('accept', true) },
  { name: 'during media', lurk: atProvider('file', false) },
  {
    name: 'during the model call',
    lurk({ model }, strike) {
      model.handle = ({ path }, forward) => {
        if (!path.startsWith('/v1/chat')) return forward();
        strike();
        return 'silence';
      };
    },
  },
  { name: 'before commit', onlyLong: true, lurk: atScript('commit', false) },
  { name: 'after commit', lurk: atScript('commit', true) },
  { name: 'between decision and send', lurk: atProvider('send', false) },
  { name: 'after send, before record', lurk: atProvider('send', true) },
  { name: 'before a turn is recorded as finished', onlyLong: true, lurk: atScript('finish', false) },
  { name: 'after a turn was recorded as finished', onlyLong: true, lurk: atScript('finish', true) },
  { name: 'while a crash is being mended', onlyLong: true, takesOver: true, lurk: atScript('claim', true) },
  // Meta has no list to be asked for.
  ...(IS_META
    ? []
    : [
        {
          name: 'while Twilio is asked what it has sent',
          onlyLong: true as const,
          takesOver: true as const,
          lurk: atProvider('look', false),
        },
      ]),
];

const CHOSEN = STEPS.filter(({ onlyLong }) => isLong || !onlyLong);

let stage: Stage;

before(async () => {
  stage = await setStage(2, { LEASE_MS: '1000', TWIML_DEADLINE_MS: '500' });
  stage.model.answer = async (request) => {
    await sleep(20 + Math.random() * 600);
    return `Answer to ${lastUserText(request)}`;
  };
});

after(() => stage.stop());

test(over('killed at every step of a turn, two processes answer every message once and in order'), {
  timeout: sized(280_000, 1_500_000),
}, async (t) => {
  const people = createPeople(PEOPLE, stage);
  let writing = true;
  const wrote = people.map((person) => keepWriting(person, () => writing));
  const todo = Array.from({ length: ROUNDS }, () => CHOSEN).flat();
  const kills = new Map<string, number>();
  const killers = stage.actors.map(async (actor) => {
    for (let step = todo.shift(); step; step = todo.shift()) {
      const hit = await killAt(actor, step);
      if (!hit) todo.push(step);
      const name = hit ? step.name : 'at some moment';
      kills.set(name, (kills.get(name) ?? 0) + 1);
      say(`killed ${name}; ${todo.length} to go`);
    }
  });
  await Promise.all(killers).finally(() => {
    writing = false;
  });
  await Promise.all(wrote);
  const client = stage.redis.client();
  await settled(client, SETTLED_MS);
  const verdict = await judge(people, client, stage.provider);
  report(t, { kills: [...kills.values()].reduce((sum, one) => sum + one, 0), ...figuresOf(verdict) });
  assert.deepEqual(verdict.complaints, []);
  for (const { name } of CHOSEN) assert.ok((kills.get(name) ?? 0) >= ROUNDS, `killed too seldom ${name}`);
  assert.equal(await client.xlen('recado:{0}:dead'), 0);
});

/** How long the process is given to come to a step. */
const PATIENCE_MS = 10_000;

/** Kills the process when it comes to the step, or when it does not in time, and starts it again. @returns whether it came to the step */
async function killAt(actor: Actor, step: Step): Promise<boolean> {
  const struck = new Promise<boolean>((resolve) => {
    const late = setTimeout(strike, PATIENCE_MS, false);
    function strike(hit: boolean): void {
      clearTimeout(late);
      actor.program.kill();
      resolve(hit);
    }
    step.lurk(actor, () => strike(true));
  });
  const others = step.takesOver ? stage.actors.filter((other) => other !== actor) : [];
  for (const { program } of others) program.freeze();
  const hit = await struck;
  for (const { program } of others) program.wake();
  actor.letGo();
  await actor.program.start();
  return hit;
}

/** One message after the other, now and then a burst or a picture. */
async function keepWriting(person: Person, goOn: () => boolean): Promise<void> {
  const picture = stage.provider.addFile(PICTURE, 'image/png');
  while (goOn()) {
    await sleep(Math.random() * 1_500);
    if (Math.random() < 0.15) await person.show(picture, 'image/png');
    else if (Math.random() < 0.2) await burst(person);
    else await person.write();
  }
}

/** The next one is written while the answer to the one before is still being made. */
async function burst(person: Person): Promise<void> {
  const first = person.write();
  await sleep(30);
  await Promise.all([first, person.write()]);
}

/** One grey pixel. */
const PICTURE = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==',
  'base64',
);
