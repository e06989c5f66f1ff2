/** Sends the rows of broadcasts: takes some, as fast as a number may send, and notes what came of each. Any number of processes do so together. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BroadcastStore, ClaimedRow, PaceState, RowResult, Sender } from '../archive/write/broadcasts.ts';
import type { RefusalScope } from '../channels/channel.ts';
import { Failure, type FailureCode, isFailure } from '../errors.ts';
import { type ChannelName, conversationId, type TemplateMessage, type TemplateRef, templateName } from '../message.ts';
import { elapsed } from '../ops/elapsed.ts';
import type { Log } from '../ops/logger.ts';
import type { SendTemplate } from '../outbound/template.ts';
import type { Templates } from '../outbound/templates.ts';
import { scrub } from '../privacy/scrub.ts';
import type { AccountState } from './account.ts';
import { NOBODY_CAN_TELL, type Outcome, outcomeOf } from './outcome.ts';
import { refill } from './pace.ts';

export interface BroadcastWorker {
  start(): void;
  /** There is something to do: it looks at once. */
  wake(): void;
  /** Takes no more, and resolves when what runs has ended; what takes longer than a few seconds is left to another process, which asks first. */
  stop(): Promise<void>;
}

export interface BroadcastWorkerOptions {
  store: Omit<BroadcastStore, 'create'>;
  sendTemplate: SendTemplate;
  news: AccountState;
  /** What one of a provider's codes is about, and what it means as a sentence. */
  scopeOf: (channel: ChannelName, code: string) => RefusalScope | null;
  explain: (channel: ChannelName, code: string) => string | null;
  templates: Pick<Templates, 'list'>;
  /** False while nothing may be done: the tables are not there yet, or Redis holds data of another version. */
  isReady: () => Promise<boolean>;
  /** How long it is quiet yet, ms; 0 = it is not. */
  quietFor: () => number;
  limits: {
    /** Messages in a second from one number, over all processes. */
    perSecond: number;
    /** New people in 24 hours; undefined = as many as the provider allows. */
    perDay: number | undefined;
    growMs?: number | undefined;
  };
  /** Redis' time, unix ms. */
  now: () => number;
  /** Names this process. */
  process: string;
  log: Log;
  /** How long a row stays with a process that says nothing, ms. Default: 15 s. */
  leaseMs?: number;
  /** How long messages may take to end when the process stops, ms. Default: 5 s. */
  graceMs?: number;
}

/** So many messages are under way at once in this process. */
const MOST_AT_ONCE = 100;
/** Between two looks, ms: while something is sent; while nothing is. */
const BUSY_MS = 50;
const IDLE_MS = 2_000;
const LONGEST_WAIT_MS = 30_000;
const AFTER_TROUBLE_MS = 5_000;
/** So many rows one after the other fail for the same reason, which is none of the person's: then the broadcast stops. */
const MOST_ALIKE = 10;

