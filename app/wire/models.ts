/** Joins what asks a model server: answers, summaries, pictures, speech. */
import type { Config } from '../config.ts';
import type { ReadOptions } from '../conversation/attachments.ts';
import { TRANSCRIPTION } from '../conversation/prompts.ts';
import { Failure } from '../errors.ts';
import { measured } from '../llm/measured.ts';
import type { ChatModel, TokenUsage } from '../llm/model.ts';
import { createOpenAiModel, isOpenAi } from '../llm/openai/chat.ts';
import { createTranscriber } from '../llm/openai/transcribe.ts';
import { visionOf } from '../llm/openai/vision.ts';
import { readVoice } from '../media/audio.ts';
import { createImageReader } from '../media/image.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { CostParts } from './costs.ts';
import type { StandIns } from './stand-ins.ts';

export interface ModelParts {
  model: ChatModel;
  /** Makes pictures and recordings readable. */
  senses: Pick<ReadOptions, 'seePicture' | 'hearVoice'>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface ModelTools extends Pick<CostParts, 'budget' | 'ledger'> {
  metrics: Metrics;
  log: Log;
}

export function buildModels(config: Config, standIns: StandIns, tools: ModelTools): ModelParts {
  const { budget, ledger, metrics, log } = tools;
  const { apiKey, baseUrl, answer, summary, transcribe, transcribeBaseUrl, transcribeKey, listens } = standIns.model;
  const openai = createOpenAiModel({
    apiKey,
    baseUrl,
    models: { answer, summary },
    reasoningEffort: config.reasoningEffort,
    temperature: config.temperature,
    timeoutMs: config.modelTimeoutMs,
    log,
    onLeaks: (count) => metrics.scrubbed('prompt', count),
    onUsage({ purpose, spentOn }, tokens) {
      metrics.tokensUsed(purpose, tokens);
      if (spentOn) ledger.used({ on: spentOn, purpose, model: standIns.model[purpose], tokens });
    },
  });
  const transcriber = createTranscriber({
    apiKey: transcribeKey,
    baseUrl: transcribeBaseUrl,
    model: transcribe,
    instruction: listens ? TRANSCRIPTION : undefined,
    timeoutMs: config.modelTimeoutMs,
    log,
  });
  const images = createImageReader({ log });
  // OpenAI's own server takes no bare AAC; servers that decode with ffmpeg do.
  const takesAac = !isOpenAi(transcribeBaseUrl);
  return {
    model: measured(openai, metrics),
    senses: {
      async seePicture(bytes, log) {
        const { url, detail } = await images.read(bytes, visionOf(answer), log);
        return { kind: 'image', url, detail };
      },
      async hearVoice(bytes, on, signal, log) {
        if (budget.isUsedUp()) throw new Failure('model.budget', USED_UP);
        const voice = await readVoice(bytes, { takesAac });
        const { text, tokens, seconds } = await transcriber.transcribe(voice, signal, log);
        ledger.used({ on, purpose: 'transcription', model: transcribe, ...usageOf(tokens, seconds ?? voice.seconds) });
        return text;
      },
    },
    async ping() {
      await openai.ping();
    },
    async close() {
      await Promise.all([openai.close(), transcriber.close()]);
    },
  };
}

const USED_UP = "The month's budget is used up: nobody has listened to the voice note. See MONTHLY_BUDGET.";

/** @param seconds of the recording; null when neither the server nor the recording says it */
function usageOf(tokens: TokenUsage | null, seconds: number | null) {
  return { tokens: tokens ?? undefined, audioMs: seconds === null ? undefined : seconds * 1_000 };
}
