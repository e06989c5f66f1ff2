/** Writes the summary for whoever picks up a conversation that waits for a person. */
import { encodeEvent } from '../events.ts';
import type { ChatModel } from '../llm/model.ts';
import { shortenToTokens } from '../llm/tokens.ts';
import type { Publish } from '../memory/publish.ts';
import type { SummaryStore } from '../memory/summary.ts';
import type { Log } from '../ops/logger.ts';
import { scrub } from '../privacy/scrub.ts';
import { shownFacts, shownLines } from './hidden.ts';
import { briefPrompt, SUMMARY_HEADING } from './prompts.ts';
import type { AfterTurn } from './summarize.ts';

/** One model call; without an answer the team reads the conversation itself. Never rejects. @param after the turn that called the person */
export type Brief = (after: AfterTurn, log: Log) => Promise<void>;

export interface BriefOptions {
  model: ChatModel;
  store: Pick<SummaryStore, 'load'>;
  publish: Publish;
  now: () => number;
}

/** Of the conversation, the newest lines with so many tokens are told. */
const MOST_TOKENS = 3_000;
/** The longest brief, in tokens. */
const LONGEST_TOKENS = 300;

export function createBrief({ model, store, publish, now }: BriefOptions): Brief {
  return async function brief({ contact, conversation, turn }, log) {
    try {
      const material = await store.load(contact);
      const { summary } = shownFacts({ ...material, profileName: null });
      const said = shownLines(material.history).map(({ role, desk, text, notes }) => ({
        from: role === 'user' ? 'person' : desk ? 'team' : 'assistant',
        ...(notes ? { with: notes } : {}),
        said: text,
      }));
      const { text } = await model.answer({
        messages: [
          { role: 'system', content: briefPrompt(LONGEST_TOKENS) },
          { role: 'user', content: scrub(`${SUMMARY_HEADING}\n${summary || 'Nothing yet.'}\n\n${newestOf(said)}`) },
        ],
        maxTokens: LONGEST_TOKENS,
        conversation: contact,
        spentOn: { conversation, turn },
        purpose: 'summary',
        log,
      });
      const event = { type: 'handoff.summarized', conversation, at: now(), turn, summary: text } as const;
      await publish(contact, encodeEvent(event));
    } catch (error) {
      log.warn('There is no summary for whoever picks the conversation up', { error });
    }
  };
}

/** As JSON, one line each, so that nobody can write a line that looks like another's; the oldest are left out. */
function newestOf(said: readonly object[]): string {
  const lines = said.map((line) => JSON.stringify(line));
  const share = Math.floor(MOST_TOKENS / Math.max(1, Math.min(lines.length, 20)));
  return lines
    .slice(-20)
    .map((line) => shortenToTokens(line, share))
    .join('\n');
}
