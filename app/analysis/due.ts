/** When something is due, from the words a person used for it. */
import type { Chrono, ParsedComponents } from 'chrono-node';

/** A day, and perhaps a time of it, by the clocks of the time zone that was asked for. */
export interface Due {
  /** `YYYY-MM-DD` */
  day: string;
  /** `HH:MM`; null when only the day was named. */
  time: string | null;
}

export interface DueQuestion {
  /** As the person wrote them: "next Tuesday", "in two weeks", "Friday 3pm"; may be an ISO date. */
  words: string;
  /** What the model makes of them, `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM` in the time zone, if it says. Checked, not believed. */
  date: string | null;
  /** When they were written, unix ms. */
  at: number;
  /** IANA name, e.g. `Europe/Madrid`. */
  timeZone: string;
  /** BCP 47 tag of the words. English is understood always: models translate. */
  language: string;
}

/**
 * Resolves words for a time against the moment they were written; null when they name none in the future (the same day counts).
 *
 * What the words say by the calendar is worth more than the model's arithmetic: models miscount weekdays. The model decides
 * where the words are ambiguous ("12/11"), only half understood ("pasado mañana" in an unknown language) or not at all. "Next
 * Tuesday" is the one in the week that begins next Monday, and a bare "Tuesday" the first to come.
 */
export async function resolveDue(question: DueQuestion): Promise<Due | null> {
  const { at, timeZone } = question;
  const first = dueOf(at, timeZone).day;
  const last = dueOf(at + FARTHEST_MS, timeZone).day;
  const isAhead = ({ day }: Due) => day >= first && day <= last;
  const readings = (await read(question)).filter(({ due }) => isAhead(due));
  const modelDue = dueFromIso(question.date ?? '');
  const model = modelDue && isAhead(modelDue) ? modelDue : null;
  const sure = readings.filter((reading) => reading.whole);
  const agreed = sure.find(({ due }) => due.day === model?.day);
  return agreed?.due ?? sure[0]?.due ?? model ?? readings[0]?.due ?? null;
}

/** Nobody plans farther ahead in a chat; a date beyond it is a misreading. */
const FARTHEST_MS = 3 * 366 * 86_400_000;

/** Expressions that the parser does not know, written in ones that it knows. */
const REWORDED: [RegExp, string][] = [
  [/\b(?:the )?day after tomorrow\b/gi, 'in 2 days'],
  [/\b(?:asap|as soon as possible|right away|immediately|urgently)\b/gi, 'today'],
  [/\b(?:by )?(?:the )?(?:end of (?:the )?(?:business )?day|eod|cob)\b/gi, 'today'],
  [/\b(?:by )?(?:the )?(?:end of (?:the |this )?week|eow)\b|\bthis week\b/gi, 'Friday'],
  [/\ba fortnight\b/gi, '2 weeks'],
  [/\bpasado mañana\b/gi, 'en 2 días'],
  [/\bdepois de amanhã\b/gi, 'em 2 dias'],
  [/\baprès-demain\b/gi, 'dans 2 jours'],
  [/\bdopodomani\b/gi, 'tra 2 giorni'],
];

/** Words around a time that change nothing: when only these are left over, the whole was understood. */
const FILLERS =
  /\b(?:on|by|at|before|until|till|from|for|the|this|coming|around|about|please|no later than|latest|el|la|los|para|antes|del?|este|esta|que viene|a las?|am|um|bis|zum|den|diesen|kommenden|le|ce|avant|pour|prochaine?|il|entro|per|o|na|no|até|às|today)\b/giu;

interface Reading {
  due: Due;
  /** All of the words were understood, not only some of them. */
  whole: boolean;
}

async function read({ words, at, timeZone, language }: DueQuestion): Promise<Reading[]> {
  const iso = dueFromIso(words.trim());
  if (iso) return [{ due: iso, whole: true }];
  const text = REWORDED.reduce((reworded, [pattern, known]) => reworded.replace(pattern, known), words);
  const reference = { instant: new Date(at), timezone: offsetMinutes(at, timeZone) };
  return (await parsers(language)).flatMap((parser) => {
    const [result] = parser.parse(text, reference, { forwardDate: true });
    if (!result) return [];
    const rest = (text.slice(0, result.index) + text.slice(result.index + result.text.length)).replace(FILLERS, '');
    return { due: dueFrom(result.start, timeZone), whole: !/[\p{L}\p{N}]/u.test(rest) };
  });
}

/** English is tried last, both ways of writing 12/11 in it. Loaded when the first task needs them: 0.2 s and 20 MB. */
async function parsers(language: string): Promise<Chrono[]> {
  const { en, es, de, fr, pt, it, nl, ru, uk, sv, fi, ja, zh, vi, id, ar } = await import('chrono-node');
  const english = /^en-(?:GB|IE|AU|NZ|ZA|IN)\b/i.test(language) ? [en.GB, en.casual] : [en.casual, en.GB];
  const others = new Map(
    Object.entries({ es, de, fr, pt, it, nl, ru, uk, sv, fi, ja, zh, vi, id, ar }).map(([tag, locale]) => [
      tag,
      locale.casual,
    ]),
  );
  const own = others.get(language.slice(0, 2).toLowerCase());
  return own ? [own, ...english] : english;
}

function dueFrom(parsed: ParsedComponents, timeZone: string): Due {
  const day = isoDay(parsed.get('year') ?? 0, parsed.get('month') ?? 0, parsed.get('day') ?? 0);
  if (!parsed.isCertain('hour')) return { day, time: null };
  // They named a zone ("3pm PST") or a span ("in 2 hours"): an instant, seen from here.
  if (parsed.isCertain('timezoneOffset')) return dueOf(parsed.date().getTime(), timeZone);
  return { day, time: `${twoDigits(parsed.get('hour') ?? 0)}:${twoDigits(parsed.get('minute') ?? 0)}` };
}

/** `2026-12-01`, also with a time (`T09:30`, seconds and offset are left out); null for all else and for 31 February. */
function dueFromIso(text: string): Due | null {
  const match = /^(\d{4})-(\d\d)-(\d\d)(?:[T ]([01]\d|2[0-3]):([0-5]\d)\S*)?$/.exec(text);
  if (!match) return null;
  const [, year, month, date, hour, minute] = match;
  const day = `${year}-${month}-${date}`;
  const real = new Date(Date.UTC(Number(year), Number(month) - 1, Number(date))).toISOString().startsWith(day);
  return real ? { day, time: hour === undefined ? null : `${hour}:${minute}` } : null;
}

/** What the clocks of the zone show at that moment, unix ms. */
function dueOf(at: number, timeZone: string): Due {
  const local = new Date(at + offsetMinutes(at, timeZone) * 60_000).toISOString();
  return { day: local.slice(0, 10), time: local.slice(11, 16) };
}

/** How far the zone's clocks are ahead of UTC at that moment, minutes. */
function offsetMinutes(at: number, timeZone: string): number {
  const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
  const name = format.formatToParts(at).find(({ type }) => type === 'timeZoneName')?.value ?? '';
  const match = /([+-])(\d\d):(\d\d)/.exec(name); // `GMT+01:00`, and plain `GMT` for none
  if (!match) return 0;
  return (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]));
}

function isoDay(year: number, month: number, day: number): string {
  return `${String(year).padStart(4, '0')}-${twoDigits(month)}-${twoDigits(day)}`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}
