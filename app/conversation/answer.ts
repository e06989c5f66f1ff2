/** Asks the model, in an easier way when the server refuses the first, and knows what to say when it does not answer. */
import { Failure, type FailureCode, isFailure } from '../errors.ts';
import type { ChatModel, ContentPart, ModelMessage } from '../llm/model.ts';
import type { Held } from '../memory/mailbox.ts';
import type { FilledTemplate } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { type Scrubbed, scrub } from '../privacy/scrub.ts';
import { HAND_TO_PERSON, type Handoff, handoffOf } from './handoff.ts';

/**
 * The model's words; or that a person is called, by the model or without it; or the operator's apology and why; or nothing to say, because
 * there is no apology either; or, without asking the model, a word about a limit or the answer to a command.
 */
export type Answered =
  | {
      kind: 'answer';
      text: Scrubbed;
      usage: { prompt: number; completion: number; cached: number };
      /** What the server refuses: it took the prompt without it. Null when it refused nothing that was said. */
      refused: 'history' | 'others' | null;
    }
  /** A person of the team is to take over; `text` tells the contact. */
  | {
      kind: 'handoff';
      text: Scrubbed;
      handoff: Handoff;
      usage?: { prompt: number; completion: number; cached: number };
      /** The memory of the conversation goes. */
      forgets?: true;
    }
  | { kind: 'apology'; text: Scrubbed; failure: FailureCode }
  | { kind: 'silence'; failure: FailureCode }
  | { kind: 'notice'; text: Scrubbed }
  /** The template that greets somebody new, instead of an answer. */
  | { kind: 'template'; text: Scrubbed; template: FilledTemplate }
  /** The answer to a command. `asks` is the question back; `forgets`: the memory of the conversation goes. */
  | { kind: 'command'; text: Scrubbed; asks?: 'reset' | 'forget'; forgets?: true };

/** What the model is asked. */
export interface Prompt {
  messages: ModelMessage[];
  /** What is new, without summary, name and history, for a server that refuses something in them; null when there is nothing else. */
  fresh: ModelMessage[] | null;
  /** The newest message without the others, in the same way; null when there are no others. */
  newest: ModelMessage[] | null;
}

/** What asking the model comes to. */
export type Asked = Exclude<Answered, { kind: 'notice' | 'command' | 'template' }>;

export interface Asker {
  /**
   * A prompt that is refused is asked in easier ways: a long one with a part of its history; one with pictures with the newest picture
   * alone, then without any; then what is new alone, then the newest message. Servers refuse in many languages and by many codes: only
   * what points at the settings (an address, a key, a model that does not exist) is not asked again.
   *
   * Never rejects for what the model does, only when `signal` is aborted.
   * The model's own deadline bounds each call.
   */
  ask(held: Asking, prompt: Prompt, signal: AbortSignal, log: Log): Promise<Asked>;
}

/** Who asks, and in which turn. */
export type Asking = Pick<Held, 'contact' | 'conversation' | 'turn'>;

export interface AskerOptions {
  model: ChatModel;
  /** The longest answer, in tokens. */
  maxReplyTokens: number;
  /** What a person reads when the model stays down; '' = nothing. */
  failureReply: string;
  /** What a person reads when the model calls for the team. */
  handoffReply: Scrubbed;
  /** With nothing to read, the webhook is told that the message was not answered, while it is open: no try begins later than this, ms. */
  webhookMs: number;
}

export function createAsker({ model, maxReplyTokens, failureReply, handoffReply, webhookMs }: AskerOptions): Asker {
  const apology = failureReply === '' ? null : scrub(failureReply);
  const retryForMs = apology === null && webhookMs > 0 ? webhookMs : undefined;
  return { ask };

  async function ask(
    { contact, conversation, turn }: Asking,
    prompt: Prompt,
    signal: AbortSignal,
    log: Log,
  ): Promise<Asked> {
    let failure: Failure | null = null;
    for (const way of waysToAsk(prompt)) {
      if (failure && !way.mayHelp(failure)) continue;
      if (failure) log.warn('The model is asked in another way', { code: failure.code, way: way.name });
      try {
        const request = {
          messages: way.messages,
          maxTokens: maxReplyTokens,
          // A server that fails has been asked for long enough.
          retryForMs: failure?.code === 'model.unavailable' ? 0 : retryForMs,
          signal,
          conversation: contact,
          spentOn: { conversation, turn },
          log,
        };
        const { text, call, usage } = await model.answer({ ...request, tools: [HAND_TO_PERSON], purpose: 'answer' });
        if (call) return { kind: 'handoff', text: handoffReply, handoff: handoffOf(call), usage };
        return { kind: 'answer', text, usage, refused: (failure && isRefused(failure) && way.without) || null };
      } catch (error) {
        if (signal.aborted) throw error;
        failure = isFailure(error) ? error : new Failure('model.unavailable', 'The model failed.', { cause: error });
      }
    }
    const code = failure?.code ?? 'model.unavailable';
    log.error('The model did not answer', { code, error: failure });
    return apology === null ? { kind: 'silence', failure: code } : { kind: 'apology', text: apology, failure: code };
  }
}

