/** Templates at Twilio, which calls them Content: https://www.twilio.com/docs/content/content-and-approvals-fetch-resource */
import { z } from 'zod';
import { Failure } from '../../errors.ts';
import type { TemplateMessage } from '../../message.ts';
import type { Template } from '../channel.ts';
import { clean, LONGEST_AD, LONGEST_TEXT, placesIn } from '../reading.ts';

const text = z.string().nullish().catch(undefined);

/** The types of Content have these in common, as far as a person reads them. https://www.twilio.com/docs/content/content-types-overview */
const Content = z.object({
  body: text,
  title: text,
  subtitle: text,
  header_text: text,
  footer: text,
  media: z
    .union([z.string(), z.array(z.string())])
    .nullish()
    .catch(undefined),
  actions: z
    .array(z.object({ title: text, url: text }))
    .nullish()
    .catch(undefined),
});
type Content = z.output<typeof Content>;

const Row = z.object({
  sid: z.string().regex(/^HX[0-9a-fA-F]{32}$/),
  friendlyName: text,
  language: text,
  variables: z.record(z.string(), z.unknown()).nullish().catch(undefined),
  types: z.record(z.string(), z.unknown()).catch({}),
  approvalRequests: z
    .object({ name: text, category: text, status: text, rejection_reason: text })
    .nullish()
    .catch(undefined),
});

/** @param row as the SDK has it  @returns none for one that cannot be read, or was never meant for WhatsApp */
export function readContent(row: unknown): Template[] {
  const { success, data } = Row.safeParse(row);
  if (!success) return [];
  const { sid, friendlyName, language, variables, types, approvalRequests: approval } = data;
  const content = Object.values(types).map((type) => Content.safeParse(type).data)[0];
  if (!content) return [];
  const reason = approval?.rejection_reason;
  const header = headerOf(content);
  const places = placesIn(everyText(content).join('\n'));
  return [
    {
      ref: { contentSid: sid },
      name: friendlyName || approval?.name || sid,
      language: language ?? '',
      category: approval?.category?.toLowerCase() ?? '',
      state: STATES.get(approval?.status?.toLowerCase() ?? '') ?? 'pending',
      ...(reason && { reason: clean(reason, LONGEST_AD) }),
      ...(header && { header: clean(header, LONGEST_TEXT) }),
      body: clean(content.body ?? content.title, LONGEST_TEXT),
      ...(content.footer && { footer: clean(content.footer, LONGEST_TEXT) }),
      buttons: (content.actions ?? []).map(({ title }) => clean(title, LONGEST_AD)),
      // Twilio names them itself; where it does not, they are what stands in the texts.
      variables: [...new Set([...places, ...Object.keys(variables ?? {})])],
    },
  ];
}

/** `unsubmitted` ones, those that WhatsApp looks at, and what is not known: not approved yet. */
const STATES: ReadonlyMap<string, Template['state']> = new Map([
  ['approved', 'approved'],
  ['rejected', 'rejected'],
  ['paused', 'paused'],
  ['disabled', 'disabled'],
]);

function headerOf({ header_text: header, title, body }: Content): string | null | undefined {
  return header ?? (body ? title : undefined);
}

function everyText({ header_text, title, subtitle, body, footer, media, actions }: Content): string[] {
  const files = typeof media === 'string' ? [media] : (media ?? []);
  const buttons = (actions ?? []).flatMap((action) => [action.title, action.url]);
  return [header_text, title, subtitle, body, footer, ...files, ...buttons].filter((one) => typeof one === 'string');
}

/** What a message has instead of a body. */
export function contentOf({ template, variables }: TemplateMessage): { contentSid: string; contentVariables?: string } {
  if (!('contentSid' in template))
    throw new Failure('channel.template', "Twilio's templates have an id of the Content API, HX and 32 digits.");
  const { contentSid } = template;
  return Object.keys(variables).length === 0
    ? { contentSid }
    : { contentSid, contentVariables: JSON.stringify(variables) };
}
