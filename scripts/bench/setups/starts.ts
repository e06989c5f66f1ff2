/** How long a start takes: until the port is open, until all parts work, and until somebody new is answered. */
import { AT_ONCE, SHORT } from '../measure.ts';
import { untilQuiet } from '../processes.ts';
import type { Program } from '../program.ts';
import { connectHttp, type HttpConnection } from '../thin-clients.ts';
import { echo, newRun, signedRequest, textOf } from '../webhooks.ts';
import { missingIn, type Scene, spawn, stop } from './scene.ts';
import type { Installation } from './setups.ts';

/** A new installation in each round, started for the first time and once more; the last one stays. */
export async function starts(scene: Scene): Promise<{ installation: Installation; program: Program }> {
  const { sizes, setup, installations, stage, note, say } = scene;
  for (let round = 1; ; round++) {
    const installation = await installations.fresh(setup);
    await stage.model.ask({ ...AT_ONCE, words: SHORT.answerWords });
    const first = await spawn(scene, installation);
    const fresh = await measureFirstStart(scene, first);
    note('newListening', fresh.listening);
    note('newReady', fresh.ready);
    note('firstAnswer', fresh.firstAnswer);
    await untilQuiet(first.pid);
    await stop(scene, first);
    const program = await spawn(scene, installation);
    const again = await measureStart(scene, program);
    note('listening', again.listening);
    note('ready', again.ready);
    const figures = [fresh.listening, fresh.ready, fresh.firstAnswer, again.listening, again.ready];
    say(`  start ${round}/${sizes.rounds}: ${figures.map((seconds) => seconds.toFixed(2)).join(', ')} s`);
    if (round >= sizes.rounds) return { installation, program };
    await stop(scene, program);
  }
}

interface StartFigures {
  /** From the spawn, s. */
  listening: number;
  /** From the spawn until `/readyz` says that all parts work, s. */
  ready: number;
}

/** How often it is asked, ms. */
const EVERY_MS = 5;
const READY_EVERY_MS = 50;

async function measureStart({ setup }: Scene, program: Program): Promise<StartFigures> {
  const listening = await untilListening(program);
  return { listening, ready: await untilAllWork(program, missingIn(setup)) };
}

/** The first start: somebody writes as soon as the port is open. `firstAnswer` is from then on, s. */
async function measureFirstStart({ setup, failures }: Scene, program: Program) {
  const listening = await untilListening(program);
  const all = [answerTo(program, failures), untilAllWork(program, missingIn(setup))] as const;
  const [firstAnswer, ready] = await Promise.all(all);
  return { listening, ready, firstAnswer };
}

async function untilListening(program: Program): Promise<number> {
  await program.until(async () => (await connected(program)).close(), EVERY_MS);
  return secondsSince(program.spawnedAt);
}

/** @param without a part that is not there in this set-up */
export async function untilAllWork(program: Program, without?: string): Promise<number> {
  await program.until(async () => {
    const connection = await connected(program);
    const { body } = await connection.exchange('GET /readyz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
    connection.close();
    const { parts } = JSON.parse(body) as { parts: Record<string, string> }; // see app/ops/health.ts
    const broken = Object.entries(parts).filter(([name, state]) => state !== 'ok' && name !== without);
    if (broken.length > 0) throw new Error(`/readyz says ${body}`);
  }, READY_EVERY_MS);
  return secondsSince(program.spawnedAt);
}

/** Nobody else has this number. */
const FIRST_PERSON = 99_999;

async function answerTo(program: Program, failures: string[]): Promise<number> {
  const startedAt = performance.now();
  const connection = await connected(program);
  const text = textOf(FIRST_PERSON, 1, SHORT.words);
  const request = signedRequest({ person: FIRST_PERSON, turn: 1, text }, newRun());
  const { status, body } = await connection.exchange(request);
  connection.close();
  if (status === 200 && body.includes(`>${echo(text, SHORT.answerWords)}<`)) return secondsSince(startedAt);
  failures.push(`${program.name}: the first webhook got ${status} ${body.slice(0, 500)}`);
  return Number.NaN;
}

function connected({ port }: Program): Promise<HttpConnection> {
  return connectHttp({ port, host: '127.0.0.1' });
}

function secondsSince(startedAt: number): number {
  return (performance.now() - startedAt) / 1_000;
}
