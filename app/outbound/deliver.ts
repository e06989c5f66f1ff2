/** Sends a recorded reply: in the open webhook's response, else by a call to the provider's API. The only way out. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { OpenResponse, Recipient } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import { Failure, type FailureCode, isFailure } from '../errors.ts';
import { conversationOf, type Line, type Reply } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import type { Scrubbed } from '../privacy/scrub.ts';
import { type Author, refusalOf, type Situation } from './permission.ts';

export type Delivered =
  /**
   * `sids` are the provider's ids of the parts, in order; none when they were the webhook's response. `answer` is what the provider said
   * when it took a template.
   */
  | { kind: 'sent'; sids: string[]; answer?: unknown }
  | { kind: 'failed'; code: FailureCode; reason: string; providerCode?: string | undefined };

export interface Delivery {
  reply: Reply;
  author: Author;
  situation: Situation;
  /** The situation by now, asked before anything is sent after a wait: meanwhile they may have opted out, or somebody taken over. */
  look: () => Promise<Situation>;
  /** The webhook that waits, when `reply.via` is 'response'. */
  response: OpenResponse | null;
  /** What was said before: other replies may have sent the same words. */
  history: readonly Line[];
  /** The turn's lease. None for what no turn sends. */
  lease?: DeliveryLease;
  log: Log;
}

/** The right to answer a contact, see `conversation/lease.ts`. */
export interface DeliveryLease {
  signal: AbortSignal;
  /** Rejects when the lease was lost. @returns true when that had to be asked: the process may have stood still */
  check(): Promise<boolean>;
}

/**
 * Sends nothing that `refusalOf` refuses. A response that closed before it was flushed may or may not have arrived: the provider's
 * list of messages is asked, and what is missing is sent by a call.
 * Never rejects for what the provider does, only when the lease is lost: then another turn delivers.
 */
export type Deliver = (delivery: Delivery) => Promise<Delivered>;

export interface DeliverOptions {
  channels: Channels;
  now: () => number;
  /** How long the provider may take until its list shows a message it has accepted, ms. */
  settleMs?: number;
  /** Waits before the 2nd, 3rd … try of one part, ms; as many tries as waits plus one. */
  retryWaitsMs?: number[];
}

/** What the provider took. */
interface TakenPart {
  sid: string;
  /** Of a template: what the provider said. */
  answer?: unknown;
}

/** A reply that was recorded this long before, ms, may have been sent at about the same time as this one: longer than all tries take. */
const TWIN_MS = 60_000;

