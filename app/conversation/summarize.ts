/** Folds the oldest half of a long history into the rolling summary, after the reply has gone out. */
import { type FailureCode, isFailure } from '../errors.ts';
import type { ChatModel, ModelMessage } from '../llm/model.ts';
import { countTokens, shortenToTokens } from '../llm/tokens.ts';
import type { Held } from '../memory/mailbox.ts';
import type { SummaryStore } from '../memory/summary.ts';
import type { ContactId, Line, SpentOn } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import { shownFacts, shownLines } from './hidden.ts';
import { SUMMARY_HEADING, summaryPrompt } from './prompts.ts';

/**
 * One model call per roll. When it fails, nothing is lost: the history stays as it is, and the next turn that finds it too long tries
 * again. When it fails because of what it was given, the next one folds half as much, out of shorter lines; after `MOST_TRIES` the oldest
 * exchange leaves the memory without being summarized, which is logged. Never rejects.
 */
export type Summarize = (after: AfterTurn, log: Log) => Promise<void>;

/** The turn that found the history too long. */
export type AfterTurn = Pick<Held, 'contact' | 'conversation' | 'turn'>;

export interface SummarizeOptions {
  model: ChatModel;
  store: SummaryStore;
  /** The longest summary, in tokens. */
  summaryTokens: number;
  /** The verbatim history that triggers a roll, in tokens; one roll folds at most this much. */
  historyTokens: number;
}

/** So many rolls may fail because of what they were given. */
const MOST_TRIES = 5;
/** A line in the request, at the first try; half of it at each further one. */
const LONGEST_LINE_TOKENS = 1_000;
/** Failures that another request may avoid. The others say nothing about what was asked. */
const ABOUT_THE_REQUEST: ReadonlySet<FailureCode> = new Set([
  'model.filtered',
  'model.request',
  'model.too_long',
  'model.empty',
]);

export function createSummarize({ model, store, summaryTokens, historyTokens }: SummarizeOptions): Summarize {
  return summarize;

  async function summarize({ contact, conversation, turn }: AfterTurn, log: Log): Promise<void> {
    try {
      const { summary: stored, version, history, failures } = await store.load(contact);
      const { summary } = shownFacts({ summary: stored, version, history, profileName: null });
      const covered = oldest(history, historyTokens, failures);
      if (covered.length === 0) return;
      const told = shownLines(history).filter((line) => covered.includes(line));
      const next = await newSummary({ contact, spentOn: { conversation, turn }, summary, told, failures }, log);
      const swapped = await store.swap(contact, version, next, covered);
      log.info(swapped ? 'History summarized' : 'Another process summarized the history first', {
        lines: covered.length,
      });
    } catch (error) {
      const isAboutIt = isFailure(error) && ABOUT_THE_REQUEST.has(error.code);
      log.warn('The history could not be summarized; the next turn tries again', { error });
      await store.giveUp(contact, isAboutIt).catch(() => {});
    }
  }

  async function newSummary({ contact, spentOn, summary, told, failures }: Fold, log: Log): Promise<Scrubbed> {
    if (failures >= MOST_TRIES) {
      log.error('The oldest lines of a history leave the memory without being summarized: no request worked', {
        lines: told.length,
        tries: failures,
      });
      return summary;
    }
    if (told.length === 0) return summary;
    const { text, usage } = await model.answer({
      // The old summary may be what is refused.
      messages: summaryRequest(failures === MOST_TRIES - 1 ? scrub('') : summary, told, summaryTokens, failures),
      maxTokens: summaryTokens,
      conversation: contact,
      spentOn,
      purpose: 'summary',
      log,
    });
    log.info('A summary was made', { lines: told.length, ...usage });
    return cutToTokens(text, summaryTokens);
  }
}

interface Fold {
  contact: ContactId;
  spentOn: SpentOn;
  summary: Scrubbed;
  /** The lines the model is told of. */
  told: readonly Line[];
  /** How many rolls in a row failed because of what they were given. */
  failures: number;
}

/**
 * Lines from the oldest on with half of the tokens or of the lines, whichever comes first, `most` tokens of them, halved again for each
 * failure; cut behind an answer where there is one, so that no question loses its own.
 */
function oldest(history: readonly Line[], most: number, failures: number): Line[] {
  const all = history.reduce((sum, line) => sum + line.tokens, 0);
  const share = 2 ** -Math.min(failures, MOST_TRIES);
  const half = { tokens: Math.min(most, all / 2) * share, lines: (history.length / 2) * share };
  let tokens = 0;
  let enough = 0;
  for (let i = 0; i < history.length - 1; i++) {
    tokens += history[i]?.tokens ?? 0;
    if (tokens < half.tokens && i + 1 < half.lines) continue;
    enough ||= i + 1;
    if (history[i]?.role === 'assistant') return history.slice(0, i + 1);
    if (tokens > 2 * most) break;
  }
  return history.slice(0, enough);
}

/** Not every server keeps to the limit it is given. */
function cutToTokens(text: Scrubbed, most: number): Scrubbed {
  const tokens = countTokens(text);
  return tokens <= most ? text : scrub(text.slice(0, Math.floor((text.length * most) / tokens)));
}

/** Who said what goes to the model as JSON: nobody can write a line that looks like another's. */
function summaryRequest(summary: Scrubbed, told: readonly Line[], maxTokens: number, failures: number): ModelMessage[] {
  const longest = LONGEST_LINE_TOKENS * 2 ** -failures;
  const lines = told.map(({ role, desk, text, notes }) => ({
    from: role === 'user' ? 'person' : desk ? 'team' : 'assistant',
    ...(notes ? { with: notes.map((note) => shortenToTokens(note, longest)) } : {}),
    said: shortenToTokens(text, longest),
  }));
  const material = { notes: summary || 'Nothing yet.', conversation: lines };
  return [
    { role: 'system', content: summaryPrompt(maxTokens) },
    { role: 'user', content: scrub(`${SUMMARY_HEADING}\n${JSON.stringify(material)}`) },
  ];
}
