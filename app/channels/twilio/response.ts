/** A webhook's response while it is open: one decision between TwiML, nothing and an error, made once. */
import type { ServerResponse } from 'node:http';
import type { Scrubbed } from '../../privacy/scrub.ts';
import type { OpenResponse } from '../channel.ts';
import { statusCallbackFor } from './status.ts';
import { EMPTY_TWIML, MOST_MESSAGES, messagesTwiml } from './twiml.ts';

export interface TwimlResponse extends OpenResponse {
  /** What to answer; the webhook waits for it. */
  readonly decided: Promise<{ status: number; body: string }>;
}

/**
 * @param res the raw response, to learn whether what was written left by an open socket
 * @param deadlineMs how long it stays open for an answer; 0 = it is late from the start
 * @param statusCallbackUrl where Twilio reports what became of the messages
 */
export function openTwimlResponse(
  res: ServerResponse,
  deadlineMs: number,
  statusCallbackUrl: string | undefined,
): TwimlResponse {
  let state: 'open' | 'claimed' | 'answered' = 'open';
  let overdue = deadlineMs === 0;
  let late: (() => void) | null = null;
  let decide: (answer: { status: number; body: string }) => void = () => {};
  const decided = new Promise<{ status: number; body: string }>((resolve) => {
    decide = resolve;
  });
  const timer = overdue ? undefined : setTimeout(onTooLate, deadlineMs);
  res.once('close', onTooLate);

  function answer(status: number, body: string): void {
    clearTimeout(timer);
    state = 'answered';
    decide({ status, body });
  }
  function endLate(): void {
    answer(200, EMPTY_TWIML);
    late?.();
    late = null;
  }
  function onTooLate(): void {
    overdue = true;
    if (state === 'open') endLate();
  }

  return {
    decided,
    claim(texts) {
      if ((overdue || texts > MOST_MESSAGES) && state === 'open') endLate();
      if (state !== 'open') return false;
      state = 'claimed';
      return true;
    },
    unclaim() {
      if (state !== 'claimed') return;
      state = 'open';
      if (overdue) endLate();
    },
    whenLate(callback) {
      late = callback;
      if (overdue && state === 'open') endLate();
    },
    async send(texts: Scrubbed[], replyId: string) {
      if (state !== 'claimed') return false;
      const flushed = whenFlushed(res);
      answer(
        200,
        messagesTwiml(texts, (part) => statusCallbackFor(statusCallbackUrl, { replyId, part })),
      );
      return flushed;
    },
    end() {
      if (state !== 'answered') answer(200, EMPTY_TWIML);
    },
    fail(status) {
      if (state !== 'answered') answer(status, EMPTY_TWIML);
    },
  };
}

/** True once all was handed to an open socket, false when the socket closed first. */
function whenFlushed(res: ServerResponse): Promise<boolean> {
  if (res.closed || res.destroyed) return Promise.resolve(false);
  return new Promise((resolve) => {
    res.once('finish', () => resolve(true));
    res.once('close', () => resolve(false));
  });
}
