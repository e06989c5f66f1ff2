/** What a batch consists of, in our words. */
import type { DeliveryStatus, Echo, InboundMessage, Report } from '../../message.ts';
import { scrub } from '../../privacy/scrub.ts';

export type Inbound =
  | { kind: 'message'; message: InboundMessage }
  | { kind: 'status'; status: DeliveryStatus }
  | { kind: 'echo'; echo: Echo }
  | { kind: 'report'; report: Report }
  /** Nothing to keep. `reason` is for the operator and holds nothing of what was sent. */
  | { kind: 'ignored'; reason: string };

/** Which number of ours a change is about, and what it says of the thread. */
export interface Place {
  business: string;
  /** Who owns the thread that it came from; null when the field does not say. Another's is kept and shown, and never answered. */
  owner: 'us' | 'other' | null;
}

/** The request that brought it. */
export interface Request {
  /** When something was received, unix ms: each after the one before it. */
  next: () => number;
  requestId: string;
}

export function ignored(reason: string): Inbound {
  return { kind: 'ignored', reason: String(scrub(reason)) };
}

/** Whatever is wrong with one event takes no other with it. */
export function safely(read: () => Inbound | Inbound[]): Inbound[] {
  try {
    return [read()].flat();
  } catch (error) {
    return [ignored(`It cannot be read: ${error instanceof Error ? error.name : 'unknown'}.`)];
  }
}

/** Meta's words for kinds and fields. */
export function isWord(kind: string | undefined): kind is string {
  return kind !== undefined && /^[a-z0-9_-]{1,40}$/.test(kind);
}

export function digitsOf(number: string | undefined): string | undefined {
  const digits = number?.replace(/[\s()+.-]/g, '');
  return digits && /^\d+$/.test(digits) ? digits : undefined;
}

/** Meta's stamps are whole seconds, as text. @returns unix ms; undefined for what is none */
export function secondsIn(timestamp: string | undefined): number | undefined {
  return /^\d{9,11}$/.test(timestamp ?? '') ? Number(timestamp) * 1_000 : undefined;
}

/** A message is always some seconds on its way, and clocks differ. */
const DELAY_MS = 60_000;
/** Meta tries for seven days. What says that it is older was not sent by Meta just now: it is an example, or a recording. */
const LONGEST_DELAY_MS = 8 * 86_400_000;

/** When it was sent, if that is some time ago: a message that Meta could not bring us for hours does not open the 24 hours anew. */
export function sentAtIn(timestamp: string | undefined, receivedAt: number): { sentAt?: number } {
  const at = secondsIn(timestamp) ?? receivedAt;
  return at < receivedAt - DELAY_MS && at > receivedAt - LONGEST_DELAY_MS ? { sentAt: at } : {};
}

/** By which an event takes its place among others, unix ms: its own stamp, unless that cannot be true. */
export function stampIn(timestamp: string | undefined, receivedAt: number): number {
  const at = secondsIn(timestamp) ?? receivedAt;
  return at > receivedAt - LONGEST_DELAY_MS ? Math.min(at, receivedAt) : receivedAt;
}
