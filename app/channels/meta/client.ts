/** Meta's WhatsApp Cloud API as a `Channel`. https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isNumber } from '../../contacts/addresses.ts';
import { Failure } from '../../errors.ts';
import type { Downloader } from '../../media/download.ts';
import type { Log } from '../../ops/logger.ts';
import type { Scrubbed } from '../../privacy/scrub.ts';
import type { ChannelBasics, PartOf, Recipient, Reporting, ThreadAction } from '../channel.ts';
import { explainMetaCode } from './explain.ts';
import { unreadableAnswer } from './failure.ts';
import type { Graph } from './graph.ts';
import { createMetaDownload } from './media.ts';
import type { Numbers } from './numbers.ts';
import { META, nameOfPart } from './status.ts';

/** What is known of messages by the name that we gave them, see `memory/reports.ts`. Everything rejects with `store.unavailable`. */
export interface Reports {
  trying(partOf: PartOf, at: number): Promise<void>;
  /** `sid`: as Meta reported it, else null. `triedAt`: when somebody last tried to send it, unix ms; 0 = nobody did. */
  find(partOf: PartOf): Promise<{ sid: string | null; triedAt: number }>;
  /** When Meta last reported anything, unix ms; 0 = not for days. */
  lastAt(): Promise<number>;
}

export interface MetaChannelOptions {
  accessToken: string;
  apiBase: string;
  graph: Graph;
  numbers: Numbers;
  reports: Reports;
  downloader: Downloader;
  /** How long a report is waited for, ms. */
  reportMs?: number;
  /** Redis' time, unix ms. */
  now: () => number;
  log: Log;
}

/** https://developers.facebook.com/docs/whatsapp/cloud-api/messages/text-messages */
const LONGEST_TEXT = 4_096;
/** Reports come within a second or two. */
const REPORT_MS = 10_000;
const LOOK_MS = 500;
/** A report that could not be delivered comes again. When those of later messages have come so long after a try, ms, there was none of it. */
const SETTLED_MS = 60_000;

const Sent = z.object({ messages: z.tuple([z.object({ id: z.string().min(1) })]).rest(z.unknown()) });

export function createMetaChannel(options: MetaChannelOptions): ChannelBasics & Reporting {
  const { graph, numbers, reports, accessToken, apiBase, downloader, reportMs = REPORT_MS, now, log } = options;
  return {
    name: META,
    limits: { textLength: LONGEST_TEXT },
    send,
    sentAs,
    typing,
    controlThread,
    ping,
    explain: explainMetaCode,
    download: createMetaDownload({ graph, accessToken, apiBase, downloader }),
  };

  async function send(to: Recipient, text: Scrubbed, partOf: PartOf, signal?: AbortSignal): Promise<string> {
    const message = { type: 'text', text: { body: text, preview_url: false } };
    const name = { biz_opaque_callback_data: nameOfPart(partOf) };
    await reports.trying(partOf, now());
    const answer = await post(
      to,
      { recipient_type: 'individual', ...addressee(to), ...message, ...name },
      false,
      signal,
    );
    const id = Sent.safeParse(answer).data?.messages[0].id;
    if (id === undefined) throw unreadableAnswer();
    log.debug('Meta took a message', { contact: to.address, replyId: partOf.replyId });
    return id;
  }

  /** There is no list of messages to look into: the reports of a message name it. */
  async function sentAs(partOf: PartOf, signal?: AbortSignal): Promise<string | null> {
    for (const givenUpAt = performance.now() + reportMs; ; ) {
      if (signal?.aborted) throw new Failure('channel.unreachable', 'The wait for a report was cancelled.');
      const { sid, triedAt } = await reports.find(partOf);
      if (sid !== null) return sid;
      // No process had begun to send it, or its report would have come by now.
      if (triedAt === 0 || (await reports.lastAt()) > triedAt + SETTLED_MS) return null;
      if (performance.now() >= givenUpAt) break;
      await sleep(Math.min(LOOK_MS, reportMs));
    }
    throw new Failure(
      'channel.ambiguous',
      'Meta has not said yet whether a message was sent. Is the field messages subscribed? It brings the reports.',
    );
  }

  /** Also marks the message as read. Lasts 25 s at most. */
  async function typing(to: Recipient, messageId: string, signal?: AbortSignal): Promise<void> {
    await post(to, { status: 'read', message_id: messageId, typing_indicator: { type: 'text' } }, true, signal);
  }

  /** Made twice it does no harm. A release is told to nobody, and no call says who owns a thread. */
  async function controlThread(to: Recipient, action: ThreadAction, signal?: AbortSignal): Promise<void> {
    const from = await numbers.idOf(to.business, signal);
    await graph.post(
      `${from}/thread_control`,
      { messaging_product: 'whatsapp', ...addressee(to), action },
      true,
      signal,
    );
  }

  async function ping(signal?: AbortSignal): Promise<void> {
    await graph.get(`${await numbers.idOf('', signal)}?fields=id`, signal);
  }

  async function post(to: Recipient, body: object, repeatable: boolean, signal?: AbortSignal): Promise<unknown> {
    const from = await numbers.idOf(to.business, signal);
    return graph.post(`${from}/messages`, { messaging_product: 'whatsapp', ...body }, repeatable, signal);
  }
}

/** A person without a number is addressed by their user id. */
function addressee({ address }: Recipient): { to: string } | { recipient: string } {
  return isNumber(address) ? { to: address } : { recipient: address };
}
