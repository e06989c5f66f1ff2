/**
 * The answers of a WhatsApp Flow as lines that people and models can read. Which fields a form has is the business' own matter, and
 * Twilio passes it on as JSON, sometimes as JSON inside of JSON: so this reads any JSON.
 */

/** Deeper or longer is no form that a person filled in. */
const MOST_LEVELS = 6;
const MOST_ANSWERS = 100;

/**
 * @param json `{"flow_token":"x","screen_0_Your_name_1":"Ana","extras":["0_Breakfast"]}`
 * @returns `Your name: Ana` and `extras: Breakfast`, a line each; '' when there are no answers in it
 */
export function answersIn(json: string): string {
  const form = parsed(json);
  if (typeof form !== 'object') return '';
  const answers: string[] = [];
  collect('', form, 0, answers);
  return answers.join('\n');
}

function collect(name: string, value: unknown, level: number, answers: string[]): void {
  if (level > MOST_LEVELS || answers.length >= MOST_ANSWERS) return;
  if (Array.isArray(value)) {
    const words = value.map(wordOf);
    if (words.every((word) => word !== null)) answers.push(...lineOf(name, words.filter(Boolean).join(', ')));
    else for (const item of value) collect(name, item, level + 1, answers);
    return;
  }
  if (typeof value === 'object' && value !== null) {
    const inside = insideOf(value);
    const isEnvelope = Object.keys(inside).some((key) => CONTAINERS.has(key.toLowerCase()));
    for (const [key, item] of Object.entries(inside)) {
      const isOurs = OUR_OWN.has(key.toLowerCase()) || (isEnvelope && OF_ENVELOPES.has(key.toLowerCase()));
      if (!isOurs) collect(nameOf(key) ?? name, parsed(item), level + 1, answers);
    }
    return;
  }
  answers.push(...lineOf(name, wordOf(value) ?? ''));
}

/** Meta's envelope, if it is around the answers: https://developers.facebook.com/docs/whatsapp/flows/reference/responsemsgwebhook */
function insideOf(value: object): object {
  let inside = value;
  for (let level = 0; level < MOST_LEVELS; level++) {
    const [, packed] = Object.entries(inside).find(([key]) => key === 'nfm_reply' || key === 'response_json') ?? [];
    const next = parsed(packed);
    if (typeof next !== 'object' || next === null) break;
    inside = next;
  }
  return inside;
}

/** What the business or WhatsApp put in, not the person. */
const OUR_OWN = new Set(['flow_token', 'flow_id', 'wa_flow_response_params']);
/** Beside a container these are WhatsApp's; a form may ask for a room's type or a product's version, too. */
const OF_ENVELOPES = new Set(['type', 'version']);

/** A text that is JSON again was packed twice. */
function parsed(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{"]/.test(value)) return value;
  try {
    const inside: unknown = JSON.parse(value);
    return typeof inside === 'string' && inside !== value ? parsed(inside) : inside;
  } catch {
    return value;
  }
}

/** `screen_0_Your_name_1` → `Your name`, but `address_line_1` → `address line 1`; null for a container, whose name says nothing. */
function nameOf(key: string): string | null {
  if (CONTAINERS.has(key.toLowerCase())) return null;
  const name = key
    .replace(/^screen_\d+_(.*?)(?:_\d+)?$/i, '$1')
    .replace(/_/g, ' ')
    .trim();
  return name === '' ? key : name;
}

const CONTAINERS = new Set(['interactive', 'response', 'data', 'flow_data', 'payload']);

/** `0_Late_check-out` is how a Flow writes the first choice of a list, `2026_0815` is none. Null for what is no word. */
function wordOf(value: unknown): string | null {
  if (typeof value === 'string') {
    const [, choice] = /^\d{1,2}_(?=\S*\p{L})(\S+)$/u.exec(value.trim()) ?? [];
    return choice?.replaceAll('_', ' ') ?? value.trim();
  }
  if (typeof value === 'number') return String(value);
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  return value === null ? '' : null;
}

function lineOf(name: string, word: string): string[] {
  if (word === '') return [];
  return [name === '' ? word : `${name}: ${word}`];
}
