/**
 * Asks providers what messages cost. Twilio fills the price in a while after it has sent a message, mostly within minutes, rarely within a
 * day, and reports it to nobody who does not ask: https://help.twilio.com/articles/46871410243099
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelName, DeliveryStatus } from '../message.ts';
import type { Log } from '../ops/logger.ts';

/** A message that we sent, by the provider's id. */
export interface SentMessage {
  channel: ChannelName;
  sid: string;
}

export interface LatePrices {
  /** Begins to look for messages without a price, again and again. */
  start(): void;
  /** Resolves when what is being asked has ended. */
  stop(): Promise<void>;
  /** Asks for the prices that are due. @returns how many were. `start` does the same again and again. */
  look(): Promise<number>;
}

export interface LatePricesOptions {
  /** Takes messages whose price is due to be asked for; they are not due again at once. */
  take: (most: number) => Promise<SentMessage[]>;
  statusOf: (message: SentMessage, signal: AbortSignal) => Promise<DeliveryStatus | null>;
  /** As if the provider had reported it by itself. */
  report: (status: DeliveryStatus) => Promise<void>;
  log: Log;
}

/** How many are asked for in one look. A provider that answers in 200 ms so gets 20 questions a second. */
const AT_ONCE = 100;
const AT_A_TIME = 4;
const PAUSE_MS = 30_000;

export function createLatePrices({ take, statusOf, report, log }: LatePricesOptions): LatePrices {
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let failing = false;
  return {
    start() {
      running ??= run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
    look,
  };

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      // Without archive or provider there is another look.
      const asked = await look().catch(() => 0);
      if (asked < AT_ONCE) await sleep(PAUSE_MS, undefined, { signal: stopping.signal }).catch(() => {});
    }
  }

  async function look(): Promise<number> {
    const due = await take(AT_ONCE);
    const waiting = [...due];
    await Promise.all(Array.from({ length: AT_A_TIME }, () => askAll(waiting)));
    return due.length;
  }

  async function askAll(waiting: SentMessage[]): Promise<void> {
    for (let next = waiting.pop(); next && !stopping.signal.aborted; next = waiting.pop()) await ask(next);
  }

  /** What cannot be asked now is due again later, like what has no price yet. */
  async function ask(message: SentMessage): Promise<void> {
    try {
      const status = await statusOf(message, stopping.signal);
      if (status?.pricing) await report(status);
      failing = false;
    } catch (error) {
      if (!failing && !stopping.signal.aborted) log.warn('The price of a message could not be asked for', { error });
      failing = true;
    }
  }
}
