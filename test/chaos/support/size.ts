/** How much of everything: little in `npm test`, a lot in `npm run chaos`, which also wants to see that something happens. */
import type { TestContext } from 'node:test';

export const isLong = process.env.CHAOS === 'long';

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
