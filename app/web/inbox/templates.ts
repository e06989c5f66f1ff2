/** Templates on the page: their parts in words, and their texts filled in. */
import type { Template } from '../../inbox/contract.ts';

/** What stands for each variable, by its name. */
export type Values = ReadonlyMap<string, string>;

/** As much as the API takes for one variable. */
export const LONGEST_VALUE = 1_024;

export const STATES = {
  approved: { word: 'Approved', tone: 'good', why: '' },
  pending: { word: 'Not approved yet', tone: 'info', why: 'WhatsApp has not approved it yet.' },
  rejected: { word: 'Rejected', tone: 'bad', why: 'WhatsApp has not approved it.' },
  paused: { word: 'Paused', tone: 'warn', why: 'WhatsApp has paused it, because too many people did not like it.' },
  disabled: { word: 'Disabled', tone: 'plain', why: 'It can no longer be sent.' },
} as const satisfies Record<Template['state'], object>;

/** Why it cannot be sent, as a sentence; '' for one that can. A provider's reason may be a constant: `TAG_CONTENT_MISMATCH`. */
export function reasonOf({ state, reason }: Pick<Template, 'state' | 'reason'>): string {
  if (state === 'approved') return '';
  if (reason === null) return STATES[state].why;
  return /^[A-Z][A-Z_]+$/.test(reason) ? `${spoken(reason.toLowerCase())}.` : reason;
}

const FILES: ReadonlyMap<string, string> = new Map([
  ['header.image', 'picture'],
  ['header.video', 'video'],
  ['header.document', 'document'],
]);

/** The file that a header consists of: `picture`; null when it is a text, or there is none. */
export function fileOfHeader({ header }: Pick<Template, 'header'>): { variable: string; kind: string } | null {
  const variable = /^\{\{(header\.\w+)\}\}$/.exec(header ?? '')?.[1] ?? '';
  const kind = FILES.get(variable);
  return kind === undefined ? null : { variable, kind };
}

/** `1` is `Variable 1`, `first_name` is `First name`; those with a dot are explained at `Template.variables`. */
export function variableInWords(name: string): string {
  const file = FILES.get(name);
  if (file !== undefined) return `Address of the ${file}`;
  if (/^button\.\d+$/.test(name)) return "End of the button's address";
  if (/^code\.\d+$/.test(name)) return 'Code';
  if (/^\d+$/.test(name)) return `Variable ${name}`;
  return spoken(name.replaceAll('.', ' '));
}

/** The button that a variable belongs to; null for all others. */
export function buttonOf({ buttons }: Pick<Template, 'buttons'>, name: string): string | null {
  const index = /^(?:button|code)\.(\d+)$/.exec(name)?.[1];
  return (index !== undefined && buttons[Number(index)]) || null;
}

/** What is wrong with a value, as a sentence; null when it can be sent. */
export function problemOfValue(name: string, value: string): string | null {
  if (value.trim() === '') return 'Fill this in.';
  // https://developers.facebook.com/docs/whatsapp/message-templates/guidelines
  if (/[\n\t]| {5}/.test(value.trim())) return 'WhatsApp allows no tabs, and no more than four spaces in a row.';
  if (FILES.has(name) && !/^https?:\/\/[^\s/]+\.[^\s/]+\/\S/.test(value.trim()))
    return 'Write the whole address of the file, such as https://example.com/menu.jpg.';
  return null;
}

/** With the values in their places; where there is none yet, the place is named: `[First name]`. */
export function filledIn(text: string, values: Values): string {
  return text.replace(/\{\{\s*([\w.]+)\s*\}\}/g, (_, name: string) => {
    const value = values.get(name)?.trim() ?? '';
    return value === '' ? `[${variableInWords(name)}]` : value;
  });
}

/** Those that have all the words, the ones that can be sent first. */
export function found(templates: readonly Template[], search: string): Template[] {
  const words = search.toLowerCase().split(/\s+/);
  const has = (template: Template) => {
    const text = textOf(template);
    return words.every((word) => text.includes(word));
  };
  const rank = ({ state }: Template) => Number(state !== 'approved');
  return templates
    .filter(has)
    .sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name) || a.language.localeCompare(b.language));
}

function textOf({ name, language, category, header, body, footer, state }: Template): string {
  const texts = [name, spoken(name), language, languageInWords(language), category, STATES[state].word];
  return [...texts, header, body, footer].join('\n').toLowerCase();
}

/** What a message was made of: `order_ready (en)`. Null for one of Twilio's that is not in the list. */
export function templateInWords(id: string, listed: readonly Template[]): string | null {
  const [, name, language] = /^(.+):([^:]+)$/.exec(id) ?? [];
  if (name !== undefined && language !== undefined) return named(name, language);
  const known = listed.find((template) => template.id === id);
  return known ? named(known.name, known.language) : null;
}

function named(name: string, language: string): string {
  return language === '' ? name : `${name} (${language})`;
}

/** `pt_BR` is `Brazilian Portuguese`; what is no language stays as it is. */
export function languageInWords(language: string): string {
  if (language === '') return '';
  try {
    return LANGUAGES.of(language.replaceAll('_', '-')) ?? language;
  } catch {
    return language;
  }
}
const LANGUAGES = new Intl.DisplayNames(['en'], { type: 'language' });

/** `first_name` is `First name`. */
function spoken(name: string): string {
  const words = name.replaceAll('_', ' ').trim();
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/**
 * A number as people write it, as our addresses are: `+15550100188`. Null for what is no number with a country code: none begins with 0,
 * and none has more than 15 digits.
 */
export function numberIn(typed: string): string | null {
  if (!/^\+?[\d\s()./-]+$/.test(typed.trim())) return null;
  const digits = typed.replace(/\D/g, '').replace(/^00/, '');
  return /^[1-9]\d{6,14}$/.test(digits) ? `+${digits}` : null;
}
