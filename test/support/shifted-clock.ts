/** Imported before a program (`--import`): its machine's clock is ahead by CLOCK_AHEAD_MS, or behind when that is negative. */

const aheadMs = Number(process.env.CLOCK_AHEAD_MS ?? 0);

globalThis.Date = new Proxy(Date, {
  construct: (date, parts, called) =>
    Reflect.construct(date, parts.length === 0 ? [date.now() + aheadMs] : parts, called),
  apply: (date) => new date(date.now() + aheadMs).toString(),
  get: (date, name) => (name === 'now' ? () => date.now() + aheadMs : Reflect.get(date, name)),
});
