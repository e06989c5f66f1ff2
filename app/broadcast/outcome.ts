/** What follows from a try that failed: for the row, for the pace, for the whole broadcast. */
import type { RefusalScope } from '../channels/channel.ts';
import { type FailureCode, isFailure } from '../errors.ts';

export type Outcome =
  /** Of this person alone: it is not tried again. */
  | { kind: 'failed'; reason: FailureCode | 'unexpected'; note: string }
  | { kind: 'skipped'; reason: 'blocked' | 'opted_out'; note: string }
  /** Certainly not sent, and worth another try. `slow`: for all that this number sends. */
  | { kind: 'again'; waitMs: number; slow: boolean; note: string; code: FailureCode }
  /** Perhaps sent: the provider is asked later; after the last time nobody can tell. */
  | { kind: 'unclear'; waitMs: number; isLast: boolean; note: string }
  /** Nothing can be sent by this account or with this template: the row waits, the broadcast stops. */
  | { kind: 'stop'; code: FailureCode; note: string };

/** How often a row that was certainly not sent is tried, and how often the provider is asked about one that perhaps was. */
export const MOST_TRIES = 12;
const MOST_QUESTIONS = 4;

/** Waits before the next try, ms: doubled each time, ten minutes at most. */
const FIRST_WAIT_MS = 5_000;
const LONGEST_WAIT_MS = 10 * 60_000;
/** 4^n seconds, as Meta asks for after too many messages to one person. */
const PAIR_WAIT_MS = 4_000;
/** How long a report of the provider may be late, ms. */
const REPORT_WAIT_MS = 30_000;

export const NOBODY_CAN_TELL =
  'Nobody can tell whether it was sent: the provider did not say. It is not sent again automatically.';

export interface Tried {
  /** 1 is the first. */
  tries: number;
  /** What the provider's code is about, see `ChannelBasics.scopeOf`. */
  scope: RefusalScope | null;
  /** Of a template that the provider does not send: can it be sent at all? */
  templateIsUsable: boolean;
}

/** @param note one sentence for the team */
export function outcomeOf(error: unknown, note: string, { tries, scope, templateIsUsable }: Tried): Outcome {
  // Nobody knows how far it came.
  if (!isFailure(error)) return unclear(tries);
  const { code } = error;
  if (scope === 'account' || scope === 'template') return { kind: 'stop', code, note };
  switch (code) {
    case 'channel.blocked':
      return { kind: 'skipped', reason: 'blocked', note };
    case 'channel.opted_out':
      return { kind: 'skipped', reason: 'opted_out', note };
    case 'channel.credentials':
    case 'channel.sender':
    case 'channel.daily_limit':
      return { kind: 'stop', code, note };
    case 'channel.template':
      if (scope !== 'message' && !templateIsUsable) return { kind: 'stop', code, note };
      return { kind: 'failed', reason: code, note };
    case 'channel.ambiguous':
      return unclear(tries);
    case 'channel.rate_limited':
    case 'channel.unreachable':
    case 'store.unavailable':
    case 'archive.unavailable': {
      if (tries >= MOST_TRIES) return { kind: 'failed', reason: code, note };
      const isPair = scope === 'person';
      return { kind: 'again', waitMs: waitOf(tries, isPair), slow: !isPair, note, code };
    }
    default:
      return { kind: 'failed', reason: code, note };
  }
}

function unclear(tries: number): Outcome {
  const isLast = tries >= MOST_QUESTIONS;
  return { kind: 'unclear', waitMs: REPORT_WAIT_MS, isLast, note: NOBODY_CAN_TELL };
}

function waitOf(tries: number, isPair: boolean): number {
  const waitMs = isPair ? PAIR_WAIT_MS * 4 ** Math.min(tries - 1, 6) : FIRST_WAIT_MS * 2 ** Math.min(tries - 1, 10);
  return Math.min(LONGEST_WAIT_MS, waitMs);
}
