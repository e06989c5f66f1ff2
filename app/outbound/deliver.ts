/** Brings a recorded reply to the person: in the open webhook's response, else by the provider's API. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel, OpenResponse, Recipient } from '../channels/channel.ts';
import type { Lease } from '../conversation/lease.ts';
import { Failure, type FailureCode, isFailure } from '../errors.ts';
import type { Line, Reply } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import type { Scrubbed } from '../privacy/scrub.ts';
import { formatForWhatsApp } from './format.ts';
import { splitText } from './split.ts';

export type Delivered =
  /** `sids` are the provider's ids of the parts; none when it left as TwiML. */
  { kind: 'sent'; sids: string[] } | { kind: 'failed'; code: FailureCode; reason: string };

/**
 * Delivers a reply whose `via` was decided. A response that closed before the TwiML was flushed is a send that may or
 * may not have happened: the provider's list of messages is asked, and what is missing goes by REST.
 * Never rejects for what the provider does, only when the turn's lease is lost: then somebody else delivers.
 */
export type Deliver = (
  reply: Reply,
  to: Recipient,
  response: OpenResponse | null,
  log: Log,
  turn?: DeliveringTurn,
) => Promise<Delivered>;

/** The turn that delivers: it may lose the conversation on the way, and knows what was said before. */
export interface DeliveringTurn {
  lease: Lease;
  history: readonly Line[];
}

export interface DeliverOptions {
  channel: Channel;
  /** How long the provider may take until its list shows a message it has accepted. */
  settleMs?: number;
  /** Waits before the 2nd, 3rd … try of one part; as many tries as waits plus one. */
  retryWaitsMs?: number[];
}

export function createDeliver({
  channel,
  settleMs = 2_000,
  retryWaitsMs = [500, 2_000, 8_000],
}: DeliverOptions): Deliver {
  return async (reply, to, response, log, turn) => {
    const parts = partsOf(reply.text, reply.asWritten);
    try {
      if (response && reply.via === 'twiml') {
        await turn?.lease.check();
        if (await response.send(parts, reply.id)) return { kind: 'sent', sids: [] };
        log.warn('The webhook closed before the answer was written; it goes by REST');
      }
      const uncertain = reply.uncertain === true || reply.via === 'twiml';
      const sids: string[] = [];
      for (const part of parts) sids.push(await sendOnce({ part, reply, to, sids, turn }, uncertain, log));
      return { kind: 'sent', sids };
    } catch (error) {
      if (turn?.lease.signal.aborted) throw error;
      const failure = isFailure(error) ? error : new Failure('channel.rejected', String(error), { cause: error });
      log.error('The answer could not be delivered', { code: failure.code, error: failure });
      return { kind: 'failed', code: failure.code, reason: failure.message };
    }
  };

  function partsOf(text: Scrubbed, asWritten = false): Scrubbed[] {
    const parts = splitText(asWritten ? text : formatForWhatsApp(text), channel.limits.textLength);
    // Of `#` alone the formatting leaves nothing: then it goes out as it was written.
    return parts.length > 0 ? parts : [text];
  }

  /** Sends one part so that it arrives once: whenever it may have gone out already, the provider is asked first. */
  async function sendOnce(one: Part, uncertain: boolean, log: Log): Promise<string> {
    const { part, reply, to, turn } = one;
    for (let tries = 0; ; tries++) {
      try {
        if (uncertain) {
          await sleep(settleMs);
          const found = await findSent(one);
          if (found) return found;
        }
        await turn?.lease.check();
        return await channel.send(to, part, reply.id);
      } catch (error) {
        const waitMs = retryWaitsMs[tries];
        if (!isFailure(error) || !error.retryable || waitMs === undefined) throw error;
        uncertain ||= error.code === 'channel.ambiguous';
        log.warn('Sending did not work, trying again', { code: error.code, waitMs, tries: tries + 1 });
        await sleep(waitMs);
      }
    }
  }

  /**
   * The id of a part that went out already. What another reply, or another part of this one, said with the same words is
   * not taken for it: there must be more messages than those.
   */
  async function findSent({ part, reply, to, sids, turn }: Part): Promise<string | undefined> {
    const twins = (turn?.history ?? []).filter(
      ({ role, id, at, text, desk }) =>
        role === 'assistant' && id !== reply.id && at > reply.at - TWIN_MS && partsOf(text, desk).includes(part),
    );
    const since = Math.min(reply.at, ...twins.map(({ at }) => at));
    const found = (await channel.findSent(to, part, since)).filter((sid) => !sids.includes(sid));
    return found.length > twins.length ? found[0] : undefined;
  }
}

/** One part of a reply on its way, and the ids of those before it. */
interface Part {
  part: Scrubbed;
  reply: Reply;
  to: Recipient;
  sids: readonly string[];
  turn: DeliveringTurn | undefined;
}

/** A reply that was recorded this long before, ms, may have been sent at about the same time as this one: longer than all tries take. */
const TWIN_MS = 60_000;
