/** What no model is shown: apologies, and what a model server refused. The reply that had to do without it names it. */
import type { Memory } from '../memory/mailbox.ts';
import type { Line } from '../message.ts';
import { scrub } from '../privacy/scrub.ts';

/** The lines that models may see: no apologies, and nothing that a model server refuses. */
export function shownLines(history: readonly Line[]): Line[] {
  const hidden = new Set(history.flatMap(({ hides }) => hides ?? []));
  return history.filter(({ id, apology }) => !apology && !hidden.has(id));
}

/** Summary and name as models may see them: '' and null when a model server refuses them. */
export function shownFacts({ summary, version, profileName, history }: Memory): Facts {
  const isHidden = (id: string) => history.some(({ hides }) => hides?.includes(id));
  return {
    summary: isHidden(summaryId(version)) ? NO_FACTS.summary : summary,
    profileName: isHidden(NAME_ID) ? null : profileName,
  };
}

export type Facts = Pick<Memory, 'summary' | 'profileName'>;

export const NO_FACTS: Facts = { summary: scrub(''), profileName: null };
/** What stands for the name and the summary among the ids of lines that are hidden. */
const NAME_ID = 'profile-name';
const summaryId = (version: string) => `summary:${version}`;

/**
 * What is to be hidden after the server refused the prompt and answered to what is new alone. First what it had not taken before,
 * which are the last answer and what came after it. When the turn before had to be answered in that way, too, that did not help: then all lines.
 * When the one before that had to be, too, the lines were not it, or not alone: then the summary and the name.
 */
export function suspectsIn(memory: Pick<Memory, 'history' | 'version'>): string[] {
  const shown = shownLines(memory.history);
  const answers = memory.history.filter(({ role, desk, apology }) => role === 'assistant' && !desk && !apology);
  const inARow = answers.length - 1 - answers.findLastIndex(({ hides }) => hides === undefined);
  const last = shown.findLastIndex(({ role, desk }) => role === 'assistant' && !desk);
  const old = inARow === 0 ? shown.slice(Math.max(last, 0)) : shown;
  const lines = old.map(({ id }) => id);
  return inARow < 2 ? lines : [...lines, summaryId(memory.version), NAME_ID];
}
