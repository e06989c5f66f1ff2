/** Folds the oldest half of a long history into the rolling summary, after the reply has gone out. */
import type { ChatModel, ModelMessage } from '../llm/model.ts';
import { countTokens } from '../llm/tokens.ts';
import type { SummaryStore } from '../memory/summary.ts';
import type { ContactId, Line } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import { SUMMARY_HEADING, summaryPrompt } from './prompts.ts';

/**
 * One model call per roll. When anything fails, nothing is lost: the history stays as it is, and the next turn that
 * finds it too long tries again. Never rejects.
 */
export type Summarize = (contact: ContactId, log: Log) => Promise<void>;

export interface SummarizeOptions {
  model: ChatModel;
  store: SummaryStore;
  /** The longest summary, in tokens. */
  summaryTokens: number;
  /** The verbatim history that triggers a roll, in tokens; one roll folds at most this much. */
  historyTokens: number;
}

export function createSummarize({ model, store, summaryTokens, historyTokens }: SummarizeOptions): Summarize {
  return async function summarize(contact, log) {
    try {
      const { summary, version, history } = await store.load(contact);
      const covered = oldest(history, historyTokens);
      if (covered.length === 0) return;
      const answer = await model.answer({
        messages: summaryRequest(summary, covered, summaryTokens),
        maxTokens: summaryTokens,
        conversation: contact,
        purpose: 'summary',
        log,
      });
      const swapped = await store.swap(contact, version, cutToTokens(answer.text, summaryTokens), covered);
      log.info(swapped ? 'History summarized' : 'Another process summarized the history first', {
        lines: covered.length,
        ...answer.usage,
      });
    } catch (error) {
      log.warn('The history could not be summarized; the next turn tries again', { error });
      await store.giveUp(contact).catch(() => {});
    }
  };
}

/** Lines from the oldest on with half of the tokens, `most` of them, cut behind an answer so that no question loses its own. */
function oldest(history: readonly Line[], most: number): Line[] {
  const half = Math.min(most, history.reduce((sum, line) => sum + line.tokens, 0) / 2);
  let tokens = 0;
  for (let i = 0; i < history.length - 1; i++) {
    tokens += history[i]?.tokens ?? 0;
    if (tokens >= half && history[i]?.role === 'assistant') return history.slice(0, i + 1);
  }
  return [];
}

/** Not every server keeps to the limit it is given. */
function cutToTokens(text: Scrubbed, most: number): Scrubbed {
  const tokens = countTokens(text);
  return tokens <= most ? text : scrub(text.slice(0, Math.floor((text.length * most) / tokens)));
}

function summaryRequest(summary: Scrubbed, covered: readonly Line[], maxTokens: number): ModelMessage[] {
  const spoken = covered
    .filter((line) => !line.apology)
    .map((line) => `${line.role === 'user' ? 'Person' : 'Assistant'}: ${line.text}`);
  const notes = `${SUMMARY_HEADING}\n${summary || 'Nothing yet.'}`;
  return [
    { role: 'system', content: summaryPrompt(maxTokens) },
    { role: 'user', content: scrub(`${notes}\n\nThe conversation that follows it:\n${spoken.join('\n')}`) },
  ];
}
