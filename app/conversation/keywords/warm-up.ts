/** Patterns are compiled when they are first used, which takes some hundred milliseconds: better at the start than with the first message. */
import { answerIn } from './answers.ts';
import { commandIn } from './commands.ts';
import { consentWordIn } from './consent.ts';
import { asksForPerson } from './person.ts';

export function warmUpKeywords(): void {
  // Latin letters, and others: these have patterns of their own.
  for (const text of ['Hello', 'Здравствуйте']) {
    for (const look of [consentWordIn, asksForPerson, commandIn, answerIn]) look(text);
  }
}
