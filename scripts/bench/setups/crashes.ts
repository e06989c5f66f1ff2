/** The bot crashes while it answers: how long until everybody has an answer, and is it one? */
import { setTimeout as sleep } from 'node:timers/promises';
import { SHORT } from '../measure.ts';
import type { ModelFigures, ModelOrder } from '../model.ts';
import { untilQuiet } from '../processes.ts';
import type { Program } from '../program.ts';
import type { Contestant, Stage } from '../stage.ts';
import { connectHttp } from '../thin-clients.ts';
import type { Sent, TwilioQuestion } from '../twilio.ts';
import { addressOf, echo, newRun, signedRequest, textOf } from '../webhooks.ts';
import { missingIn, type Scene, spawn, stop } from './scene.ts';
import type { Installation } from './setups.ts';
import { untilAllWork } from './starts.ts';

/** So long a recovery may take for another one to be measured, s. */
const LONG = 10;
/** A second answer would come within this, ms. */
const SECOND_ANSWER_MS = 1_500;

/** @returns who runs at the end */
export async function recoveries(scene: Scene, installation: Installation, first: Program): Promise<Program> {
  const { stage, setup, sizes, note, failures, say } = scene;
  await ask(stage, 'forget');
  const waited: number[] = [];
  const { program, restart } = restarting(scene, installation, first);
  for (let round = 1; round <= sizes.rounds; round++) {
    const seconds = await recovered(scene, program(), waited, restart);
    note('restart', seconds);
    say(`  killed and started again: all answered after ${seconds.toFixed(1)} s`);
    if (!(seconds < LONG)) break;
  }
  const last =
    setup.stores === 'postgres' ? await takeovers(scene, installation, waited, { program, restart }) : program();
  await sleep(SECOND_ANSWER_MS);
  const { lost, doubled, wrong } = outcomeOf(waited, await sent(stage));
  const told = `of ${waited.length} that waited when it was killed ${lost} lost, ${doubled} doubled, ${wrong} wrong`;
  note('mistakes', lost + doubled + wrong);
  if (lost + doubled + wrong > 0) failures.push(`${setup.name}: ${told}`);
  say(`  ${told}`);
  return last;
}

type Restarting = ReturnType<typeof restarting>;

/** Who runs now, and how the next one is started in the same place. */
function restarting(scene: Scene, installation: Installation, first: Program) {
  let current = first;
  return {
    program: () => current,
    /** @returns from when on its recovery counts */
    async restart() {
      current = await spawn(scene, installation, current.port);
      return current.spawnedAt;
    },
  };
}

async function takeovers(scene: Scene, installation: Installation, waited: number[], { program, restart }: Restarting) {
  const { sizes, note, say } = scene;
  for (let round = 1; ; round++) {
    const other = await beside(scene, installation);
    const seconds = await recovered(scene, program(), waited, async (crashedAt) => crashedAt);
    note('takeover', seconds);
    say(`  killed and taken over: all answered after ${seconds.toFixed(1)} s`);
    if (round >= sizes.rounds || !(seconds < LONG)) return other;
    await stop(scene, other);
    await restart();
  }
}

/** Another process over the same stores, a while after its start. */
async function beside(scene: Scene, { folder, environment }: Installation): Promise<Program> {
  const alone = { folder, environment: { ...environment, ROLE: 'bot' } };
  const other = await spawn(scene, alone, undefined, 'beside');
  await untilAllWork(other);
  await sleep(scene.sizes.idleMs);
  return other;
}

/**
 * Kills it while the model thinks about everybody's message.
 * @param waited takes the numbers of these people
 * @param andThen what is done right after it; returns from when on it counts, by `performance.now()`
 * @returns seconds until everybody was answered
 */
