/** Compares what people wrote, what the bot remembers, and what they got: nothing lost, nothing doubled, in order. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Redis } from 'ioredis';
import { DEFAULT_FAILURE_REPLY } from '../../../app/config.ts';
import type { Person, Sent } from './people.ts';
import type { Provider } from './provider.ts';

export interface Verdict {
  /** Messages that people wrote, and those of them that the bot said 200 to. */
  messages: number;
  acknowledged: number;
  /** Answers of the model, and apologies, that people got. */
  answers: number;
  apologies: number;
  /** By which way: in the response to a webhook, or by a call. */
  responses: number;
  calls: number;
  /** Answers that somebody got more than once. */
  doubled: number;
  /** Acknowledged messages that the bot knows nothing of, and answers that it made and nobody got. */
  lost: number;
  outOfOrder: number;
  /** What was wrong, in words. */
  complaints: string[];
}

/** A line of the history, as far as it matters here. */
interface Remembered {
  role: 'user' | 'assistant';
  text: string;
}

/** Resolves when nothing waits any more, at most `patienceMs` from now. */
export async function settled(redis: Redis, patienceMs = 30_000): Promise<void> {
  for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += 50) {
    const due = await redis.zcard('recado:{0}:due').catch(() => -1);
    if (due === 0) return;
    await sleep(50);
  }
  const left = await redis.zrangebyscore('recado:{0}:due', '-inf', '+inf');
  assert.fail(`after ${patienceMs} ms there is work left: ${left.join(' ')}`);
}

/**
 * @param excused replies that are accounted for elsewhere (dead letters), by person: they need not have arrived
 */
export async function judge(
  people: readonly Person[],
  redis: Redis,
  provider: Provider,
  excused: ReadonlyMap<string, readonly string[]> = new Map(),
): Promise<Verdict> {
  const verdict: Verdict = {
    messages: 0,
    acknowledged: 0,
    answers: 0,
    apologies: 0,
    responses: 0,
    calls: 0,
    doubled: 0,
    lost: 0,
    outOfOrder: 0,
    complaints: [],
  };
  for (const person of people) {
    const lines = await redis.lrange(`recado:{0}:c:${person.phone}:history`, 0, -1);
    const history: Remembered[] = lines.map((line) => JSON.parse(line));
    const arrived = provider.received().filter(({ to }) => to === person.phone);
    verdict.messages += person.sent.length;
    verdict.acknowledged += person.sent.filter(({ acknowledged }) => acknowledged).length;
    verdict.responses += arrived.filter(({ via }) => via === 'response').length;
    verdict.calls += arrived.filter(({ via }) => via === 'call').length;
    checkMemory(person, history, verdict);
    checkAnswers(person, history, verdict);
    const texts = arrived.map(({ text }) => text);
    checkDelivery(person, history, texts, excused.get(person.phone) ?? [], verdict);
  }
  return verdict;
}

/** Which messages a text speaks of. */
function namedIn(text: string): string[] {
  return text.match(/c\d+m\d+/g) ?? [];
}

/** Every acknowledged message is remembered once, and in the order they were written. */
function checkMemory(person: Person, history: readonly Remembered[], verdict: Verdict): void {
  const remembered = history.filter(({ role }) => role === 'user').flatMap(({ text }) => namedIn(text));
  const indexes = remembered.map((name) => Number(name.split('m')[1]));
  for (const { index, acknowledged } of person.sent) {
    const times = indexes.filter((one) => one === index).length;
    if (times > 1) complain(verdict, 'doubled', person, `message ${index} is remembered ${times} times`);
    if (times === 0 && acknowledged) complain(verdict, 'lost', person, `message ${index} was acknowledged and is gone`);
  }
  for (const [i, index] of indexes.entries()) {
    const before = indexes[i - 1] ?? -1;
    if (index < before && wasDone(person.sent[index], person.sent[before]))
      complain(verdict, 'outOfOrder', person, `message ${index} was taken after ${before}`);
  }
}

/** Was the one delivered, or given up, before the other was sent? Else they have no order, with any provider. */
function wasDone(one: Sent | undefined, other: Sent | undefined): boolean {
  const last = one?.tries.at(-1);
  const first = other?.tries[0];
  return last !== undefined && first !== undefined && last.at + last.tookMs < first.at;
}

/** Every answer speaks of the messages it answers, and of what an apology has left open. */
function checkAnswers(person: Person, history: readonly Remembered[], verdict: Verdict): void {
  let open: string[] = [];
  let owed: string[] = [];
  for (const { role, text } of history) {
    if (role === 'user') {
      owed.push(...namedIn(text));
      continue;
    }
    const isApology = text === DEFAULT_FAILURE_REPLY;
    const missing = isApology ? [] : owed.filter((name) => !namedIn(text).includes(name));
    const strange = namedIn(text).filter((name) => !owed.includes(name) && !open.includes(name));
    for (const name of missing) complain(verdict, 'lost', person, `${name} is not in its answer "${text}"`);
    for (const name of strange) complain(verdict, 'doubled', person, `${name} is answered again in "${text}"`);
    open = isApology ? [...open, ...owed] : [];
    owed = [];
  }
  // Who just read the apology does not get it again.
  if (open.length > 0) return;
  for (const name of owed) complain(verdict, 'lost', person, `${name} was never answered`);
}

/** What the bot said is what arrived, once and in its order. */
function checkDelivery(
  person: Person,
  history: readonly Remembered[],
  arrived: readonly string[],
  excused: readonly string[],
  verdict: Verdict,
): void {
  const left = [...arrived];
  const missing = [...excused];
  let at = 0;
  for (const { text } of history.filter(({ role }) => role === 'assistant')) {
    const found = left.indexOf(text, at);
    const anywhere = found === -1 ? left.indexOf(text) : found;
    if (anywhere === -1) {
      const known = missing.indexOf(text);
      if (known !== -1) missing.splice(known, 1);
      else complain(verdict, 'lost', person, `nobody got "${text}"`);
      continue;
    }
    if (found === -1) complain(verdict, 'outOfOrder', person, `"${text}" came too early`);
    left.splice(anywhere, 1);
    at = anywhere;
    if (text === DEFAULT_FAILURE_REPLY) verdict.apologies++;
    else verdict.answers++;
  }
  for (const text of left) complain(verdict, 'doubled', person, `"${text}" arrived once more`);
}

function complain(verdict: Verdict, figure: 'doubled' | 'lost' | 'outOfOrder', person: Person, words: string): void {
  verdict[figure]++;
  verdict.complaints.push(`${figure}: person ${person.number}: ${words}`);
}

/** The figures without the words. */
export function figuresOf({ complaints: _, ...figures }: Verdict): Record<string, number> {
  return figures;
}