interface Way {
  name: 'whole' | 'less history' | 'one picture' | 'no picture' | 'what is new' | 'the newest message';
  messages: ModelMessage[];
  /** What is not in it beside pictures. */
  without?: 'history' | 'others';
  /** Is it worth trying after this failure? */
  mayHelp(failure: Failure): boolean;
}

/** The prompt as it is, then what a server may take that refuses it. */
function waysToAsk({ messages, fresh, newest }: Prompt): Way[] {
  const isTooLong = ({ code }: Failure) => code === 'model.too_long';
  const isAboutPrompt = (failure: Failure) => isRefused(failure) || isTooLong(failure);
  const ways: Way[] = [
    { name: 'whole', messages, mayHelp: () => true },
    ...withFewerPictures({ name: 'whole', messages, mayHelp: isAboutPrompt }),
  ];
  if (fresh && messages.length > 3)
    ways.push({ name: 'less history', messages: newestQuarter(messages), mayHelp: isTooLong });
  if (fresh) {
    const way: Way = { name: 'what is new', messages: fresh, without: 'history', mayHelp: isAboutPrompt };
    ways.push(
      { ...way, mayHelp: (failure) => isAboutPrompt(failure) || hasFailed(failure) },
      ...withFewerPictures(way),
    );
  }
  if (newest) {
    const way: Way = { name: 'the newest message', messages: newest, without: 'others', mayHelp: isAboutPrompt };
    ways.push(way, ...withFewerPictures(way));
  }
  return ways;
}

function withFewerPictures(way: Way): Way[] {
  const pictures = countPictures(way.messages);
  const ways: Way[] = [];
  if (pictures > 1) ways.push({ ...way, name: 'one picture', messages: withPictures(way.messages, 1) });
  if (pictures > 0) ways.push({ ...way, name: 'no picture', messages: withPictures(way.messages, 0) });
  return ways;
}

/** Some servers fail with 500 at characters or sizes that they do not expect. */
function hasFailed({ code, providerStatus }: Failure): boolean {
  return code === 'model.unavailable' && providerStatus === 500;
}

/**
 * Refused for what is in it, in whatever words; not for an address or a model that does not exist. Something else than an answer, such as a
 * gateway's page, refuses nothing.
 */
function isRefused({ code, providerCode, providerStatus = 0 }: Failure): boolean {
  if (code === 'model.filtered') return true;
  const isStatus = providerStatus >= 400 && ![404, 405].includes(providerStatus);
  return code === 'model.request' && isStatus && providerCode !== 'model_not_found';
}

/** The instructions and the newest quarter of what was said, beginning with the person's words. */
function newestQuarter(messages: readonly ModelMessage[]): ModelMessage[] {
  const [system, ...said] = messages;
  const from = Math.floor((said.length * 3) / 4);
  const first = said.findIndex(({ role }, i) => i >= from && role === 'user');
  return [...(system ? [system] : []), ...said.slice(first < 0 ? -1 : first)];
}

function countPictures(messages: readonly ModelMessage[]): number {
  return messages.reduce((sum, { content }) => sum + partsOf(content).filter(isPicture).length, 0);
}

/** The same prompt with its newest pictures alone; each of the others becomes a word that says so. */
function withPictures(messages: readonly ModelMessage[], most: number): ModelMessage[] {
  let surplus = countPictures(messages) - most;
  const note = { kind: 'text', text: most === 0 ? NO_PICTURES : NEWEST_PICTURE } as const;
  return messages.map(({ role, content }) => {
    if (typeof content === 'string') return { role, content };
    const parts = content.map((part) => (isPicture(part) && surplus-- > 0 ? note : part));
    const texts = parts.flatMap((part) => (part.kind === 'text' ? [part.text] : []));
    return { role, content: texts.length === parts.length ? scrub(texts.join('\n')) : parts };
  });
}

function partsOf(content: ModelMessage['content']): ContentPart[] {
  return typeof content === 'string' ? [] : content;
}

function isPicture(part: ContentPart): boolean {
  return part.kind === 'image';
}

const NO_PICTURES = scrub(
  '(You cannot see this picture: you can only read. Tell them so kindly, and ask them to describe what matters.)',
);
const NEWEST_PICTURE = scrub(
  '(You cannot see this picture: only one at a time can be looked at, the newest. Tell them so kindly.)',
);
