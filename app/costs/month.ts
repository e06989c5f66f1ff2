/** Names months as the operator's calendar has them: unix ms → `2026-11`. */
export type MonthOf = (at: number) => string;

const MINUTE_MS = 60_000;

/** @param timeZone an IANA name: where a month begins */
export function createMonthOf(timeZone: string): MonthOf {
  // Sweden writes days as ISO 8601 does.
  const format = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeZone });
  let known = { minute: Number.NaN, month: '' };
  return (at) => {
    // No month begins within a minute. Formatting takes longer than all else here.
    const minute = Math.floor(at / MINUTE_MS);
    if (minute !== known.minute) known = { minute, month: format.format(at).slice(0, 7) };
    return known.month;
  };
}
