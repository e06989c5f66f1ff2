/** The templates of our accounts: looked up, checked, filled in. */
import type { Template } from '../channels/channel.ts';
import type { Channels } from '../channels/channels.ts';
import { Failure } from '../errors.ts';
import { type ChannelName, type FilledTemplate, type TemplateMessage, templateName } from '../message.ts';
import { remember } from '../ops/remember.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';

export interface Templates {
  /**
   * Those of a channel, whatever their state, as they were at most five minutes ago. Rejects with `channel.…` when the provider does not say,
   * with `channel.template` for a channel that has none.
   */
  list(channel: ChannelName): Promise<Template[]>;
  /**
   * The template that a message names, looked up anew when it is not among those that are known; null where templates can be sent but
   * not looked up. Rejects with `channel.template` when there is none, it is not approved, or the variables do not fit.
   */
  check(channel: ChannelName, message: TemplateMessage): Promise<Template | null>;
}

/** How long a list is good for, ms. What Meta reports of a template meanwhile is told apart from it. */
const LIST_MS = 5 * 60_000;

/** Whoever names a template that is not known asks the provider again, but not more often than this, ms. */
const AGAIN_MS = 10_000;

export function createTemplates(channels: Channels): Templates {
  const lists = new Map<ChannelName, { usual: () => Promise<Template[]>; fresh: () => Promise<Template[]> }>();
  return { list: (channel) => listsOf(channel).usual(), check };

  function listsOf(name: ChannelName) {
    const known = lists.get(name);
    if (known) return known;
    const channel = channels.of(name);
    const ask = () =>
      channel.templates?.() ?? Promise.reject(new Failure('channel.template', 'This channel has no templates.'));
    const made = { usual: remember(ask, () => LIST_MS), fresh: remember(ask, () => AGAIN_MS) };
    lists.set(name, made);
    return made;
  }

  async function check(name: ChannelName, message: TemplateMessage): Promise<Template | null> {
    const lists = listsOf(name);
    const isNamed = ({ ref }: Template) => templateName(ref) === templateName(message.template);
    // An account that is not known has no list; what Meta says to the message is all there is then.
    const listed = await lists.usual().catch(nothingToLookUp);
    if (listed === null) return null;
    const found = listed.find(isNamed) ?? (await lists.fresh()).find(isNamed);
    if (!found) throw new Failure('channel.template', `There is no template ${templateName(message.template)}.`);
    const problem = problemOf(found, message);
    if (problem !== null) throw new Failure('channel.template', problem);
    return found;
  }
}

function nothingToLookUp(error: unknown): null {
  if (error instanceof Failure && error.code === 'channel.template') return null;
  throw error;
}

/** Why a template cannot be sent like this, in one sentence; null when it can. */
export function problemOf({ ref, state, variables }: Template, message: TemplateMessage): string | null {
  if (state !== 'approved') return `The template ${templateName(ref)} is ${state}: only an approved one can be sent.`;
  const given = Object.entries(message.variables);
  const missing = variables.filter((name) => (message.variables[name] ?? '').trim() === '');
  if (missing.length > 0) return `The template ${templateName(ref)} needs the ${named(missing)}.`;
  const unknown = given.map(([name]) => name).filter((name) => !variables.includes(name));
  if (unknown.length > 0) return `The template ${templateName(ref)} has no ${named(unknown)}.`;
  // https://developers.facebook.com/docs/whatsapp/message-templates/guidelines
  const odd = given.filter(([, value]) => /[\n\t]| {5}/.test(value)).map(([name]) => name);
  if (odd.length > 0) return `WhatsApp allows no line breaks, tabs or rows of spaces in the ${named(odd)}.`;
  return null;
}

function named(names: readonly string[]): string {
  return `${names.length === 1 ? 'variable' : 'variables'} ${names.join(', ')}`;
}

/** As it is sent. @param template null when it is not known */
export function filledTemplate(template: Template | null, message: TemplateMessage): FilledTemplate {
  const body = template ? filled(template.body, message) : textOfTemplate(template, message);
  return { ...message, body: scrub(body) };
}

function filled(text: string, { variables }: TemplateMessage): string {
  return text.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (place, name: string) => variables[name] ?? place);
}

/** All that the person reads. @param template null when it is not known: then its name and the values stand for it */
export function textOfTemplate(template: Template | null, message: TemplateMessage): Scrubbed {
  if (!template) {
    const values = Object.values(message.variables).join(', ');
    return scrub(`[${templateName(message.template)}] ${values}`.trimEnd());
  }
  const { header = '', body, footer = '' } = template;
  const texts = [header, body, footer].filter((text) => text !== '').map((text) => filled(text, message));
  const buttons = template.buttons.filter((title) => title !== '').map((title) => `[${title}]`);
  return scrub([...texts, ...(buttons.length > 0 ? [buttons.join(' ')] : [])].join('\n\n'));
}
