/** Meta's WhatsApp Cloud API as a `Channel`. https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { isNumber } from '../../contacts/addresses.ts';
import { Failure } from '../../errors.ts';
import type { Downloader } from '../../media/download.ts';
import type { Extra, TemplateMessage } from '../../message.ts';
import type { Log } from '../../ops/logger.ts';
import type { Scrubbed } from '../../privacy/scrub.ts';
import type { ChannelBasics, PartOf, Recipient, Reporting, SentTemplate, Template, ThreadAction } from '../channel.ts';
import { explainMetaCode } from './explain.ts';
import { extraBody } from './extras.ts';
import { unreadableAnswer } from './failure.ts';
import type { Graph } from './graph.ts';
import { createMetaDownload } from './media.ts';
import type { Numbers } from './numbers.ts';
import { scopeOfMeta } from './scope.ts';
import { META, nameOfPart } from './status.ts';
import { listTemplates, templateBody } from './templates.ts';

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
  /** Meta's id of our business account, which has the templates; undefined when it was not given. */
  accountId?: string | undefined;
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

/** The answer to a message, without what is not known: programs get it as it is. */
const Sent = z.object({
  messaging_product: z.string().optional().catch(undefined),
  contacts: z
    .array(z.object({ input: z.string().optional(), wa_id: z.string().optional(), user_id: z.string().optional() }))
    .optional()
    .catch(undefined),
  messages: z
    .tuple([z.object({ id: z.string().min(1), message_status: z.string().optional() })])
    .rest(z.object({ id: z.string() })),
});

export function createMetaChannel(options: MetaChannelOptions): ChannelBasics & Reporting {
  const { graph, numbers, accountId, reports, accessToken, apiBase, downloader, now, log } = options;
  const { reportMs = REPORT_MS } = options;
  return {
    name: META,
    limits: { textLength: LONGEST_TEXT },
    send,
    extras: ['file', 'choices'],
    sendWith,
    sendTemplate,
    templatesBy: 'name',
    senders: (signal) => numbers.all(signal),
    templates,
    sentAs,
    typing,
    controlThread,
    ping,
    explain: explainMetaCode,
    scopeOf: scopeOfMeta,
    download: createMetaDownload({ graph, accessToken, apiBase, downloader }),
  };

  async function send(to: Recipient, text: Scrubbed, partOf: PartOf, signal?: AbortSignal): Promise<string> {
    const message = { type: 'text', text: { body: text, preview_url: false } };
    return (await take(to, message, partOf, signal)).messages[0].id;
  }

  async function sendWith(to: Recipient, text: Scrubbed, extra: Extra, partOf: PartOf, signal?: AbortSignal) {
    return (await take(to, extraBody(text, extra), partOf, signal)).messages[0].id;
  }

  async function sendTemplate(
    to: Recipient,
    message: TemplateMessage,
    partOf: PartOf,
    signal?: AbortSignal,
  ): Promise<SentTemplate> {
    const answer = await take(to, templateBody(message), partOf, signal);
    return { sid: answer.messages[0].id, answer };
  }

  /** One message, under a name of ours. */
  async function take(to: Recipient, message: object, partOf: PartOf, signal?: AbortSignal) {
    const name = { biz_opaque_callback_data: nameOfPart(partOf) };
    await reports.trying(partOf, now());
    const body = { recipient_type: 'individual', ...addressee(to), ...message, ...name };
    const answer = Sent.safeParse(await post(to, body, false, signal)).data;
    if (answer === undefined) throw unreadableAnswer();
    log.debug('Meta took a message', { contact: to.address, replyId: partOf.replyId });
    return answer;
  }

  async function templates(signal?: AbortSignal): Promise<Template[]> {
    if (accountId === undefined)
      throw new Failure(
        'channel.template',
        'Set BUSINESS_ACCOUNT_ID to see the templates: it names our account at Meta.',
      );
    return listTemplates(graph, accountId, signal);
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
