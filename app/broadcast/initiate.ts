/** A template to a few numbers at once, while the caller waits: each number gets its own result. */
import type { Permission } from '../archive/read/broadcasts.ts';
import { Failure, isFailure } from '../errors.ts';
import { type ContactId, conversationId, type TemplateMessage, type TemplateRef } from '../message.ts';
import { createGate } from '../ops/gate.ts';
import { newId } from '../ops/id.ts';
import type { Log } from '../ops/logger.ts';
import type { Senders } from '../outbound/senders.ts';
import type { SendTemplate } from '../outbound/template.ts';
import { scrub } from '../privacy/scrub.ts';
import { SKIPPED } from './plan.ts';
import { digitsOf, INVALID_NUMBER, type RecipientOfList, readRecipient } from './recipient.ts';
import { wordsOf } from './worker.ts';

export interface Initiated {
  total: number;
  successful: number;
  failed: number;
  results: InitiateResult[];
}

/** `response` is the provider's own answer. */
export type InitiateResult =
  | { number: string; success: true; response: unknown }
  | { number: string; success: false; error: string };

export interface InitiateAsked {
  numbers: readonly string[];
  /** Default: that of the settings. */
  template?: TemplateRef | undefined;
  variables: Readonly<Record<string, string>>;
}

/**
 * Rejects with `request.too_large` for more numbers than `MOST_NUMBERS`, with `channel.template` without a template. A number that is in the
 * list twice is written to once; both entries have its result.
 */
export type Initiate = (asked: InitiateAsked) => Promise<Initiated>;

export interface InitiateTools {
  sendTemplate: SendTemplate;
  senders: Senders;
  /** That of the settings; null when there is none. */
  template: TemplateRef | null;
  requiresOptIn: boolean;
  permissionsOf: (addresses: readonly ContactId[]) => Promise<Map<ContactId, Permission>>;
  explain: (channel: string, code: string) => string | null;
  log: Log;
}

export const MOST_NUMBERS = 100;
/** So many are written to at the same time. */
const AT_ONCE = 10;

export const NO_TEMPLATE =
  'There is no template. Set BULK_TEMPLATE to one (order_ready:en on Meta, HX… on Twilio), or name one as template.';

export function createInitiate(tools: InitiateTools): Initiate {
  const { sendTemplate, senders, requiresOptIn, permissionsOf, explain, log } = tools;
  return async function initiate({ numbers, template = tools.template ?? undefined, variables }) {
    if (numbers.length > MOST_NUMBERS) {
      const way = 'POST /api/broadcasts takes more of them, and sends in the background';
      throw new Failure('request.too_large', `At most ${MOST_NUMBERS} numbers at once: ${way}.`);
    }
    if (!template) throw new Failure('channel.template', NO_TEMPLATE);
    const sender = await senders.usual(template);
    const people = numbers.map((number) => ({ number: digitsOf(number), recipient: readRecipient(number) }));
    const distinct = new Map(people.flatMap(({ recipient }) => (recipient ? [[recipient.contact, recipient]] : [])));
    const agreed = requiresOptIn ? await permissionsOf(addressesOf([...distinct.values()])) : null;
    const gate = createGate(AT_ONCE);
    const message: TemplateMessage = {
      template,
      variables: Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, scrub(value)])),
    };
    const outcomes = new Map<ContactId, Promise<Outcome>>();
    for (const [contact, recipient] of distinct) outcomes.set(contact, sendTo(recipient));
    const results = await Promise.all(
      people.map(async ({ number, recipient }): Promise<InitiateResult> => {
        const outcome = recipient ? await outcomes.get(recipient.contact) : undefined;
        return { number, ...(outcome ?? { success: false, error: INVALID_NUMBER }) };
      }),
    );
    const successful = results.filter(({ success }) => success).length;
    return { total: results.length, successful, failed: results.length - successful, results };

    async function sendTo({ contact, address }: RecipientOfList): Promise<Outcome> {
      if (agreed && !(agreed.get(contact) ?? agreed.get(address))?.optedIn)
        return { success: false, error: SKIPPED.no_opt_in };
      const leave = await gate.enter(1);
      try {
        const sent = await sendTemplate(conversationId({ ...sender, contact }), message, { id: newId(), address });
        return { success: true, response: sent.answer ?? { id: sent.sid } };
      } catch (error) {
        if (!isFailure(error)) log.error('A template could not be sent', { contact, error });
        return { success: false, error: wordsOf(sender.channel, error, explain) };
      } finally {
        leave();
      }
    }
  };
}

type Outcome = { success: true; response: unknown } | { success: false; error: string };

function addressesOf(recipients: readonly RecipientOfList[]): ContactId[] {
  return [...new Set(recipients.flatMap(({ address, contact }) => [address, contact]))];
}
