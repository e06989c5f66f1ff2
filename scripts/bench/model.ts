/**
 * The model server of the bench: the tests' double in a process of its own. It echoes what a person wrote, so that every
 * answer can be checked, and counts what it is asked. Its parent speaks to it by messages, see `ModelOrder`.
 */
import { countMessageTokens } from '../../app/llm/tokens.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { type ChatRequest, lastUserText, startModelDouble } from '../../test/doubles/model.ts';
import { ANALYSIS_MODEL, echo, SUMMARY_MODEL, textOf } from './webhooks.ts';

/** Begins to count anew, with these manners. */
export interface ModelOrder {
  /** How long it thinks, ms; about analyses, which nobody waits for, not at all. */
  delayMs: number;
  /** How many words follow the echo in an answer. */
  words: number;
  /** True: counts the tokens of every prompt, and whether it holds what was said a turn before. Slow. */
  watch: boolean;
}

/** What it was asked since the last order. */
export interface ModelFigures {
  answers: number;
  summaries: number;
  analyses: number;
  /** Of the prompts for answers, in their order; empty unless watched. */
  promptTokens: number[];
  /** Prompts without the words of the turn before; 0 unless watched. */
  forgotten: number;
}

/** As long as people let summaries grow: some 240 tokens. */
const SUMMARY = `Notes: ${textOf(0, 0, 200)}`;

/** What it makes of every message: nothing has to be done. */
const ANALYSIS = JSON.stringify({
  summary: 'They wrote about their plans and asked what it would cost.',
  sentiment: 'neutral',
  entities: { people: [], companies: [], dates: ['tomorrow'], amounts: [], products: ['ticket'] },
  intent: 'question',
  language: 'en',
  task: null,
});

/** Serves until its parent goes. */
async function serveModel(): Promise<void> {
  const double = await startModelDouble();
  double.record = false;
  let order: ModelOrder = { delayMs: 0, words: 0, watch: false };
  let figures: ModelFigures = noFigures();
  let before = '';

  double.answer = (request) => {
    if (request.model === ANALYSIS_MODEL) {
      figures.analyses++;
      return ANALYSIS;
    }
    if (request.model === SUMMARY_MODEL) {
      figures.summaries++;
      return think(SUMMARY);
    }
    figures.answers++;
    const text = lastUserText(request);
    if (order.watch) look(request, text);
    return think(echo(text, order.words));
  };

  function think(answer: string): string | Promise<string> {
    const { delayMs } = order;
    return delayMs === 0 ? answer : new Promise((resolve) => setTimeout(resolve, delayMs, answer));
  }

  function look(request: ChatRequest, text: string): void {
    figures.promptTokens.push(tokensOf(request));
    if (!request.messages.some(({ content }) => typeof content === 'string' && content.includes(before)))
      figures.forgotten++;
    before = text;
  }

  process.on('disconnect', () => process.exit());
  process.on('message', (message: ModelOrder | 'figures') => {
    if (message === 'figures') return process.send?.(figures);
    order = message;
    figures = noFigures();
    before = '';
    process.send?.('ordered');
  });
  process.send?.({ port: Number(new URL(double.url).port) });
}

function noFigures(): ModelFigures {
  return { answers: 0, summaries: 0, analyses: 0, promptTokens: [], forgotten: 0 };
}

/** As a provider would bill it. Ours are texts only. */
function tokensOf({ messages }: ChatRequest): number {
  return countMessageTokens(
    messages.map(({ role, content }) => ({
      role: role === 'system' || role === 'assistant' ? role : 'user',
      content: scrub(typeof content === 'string' ? content : ''),
    })),
  );
}

await serveModel();