async function recovered(
  { stage, children, people, sizes, setup }: Scene,
  victim: Program,
  waited: number[],
  andThen: (crashedAt: number) => Promise<number>,
): Promise<number> {
  await untilAllWork(victim, missingIn(setup));
  await untilQuiet(victim.pid);
  const first = people(sizes.crash.people);
  const these = Array.from({ length: sizes.crash.people }, (_, i) => first + i);
  const letters = await allInFlight(stage, victim, these, sizes.crash.delayMs);
  const earlier = await count(stage);
  const crashedAt = performance.now();
  await children.crash(victim.child);
  letters.close();
  waited.push(...these);
  return untilAnswered(stage, these, earlier, await andThen(crashedAt));
}

interface Outcome {
  lost: number;
  doubled: number;
  wrong: number;
}

/** So long is waited for everybody's answer, ms: longer than a lease, also on a busy machine. */
const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 20;

/** On a machine that is busy with other things somebody may be answered before the last one was asked about: then anew. */
const TRIES = 5;

async function allInFlight(stage: Stage, victim: Program, people: readonly number[], delayMs: number) {
  for (let i = 0; i < TRIES; i++) {
    await stage.model.ask({ delayMs, watch: false, words: SHORT.answerWords } satisfies ModelOrder);
    const letters = await writeAll(victim, people);
    await untilThinking(stage, people.length);
    if (letters.answered() === 0) return letters;
    await letters.allAnswered;
    letters.close();
  }
  throw new Error(`${victim.name} always answers before everybody has written; is the machine busy?`);
}

/** Each on a connection of their own, which the crash breaks. */
async function writeAll(victim: Contestant, people: readonly number[]) {
  const run = newRun();
  let answered = 0;
  const connections = await Promise.all(people.map(() => connectHttp({ port: victim.port, host: '127.0.0.1' })));
  const exchanges = connections.map((connection, i) => {
    const person = people[i] ?? 0;
    const request = signedRequest({ person, turn: 1, text: textOf(person, 1, SHORT.words) }, run);
    return connection.exchange(request).then(() => answered++);
  });
  return {
    answered: () => answered,
    /** Resolves also when they are not. */
    allAnswered: Promise.allSettled(exchanges),
    close: () => {
      for (const connection of connections) connection.close();
    },
  };
}

/** Until the model thinks about everybody's message. */
async function untilThinking({ model }: Stage, people: number): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; Date.now() < deadline; await sleep(LOOK_EVERY_MS)) {
    const { answers } = (await model.ask('figures')) as ModelFigures;
    if (answers >= people) return;
  }
  throw new Error('the model was not asked about everybody');
}

/** @returns seconds; NaN when somebody is still waiting after that */
async function untilAnswered(stage: Stage, people: readonly number[], earlier: number, from: number): Promise<number> {
  while (performance.now() - from < PATIENCE_MS) {
    const isPossible = (await count(stage)) >= earlier + people.length;
    if (isPossible && outcomeOf(people, await sent(stage)).lost === 0) return (performance.now() - from) / 1_000;
    await sleep(LOOK_EVERY_MS);
  }
  return Number.NaN;
}

function outcomeOf(people: readonly number[], messages: readonly Sent[]): Outcome {
  const outcome: Outcome = { lost: 0, doubled: 0, wrong: 0 };
  for (const person of people) {
    const expected = echo(textOf(person, 1, SHORT.words), SHORT.answerWords);
    const theirs = messages.filter(({ to }) => to === addressOf(person));
    const right = theirs.filter(({ body }) => body === expected).length;
    if (right === 0) outcome.lost++;
    outcome.doubled += Math.max(0, right - 1);
    outcome.wrong += theirs.length - right;
  }
  return outcome;
}

function ask({ twilio }: Stage, question: TwilioQuestion): Promise<unknown> {
  return twilio.ask(question);
}

async function count(stage: Stage): Promise<number> {
  return (await ask(stage, 'count')) as number;
}

async function sent(stage: Stage): Promise<Sent[]> {
  return (await ask(stage, 'sent')) as Sent[];
}
