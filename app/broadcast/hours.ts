/** Times of day by the clocks of the operator: quiet hours, and when a broadcast begins. */

export interface QuietHours {
  /** Minutes since midnight. `from` may be after `to`: then they go over midnight. */
  from: number;
  to: number;
}

const MINUTE_MS = 60_000;
const DAY_MINUTES = 24 * 60;
const DAY_MS = DAY_MINUTES * MINUTE_MS;

/** `21:00-08:00`; null when it is none. */
export function readQuietHours(given: string): QuietHours | null {
  const [, from, to] = /^\s*(\d{1,2}:\d{2})\s*-\s*(\d{1,2}:\d{2})\s*$/.exec(given) ?? [];
  const [start, end] = [minutesOf(from ?? ''), minutesOf(to ?? '')];
  return start === null || end === null || start === end ? null : { from: start, to: end };
}

/** The way back. */
export function writeQuietHours({ from, to }: QuietHours): string {
  return `${clockOf(from)}-${clockOf(to)}`;
}

function clockOf(minutes: number): string {
  return [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0')).join(':');
}

function minutesOf(clock: string): number | null {
  const [hours = Number.NaN, minutes = Number.NaN] = clock.split(':').map(Number);
  return hours < 24 && minutes < 60 ? hours * 60 + minutes : null;
}

/**
 * How long nothing is sent yet, ms; 0 = it is not quiet. A change to or from summer time in between makes it an hour wrong at most: it is
 * asked again after the wait.
 * @param at unix ms
 */
export function quietFor(hours: QuietHours | null, at: number, timeZone: string): number {
  if (!hours) return 0;
  const { from, to } = hours;
  const local = localOf(at, timeZone);
  const minute = local.getUTCHours() * 60 + local.getUTCMinutes();
  const isQuiet = from < to ? minute >= from && minute < to : minute >= from || minute < to;
  if (!isQuiet) return 0;
  const minutes = (to - minute + DAY_MINUTES) % DAY_MINUTES;
  return minutes * MINUTE_MS - (at % MINUTE_MS);
}

/**
 * `2026-12-01T09:00:00Z`, or `2026-12-01T09:00` by the clocks of the time zone. An hour that a change to summer time leaves out is taken as
 * the one after it.
 * @returns unix ms; null when it is no time
 */
export function readTime(given: string, timeZone: string): number | null {
  const [, day, time] = /^(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)$/.exec(given.trim()) ?? [];
  if (day === undefined) {
    const isExact = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})$/i.test(given.trim());
    const at = Date.parse(given.trim());
    return isExact && !Number.isNaN(at) ? at : null;
  }
  const asUtc = Date.parse(`${day}T${time}Z`);
  if (Number.isNaN(asUtc)) return null;
  // The clocks before a change that may be near, and after it.
  const before = asUtc - offsetOf(asUtc - DAY_MS, timeZone);
  const after = asUtc - offsetOf(asUtc + DAY_MS, timeZone);
  return [before, after].find((at) => at + offsetOf(at, timeZone) === asUtc) ?? before;
}

/** How far the clocks of a time zone are ahead of UTC, ms. */
function offsetOf(at: number, timeZone: string): number {
  return localOf(at, timeZone).getTime() - Math.floor(at / 1_000) * 1_000;
}

/** What the clocks of a time zone show, as if it were UTC; whole seconds. */
function localOf(at: number, timeZone: string): Date {
  const format =
    formats.get(timeZone) ?? new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium', timeZone });
  formats.set(timeZone, format);
  return new Date(`${format.format(at).replace(' ', 'T')}Z`);
}

const formats = new Map<string, Intl.DateTimeFormat>();
