/**
 * Voice to text, by OpenAI or any server with its transcription protocol (such as self-hosted Whisper servers); or by a chat model that
 * hears, such as Gemini.
 */
import { APIError } from 'openai/core/error';
import { Failure, isFailure, type ModelError } from '../../errors.ts';
import type { Log } from '../../ops/logger.ts';
import { type Scrubbed, scrub } from '../../privacy/scrub.ts';
import type { TokenUsage } from '../model.ts';
import { type Clock, retry } from '../retry.ts';
import { readCompletion, usageIn } from './answer.ts';
import { createOpenAiClient, type OpenAiClientOptions } from './client.ts';
import { codeWord, explain } from './failure.ts';
import { isNothing } from './silence.ts';

export interface TranscriberOptions extends OpenAiClientOptions {
  model: string;
  /**
   * Given for a server without the transcription protocol: a chat model is shown the recording with this instruction.
   * https://ai.google.dev/gemini-api/docs/openai
   */
  instruction?: string | undefined;
  /** For one recording, all tries and waits included, ms. */
  timeoutMs?: number;
  /** ISO 639-1 (`es`). When it is not given, the model detects the language. */
  language?: string | undefined;
  log: Log;
  clock?: Clock;
}

/** What is transcribed. The file name's ending has to fit: servers go by it. */
export interface Recording {
  filename: string;
  contentType: string;
  bytes: Buffer;
}

export interface Transcript {
  /** '' when nothing was said. */
  text: Scrubbed;
  /** In tokens, as the server counted; null when it does not count them. */
  tokens: TokenUsage | null;
  /** How long the recording was by the server's word, seconds; null when it does not say. */
  seconds: number | null;
}

export interface Transcriber {
  /** The model that listens, for people. */
  readonly name: string;
  /**
   * What was said. Tries again as an answer does.
   *
   * Rejects with the signal's reason or a `Failure`: `media.unreadable` and `media.too_large` when the server does not
   * take the recording, else one whose code starts with `model.`.
   * @param log knows for whom it listens. Default: the transcriber's own.
   */
  transcribe(recording: Recording, signal?: AbortSignal, log?: Log): Promise<Transcript>;
  /** Cuts the connections to the server. */
  close(): Promise<void>;
}

/** Opens no connection before the first recording. */
export function createTranscriber(options: TranscriberOptions): Transcriber {
  const { model, instruction, timeoutMs = 60_000, language, clock } = options;
  const client = createOpenAiClient(options);

  async function listen(recording: Recording, signal: AbortSignal): Promise<Transcript | Failure> {
    try {
      return await (instruction === undefined ? upload(recording, signal) : show(recording, instruction, signal));
    } catch (error) {
      // The recording is to blame: another try changes nothing.
      if (isFailure(error) && error.code === 'media.too_large') return error;
      const verdict = verdictOn(error);
      if (verdict === null) throw error;
      return isFailure(verdict) ? verdict : { text: verdict, tokens: null, seconds: 0 };
    }
  }

  async function upload({ filename, contentType, bytes }: Recording, signal: AbortSignal): Promise<Transcript> {
    const [sdk, { toFile }] = await Promise.all([client.sdk(), import('openai/core/uploads')]);
    const file = await toFile(bytes, filename, { type: contentType });
    const said = await sdk.audio.transcriptions.create(
      { file, model, response_format: 'json', ...(language !== undefined && { language }) },
      { signal },
    );
    return { text: wordsOf(said), ...usageOf(said) };
  }

  async function show({ filename, bytes }: Recording, system: string, signal: AbortSignal): Promise<Transcript> {
    const sdk = await client.sdk();
    const format = filename.slice(filename.lastIndexOf('.') + 1);
    // The SDK's type knows the two formats of OpenAI's own models; Gemini takes every kind of recording that a phone makes.
    const audio = { data: bytes.toString('base64'), format: format as 'mp3' };
    const received: unknown = await sdk.chat.completions.create(
      {
        model,
        messages: [
          { role: 'system', content: system },
          { role: 'user', content: [{ type: 'input_audio', input_audio: audio }] },
        ],
      },
      { signal },
    );
    const { text, cut } = readCompletion(received);
    if (cut) throw new Failure('media.too_large', 'A voice note is too long for the model to write it down.');
    if (text === '') throw new Failure('model.empty', 'The model wrote nothing about a voice note.');
    return { text: wordsOf(text), tokens: usageIn(received), seconds: null };
  }

  return {
    name: model,
    async transcribe(recording, signal, log = options.log) {
      const heard = await retry({ timeoutMs, signal, explain: explainHere, log, clock }, (ending) =>
        listen(recording, ending),
      );
      if (isFailure(heard)) throw heard;
      log.info('A voice note was transcribed', { bytes: recording.bytes.length, characters: heard.text.length });
      return heard;
    },
    close: client.close,
  };
}

/** Servers write `{text}`; some only the text. */
function wordsOf(said: unknown): Scrubbed {
  const text = typeof said === 'object' && said !== null && 'text' in said ? said.text : said;
  if (typeof text !== 'string') {
    throw new Failure('model.request', 'The transcription server answered with something else than a text.');
  }
  const words = text.replace(/\s+/g, ' ').trim();
  return scrub(isNothing(words) ? '' : words);
}

/** Models that are paid by the token say `{type: 'tokens', input_tokens, output_tokens}`, others `{type: 'duration', seconds}`, or nothing. */
function usageOf(said: unknown): Pick<Transcript, 'tokens' | 'seconds'> {
  const usage: unknown = isRecord(said) ? said.usage : undefined;
  const count = (name: string) => {
    const given: unknown = isRecord(usage) ? usage[name] : undefined;
    return typeof given === 'number' && given > 0 ? given : 0;
  };
  const tokens = { prompt: count('input_tokens'), completion: count('output_tokens'), cached: 0 };
  return { tokens: tokens.prompt + tokens.completion > 0 ? tokens : null, seconds: count('seconds') || null };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

/**
 * Is it the recording that the server does not like? Its words, as seen: "audio duration 1830.5 seconds is longer than 1400
 * seconds which is the maximum for this model", "… is shorter than 0.1 seconds which is the minimum", "Audio file might be
 * corrupted or unsupported", "Invalid file format. Supported formats: …", "Maximum content size limit (26214400) exceeded".
 */
function verdictOn(error: unknown): Scrubbed | Failure | null {
  if (!(error instanceof APIError) || ![400, 413, 415, 422].includes(error.status ?? 0)) return null;
  const { message, status } = error;
  const from = { providerCode: codeWord(error.code) ?? `${status}` };
  if (/too short|shorter than/i.test(message)) return scrub('');
  if (status === 413 || /too (long|large)|longer than|size limit/i.test(message)) {
    return new Failure('media.too_large', 'The transcription server does not take a voice note that long.', from);
  }
  if (status === 415 || error.param === 'file' || /file format|corrupt|decode|audio file/i.test(message)) {
    return new Failure('media.unreadable', 'The transcription server cannot read a voice note.', from);
  }
  return null;
}

/** The same trouble as with answers, but other settings to look at. */
function explainHere(error: unknown) {
  const trouble = explain(error);
  const { code, message, cause, providerCode } = trouble.failure;
  const failure: ModelError = new Failure(
    code,
    `Voice notes (OPENAI_TRANSCRIBE_MODEL, OPENAI_TRANSCRIBE_BASE_URL): ${message}`,
    {
      cause,
      providerCode,
    },
  );
  return { ...trouble, failure };
}