export function createDeliver(options: DeliverOptions): Deliver {
  const { channels, now, settleMs = 2_000, retryWaitsMs = [500, 2_000, 8_000] } = options;
  return deliver;

  async function deliver(delivery: Delivery): Promise<Delivered> {
    const { reply, author, situation, lease } = delivery;
    const refusal = refusalOf(author, situation, now());
    if (refusal) return failed(delivery, refusal);
    try {
      if (await sentInResponse(delivery)) return { kind: 'sent', sids: [] };
      const sids: string[] = [];
      let answer: unknown;
      for (const text of reply.parts) {
        const sent = await sendOnce(delivery, text, sids);
        sids.push(sent.sid);
        answer = sent.answer;
      }
      return { kind: 'sent', sids, ...(answer !== undefined && { answer }) };
    } catch (error) {
      if (lease?.signal.aborted) throw error;
      const failure = isFailure(error) ? error : new Failure('channel.rejected', String(error), { cause: error });
      return failed(delivery, { code: failure.code, reason: failure.message }, failure);
    }
  }

  /** The webhook has waited for this reply, and does not any more. */
  function failed(
    { response, log }: Delivery,
    { code, reason }: { code: FailureCode; reason: string },
    error?: Failure,
  ): Delivered {
    response?.end();
    log.error('The answer was not delivered', { code, ...(error ? { error } : { reason }) });
    return { kind: 'failed', code, reason, ...(error?.providerCode && { providerCode: error.providerCode }) };
  }

  /** @returns false when the reply has to be sent by a call. */
  async function sentInResponse(delivery: Delivery): Promise<boolean> {
    const { reply, response, lease, log } = delivery;
    if (!response || reply.via !== 'response') return false;
    if (await lease?.check()) await lookAgain(delivery);
    if (await response.send(reply.parts, reply.id)) return true;
    log.warn('The webhook closed before the answer was written; sending it by a call');
    return false;
  }

  /** Sends one part so that it arrives once: whenever it may have been sent already, the provider is asked first. */
  async function sendOnce(delivery: Delivery, text: Scrubbed, sids: readonly string[]): Promise<TakenPart> {
    const { reply, author, lease, log } = delivery;
    let uncertain = reply.uncertain === true || reply.via === 'response';
    for (let tries = 0; ; tries++) {
      let isLooking = uncertain;
      try {
        if (uncertain) {
          const found = await findSent(delivery, text, sids);
          if (found) return { sid: found };
        }
        isLooking = false;
        const isLater = uncertain || tries > 0 || sids.length > 0 || author !== 'bot';
        if ((await lease?.check()) || isLater) await lookAgain(delivery);
        return await send(reply, text, sids.length);
      } catch (error) {
        const waitMs = retryWaitsMs[tries];
        // Whoever could not find out whether it was sent must not believe that it was not.
        if (isFailure(error) && isLooking && (!error.retryable || waitMs === undefined)) throw inDoubt(error);
        if (!isFailure(error) || !error.retryable || waitMs === undefined) throw error;
        uncertain ||= error.code === 'channel.ambiguous';
        log.warn('Sending failed; trying again', { code: error.code, waitMs, tries: tries + 1 });
        await sleep(waitMs);
      }
    }
  }

  async function send(reply: Reply, text: Scrubbed, part: number): Promise<TakenPart> {
    const channel = channels.of(conversationOf(reply.conversation).channel);
    const partOf = { replyId: reply.id, part };
    if (reply.extra && part === 0 && channel.sendWith)
      return { sid: await channel.sendWith(recipientOf(reply), text, reply.extra, partOf) };
    if (!reply.template) return { sid: await channel.send(recipientOf(reply), text, partOf) };
    if (!channel.sendTemplate) throw new Failure('channel.template', 'This channel has no templates.');
    return channel.sendTemplate(recipientOf(reply), reply.template, partOf);
  }

  async function lookAgain({ author, look }: Delivery): Promise<void> {
    const refusal = refusalOf(author, await look(), now());
    if (refusal) throw new Failure(refusal.code, refusal.reason);
  }

  /**
   * The id of a part that was sent already. A message with the same words from another reply, or from another part of this one, is
   * not taken for it: there must be more messages than those.
   */
  async function findSent(delivery: Delivery, text: Scrubbed, sids: readonly string[]): Promise<string | undefined> {
    const { reply, history } = delivery;
    const channel = channels.of(conversationOf(reply.conversation).channel);
    if ('sentAs' in channel) {
      const partOf = { replyId: reply.id, part: sids.length };
      return (await channel.sentAs(partOf, delivery.lease?.signal)) ?? undefined;
    }
    await sleep(settleMs);
    const twins = history.filter(
      ({ role, id, at, sent, text: said }) =>
        role === 'assistant' && id !== reply.id && at > reply.at - TWIN_MS && (sent ?? [said]).includes(text),
    );
    const since = Math.min(reply.at, ...twins.map(({ at }) => at));
    const words = reply.template?.body ?? text;
    const found = (await channel.findSent(recipientOf(reply), words, since)).filter((sid) => !sids.includes(sid));
    return found.length > twins.length ? found[0] : undefined;
  }
}

function inDoubt(cause: Failure): Failure {
  if (cause.code === 'channel.ambiguous') return cause;
  return new Failure('channel.ambiguous', `It may have been sent; nobody could find out: ${cause.message}`, { cause });
}

function recipientOf({ conversation, to }: Reply): Recipient {
  return { business: conversationOf(conversation).business, address: to };
}
