/** Shows what scrubbing takes out of a text, and checks that every pattern still works. */
import { text as readAll } from 'node:stream/consumers';
import { findLeaks, LEAK_EXAMPLES, PLACEHOLDER, scrub } from '../app/privacy/scrub.ts';

const HELP = `Usage: npm run check-scrub -- [TEXT…]
Prints what is left of TEXT (or of standard input, when it is piped in) and what was found, then checks all patterns.
Exit code 0 when the patterns hold and the text had nothing to take out, 1 when something was taken out, 2 when a pattern fails.`;

const args = process.argv.slice(2);
if (args.includes('--help') || args.includes('-h')) {
  process.stdout.write(`${HELP}\n`);
  process.exit(0);
}
const given = args.length > 0 ? args.join(' ') : process.stdin.isTTY ? '' : await readAll(process.stdin);
const found = given === '' ? 0 : inspect(given);
const broken = selfCheck();
process.exit(broken > 0 ? 2 : found > 0 ? 1 : 0);

function inspect(given: string): number {
  const leaks = findLeaks(given);
  say(`left:  ${scrub(given)}`);
  const kinds = leaks.map(({ kind }) => kind);
  say(leaks.length === 0 ? 'found: nothing' : `found: ${leaks.length} (${[...new Set(kinds)].join(', ')})`);
  return leaks.length;
}

function selfCheck(): number {
  const failed = LEAK_EXAMPLES.filter(({ sample }) => scrub(sample) !== PLACEHOLDER || findLeaks(sample).length === 0);
  for (const { kind, name } of failed) say(`pattern fails: ${kind}, ${name}`);
  say(`patterns: ${LEAK_EXAMPLES.length - failed.length} of ${LEAK_EXAMPLES.length} hold`);
  return failed.length;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