export function createBroadcastWorker(options: BroadcastWorkerOptions): BroadcastWorker {
  const { store, sendTemplate, news, scopeOf, explain, templates, quietFor, limits, process, log } = options;
  const { isReady, now, leaseMs = 15_000, graceMs = 5_000 } = options;
  const underWay = new Set<Promise<void>>();
  const alike = new Map<string, { reason: string; count: number }>();
  /** When the next message of a number of ours may go, by `performance.now()`. */
  const turns = new Map<string, number>();
  let stopping = false;
  let waking = new AbortController();
  let running: Promise<void> | undefined;
  let renewing: NodeJS.Timeout | undefined;
  let sinceRenewal = elapsed();
  return { start, wake, stop };

  function start(): void {
    running ??= loop();
    renewing ??= setInterval(() => void renew(), leaseMs / 4);
  }

  function wake(): void {
    waking.abort();
  }

  async function stop(): Promise<void> {
    stopping = true;
    wake();
    await running;
    await Promise.race([Promise.all(underWay), sleep(graceMs, undefined, { ref: false })]);
    clearInterval(renewing);
  }

  async function loop(): Promise<void> {
    let failing = false;
    while (!stopping) {
      try {
        const waitMs = await round();
        failing = false;
        await pause(waitMs);
      } catch (error) {
        if (!failing) log.warn('Broadcasts wait: their rows cannot be read', { error });
        failing = true;
        await pause(AFTER_TROUBLE_MS);
      }
    }
  }

  async function pause(ms: number): Promise<void> {
    const { signal } = waking;
    await sleep(Math.min(ms, LONGEST_WAIT_MS), undefined, { signal }).catch(() => {});
    if (signal.aborted) waking = new AbortController();
  }

  /** @returns when to look again, ms */
  async function round(): Promise<number> {
    if (!(await isReady())) return IDLE_MS;
    const quietMs = quietFor();
    if (quietMs > 0) return quietMs;
    const senders = await store.senders();
    const waits = await Promise.all(senders.map(takeFrom));
    return Math.min(...waits, senders.length > 0 ? LONGEST_WAIT_MS : IDLE_MS);
  }

  async function takeFrom(sender: Sender): Promise<number> {
    const most = MOST_AT_ONCE - underWay.size;
    if (most < 1) return BUSY_MS;
    const age = elapsed();
    const { rows, heldMs } = await store.take(sender, {
      process,
      leaseMs,
      most,
      now: now(),
      perDay: limits.perDay ?? (await news.perDay(sender.channel)),
      refill: (pace: PaceState, at) => refill(pace, at, limits),
    });
    for (const row of rows) begin(row, age);
    return heldMs > 0 ? Math.min(heldMs, IDLE_MS) : BUSY_MS;
  }

  function begin(row: ClaimedRow, age: () => number): void {
    const work = run(row, age).finally(() => underWay.delete(work));
    underWay.add(work);
  }

  /** Never rejects. */
  async function run(row: ClaimedRow, age: () => number): Promise<void> {
    await turnOf(row);
    const result = await attempt(row, age).catch((error): RowResult => {
      log.error('A row of a broadcast was left: it is looked at again', { broadcast: row.broadcast, error });
      return { state: 'sending', waitMs: leaseMs };
    });
    await note(row, result);
  }

  /** Rows are taken by the dozen; messages go one after the other, and a moment that was missed is not made up for. */
  async function turnOf({ channel, business }: Sender): Promise<void> {
    const name = `${channel} ${business}`;
    const present = performance.now();
    const at = Math.max(present, turns.get(name) ?? 0);
    turns.set(name, at + 1_000 / limits.perSecond);
    if (at - present >= 1) await sleep(at - present);
  }

  async function attempt(row: ClaimedRow, age: () => number): Promise<RowResult> {
    const { channel, business, contact, address, template, variables, broadcast, replyId, firstAt } = row;
    const refusal = await news.refusal(channel, template).catch(() => null);
    if (refusal) {
      await stopBroadcast(row, refusal.code, refusal.reason);
      return backToWaiting(row, refusal.reason);
    }
    // Another process may have it by now; if not, it waits.
    if (Math.min(age(), sinceRenewal()) > leaseMs / 2) return backToWaiting(row, '');
    const message: TemplateMessage = {
      template,
      variables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, scrub(value)])),
    };
    try {
      const conversation = conversationId({ channel, business, contact });
      await sendTemplate(conversation, message, { id: replyId, at: firstAt, address, uncertain: row.uncertain });
      alike.delete(broadcast);
      return { state: 'sent' };
    } catch (error) {
      return failed(row, error);
    }
  }

  async function failed(row: ClaimedRow, error: unknown): Promise<RowResult> {
    const { channel, template, tries, broadcast } = row;
    const providerCode = isFailure(error) ? error.providerCode : undefined;
    const scope = providerCode === undefined ? null : scopeOf(channel, providerCode);
    const asksTemplate = isFailure(error) && error.code === 'channel.template' && scope === null;
    const templateIsUsable = asksTemplate ? await isUsable(channel, template) : true;
    if (!isFailure(error)) log.error('A message of a broadcast failed unexpectedly', { broadcast, error });
    const outcome = outcomeOf(error, wordsOf(channel, error, explain), { tries, scope, templateIsUsable });
    return { ...(await follow(row, outcome)), ...(providerCode === undefined ? {} : { error: providerCode }) };
  }

  /** Whether the provider has a template, and lets it be sent; true when it does not say. */
  async function isUsable(channel: ChannelName, template: TemplateRef): Promise<boolean> {
    const list = await templates.list(channel).catch(() => null);
    const found = list?.find(({ ref }) => templateName(ref) === templateName(template));
    return list === null || found?.state === 'approved';
  }

  async function follow(row: ClaimedRow, outcome: Outcome): Promise<RowResult> {
    const { note } = outcome;
    switch (outcome.kind) {
      case 'failed':
        await stopWhenAlike(row, outcome.reason, note);
        return { state: 'failed', reason: outcome.reason, note };
      case 'skipped':
        return { state: 'skipped', reason: outcome.reason, note };
      case 'again':
        if (outcome.slow) await store.slow(row, Math.min(outcome.waitMs, LONGEST_WAIT_MS), outcome.code);
        return backToWaiting(row, note, outcome.waitMs);
      case 'unclear':
        return outcome.isLast
          ? { state: 'uncertain', reason: 'channel.ambiguous', note }
          : { state: 'sending', waitMs: outcome.waitMs, note };
      case 'stop':
        await stopBroadcast(row, outcome.code, note);
        return backToWaiting(row, note);
    }
  }

  /** What was perhaps sent before stays in doubt. */
  function backToWaiting({ uncertain }: ClaimedRow, note: string, waitMs = 0): RowResult {
    return { state: uncertain ? 'sending' : 'waiting', waitMs, note };
  }

  async function stopBroadcast({ broadcast }: ClaimedRow, code: FailureCode, reason: string): Promise<void> {
    if (await store.turn(broadcast, ['running'], 'stopped', { code, reason }))
      log.error('A broadcast stopped automatically', { broadcast, code, reason });
  }

  /** A fault that every message has is not that of the people. */
  async function stopWhenAlike(row: ClaimedRow, reason: string, note: string): Promise<void> {
    if (reason !== 'channel.rejected' && reason !== 'channel.template') return;
    const known = alike.get(row.broadcast);
    const count = known?.reason === reason ? known.count + 1 : 1;
    alike.set(row.broadcast, { reason, count });
    if (count < MOST_ALIKE) return;
    alike.delete(row.broadcast);
    const code = reason as FailureCode; // one of the two above
    await stopBroadcast(row, code, `The last ${MOST_ALIKE} messages failed alike. ${note}`);
  }

  /** Noted at last, while this process lives: else another one asks the provider about it. */
  async function note(row: ClaimedRow, result: RowResult): Promise<void> {
    for (let waitMs = 200; ; waitMs = Math.min(waitMs * 2, AFTER_TROUBLE_MS)) {
      try {
        return await store.settle(row, result, process);
      } catch (error) {
        if (stopping) return;
        log.debug('The result of a row cannot be noted yet', { broadcast: row.broadcast, error });
        await sleep(waitMs);
      }
    }
  }

  async function renew(): Promise<void> {
    if (underWay.size === 0) return;
    const age = elapsed();
    try {
      await store.renew(process, leaseMs);
      sinceRenewal = age;
    } catch (error) {
      log.debug('The rows that are being sent could not be renewed', { error });
    }
  }
}

/** For the team: never the words of an unexpected error, which could contain anything. */
export function wordsOf(
  channel: ChannelName,
  error: unknown,
  explain: (channel: ChannelName, code: string) => string | null,
): string {
  if (!(error instanceof Failure)) return NOBODY_CAN_TELL;
  const known = error.providerCode === undefined ? null : explain(channel, error.providerCode);
  // A code without a sentence of its own is said to be explained at an address: our own words say more.
  return known === null || known.includes('https://') ? error.message : known;
}
