/** Templates at Meta: as its list has them, and as a message names them. https://developers.facebook.com/docs/whatsapp/business-management-api/message-templates */
import { z } from 'zod';
import { Failure } from '../../errors.ts';
import type { TemplateMessage } from '../../message.ts';
import type { Scrubbed } from '../../privacy/scrub.ts';
import type { Template } from '../channel.ts';
import { clean, LONGEST_AD, LONGEST_TEXT, placesIn } from '../reading.ts';
import type { Graph } from './graph.ts';

const text = z.string().optional().catch(undefined);

const Component = z.object({
  type: z.string(),
  format: text,
  text,
  buttons: z
    .array(z.object({ type: text, text, url: text }))
    .optional()
    .catch(undefined),
});
type Component = z.output<typeof Component>;

const Row = z.object({
  name: z.string().min(1),
  language: z.string().min(1),
  status: text,
  category: text,
  rejected_reason: text,
  components: z.array(Component).catch([]),
});

const Page = z.object({
  data: z.array(z.unknown()),
  paging: z.object({ cursors: z.object({ after: z.string() }).optional(), next: z.string().optional() }).optional(),
});

/** Meta allows 6,000 templates in an account at most, and answers up to 250 of them at once. */
const PAGE = 250;
const MOST_PAGES = 24;

const FIELDS = 'name,language,status,category,rejected_reason,components';

export async function listTemplates(graph: Graph, accountId: string, signal?: AbortSignal): Promise<Template[]> {
  const found: Template[] = [];
  let after = '';
  for (let page = 0; page < MOST_PAGES; page++) {
    const query = new URLSearchParams({ fields: FIELDS, limit: String(PAGE), ...(after && { after }) });
    const read = Page.safeParse(await graph.get(`${accountId}/message_templates?${query}`, signal));
    if (!read.success)
      throw new Failure('channel.unreachable', 'Meta answered with something else than its templates.');
    const { data, paging } = read.data;
    found.push(...data.flatMap(readTemplate));
    if (!paging?.next || !paging.cursors) break;
    after = paging.cursors.after;
  }
  return found;
}

/** @returns none for a row that cannot be read */
function readTemplate(row: unknown): Template[] {
  const { success, data } = Row.safeParse(row);
  if (!success) return [];
  const { name, language, status = '', category = '', rejected_reason: reason, components } = data;
  const of = (type: string) => components.find((component) => component.type.toUpperCase() === type);
  const [header, body, footer] = [of('HEADER'), of('BODY'), of('FOOTER')];
  const buttons = of('BUTTONS')?.buttons ?? [];
  return [
    {
      ref: { name, language },
      name,
      language,
      category: category.toLowerCase(),
      state: STATES.get(status.toUpperCase()) ?? 'pending',
      ...(reason && reason !== 'NONE' && { reason: clean(reason, LONGEST_AD) }),
      ...(header && { header: headerOf(header) }),
      body: clean(body?.text, LONGEST_TEXT),
      ...(footer?.text && { footer: clean(footer.text, LONGEST_TEXT) }),
      buttons: buttons.map((button) => clean(button.text, LONGEST_AD)),
      variables: [
        ...(header ? variablesOfHeader(header) : []),
        ...placesIn(body?.text ?? ''),
        ...buttons.flatMap(({ type, url }, i) => variableOfButton(type, url, i)),
      ],
    },
  ];
}

const STATES: ReadonlyMap<string, Template['state']> = new Map([
  ['APPROVED', 'approved'],
  ['REJECTED', 'rejected'],
  ['PAUSED', 'paused'],
  ['DISABLED', 'disabled'],
  ['ARCHIVED', 'disabled'],
  ['DELETED', 'disabled'],
  ['PENDING_DELETION', 'disabled'],
  ['LIMIT_EXCEEDED', 'disabled'],
]);

/** A file stands for itself: `{{header.image}}`. */
function headerOf(header: Component): Scrubbed {
  const [file] = variablesOfFile(header);
  if (file) return clean(`{{${file}}}`, LONGEST_TEXT);
  // Header and body both count from 1.
  return clean(header.text?.replace(/\{\{\s*(\w+)\s*\}\}/g, '{{header.$1}}'), LONGEST_TEXT);
}

function variablesOfHeader(header: Component): string[] {
  return [...variablesOfFile(header), ...placesIn(header.text ?? '').map((name) => `header.${name}`)];
}

function variablesOfFile({ format }: Component): string[] {
  const kind = format?.toLowerCase() ?? '';
  return FILES.has(kind) ? [`header.${kind}`] : [];
}

const FILES: ReadonlySet<string> = new Set(['image', 'video', 'document']);

function variableOfButton(type: string | undefined, url: string | undefined, index: number): string[] {
  if (type?.toUpperCase() === 'COPY_CODE') return [`code.${index}`];
  return url?.includes('{{') ? [`button.${index}`] : [];
}

/** As a message names a template and fills it in. The names of the variables say where each of them stands, see `Template.variables`. */
export function templateBody({ template, variables }: TemplateMessage): object {
  if (!('name' in template))
    throw new Failure('channel.template', "Meta's templates have a name and a language, such as order_ready:en.");
  const { name, language } = template;
  const given = Object.entries(variables);
  const header = given.flatMap(([key, value]) => {
    const part = /^header\.(.+)$/.exec(key)?.[1];
    if (part === undefined) return [];
    return FILES.has(part) ? [{ type: part, [part]: { link: value } }] : [parameter(part, value)];
  });
  const body = given.filter(([key]) => !key.includes('.')).map(([key, value]) => parameter(key, value));
  const buttons = given.flatMap(([key, value]) => buttonIn(key, value));
  const components = [
    ...(header.length > 0 ? [{ type: 'header', parameters: header }] : []),
    ...(body.length > 0 ? [{ type: 'body', parameters: body }] : []),
    ...buttons,
  ];
  return {
    type: 'template',
    template: { name, language: { code: language }, ...(components.length > 0 && { components }) },
  };
}

/** Places that are counted stand in their order: names that are numbers are listed like that by themselves. */
function parameter(name: string, value: string): object {
  return { type: 'text', text: value, ...(/^\d+$/.test(name) ? {} : { parameter_name: name }) };
}

function buttonIn(key: string, value: string): object[] {
  const [, kind, index] = /^(button|code)\.(\d+)$/.exec(key) ?? [];
  if (index === undefined) return [];
  const isCode = kind === 'code';
  const parameters = [isCode ? { type: 'coupon_code', coupon_code: value } : { type: 'text', text: value }];
  return [{ type: 'button', sub_type: isCode ? 'copy_code' : 'url', index, parameters }];
}
