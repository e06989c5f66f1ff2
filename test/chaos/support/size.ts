/** How much of everything: little in `npm test`, a lot in `npm run chaos`, which also wants to see that something happens. */
import type { TestContext } from 'node:test';

export const isLong = process.env.CHAOS === 'long';

/** How far the clocks of the processes are ahead of Redis' and Twilio's, ms, in turns. `npm run chaos -- --clocks 60` sets them apart. */
export const CLOCKS: readonly number[] = clocksOf(Number(process.env.CHAOS_CLOCKS_S ?? 0) * 1_000);

function clocksOf(aheadMs: number): number[] {
  return aheadMs === 0 ? [0] : [aheadMs, -aheadMs];
}

export function sized<Value>(short: Value, long: Value): Value {
  return isLong ? long : short;
}

/** Progress, in the long version. */
export function say(line: string): void {
  if (isLong) console.log(line);
}

/** What a test found out, for the reader of its output; `npm run chaos` makes a table of it. */
export function report(t: TestContext, figures: Record<string, number | string>): void {
  const words = Object.entries(figures).map(([name, value]) => `${name} ${value}`);
  t.diagnostic(`figures: ${words.join(', ')}`);
}
