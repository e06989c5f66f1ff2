/** Joins what asks a model server: answers, summaries, pictures, speech. */
import type { Config } from '../config.ts';
import type { ReadOptions } from '../conversation/attachments.ts';
import { measured } from '../llm/measured.ts';
import type { ChatModel } from '../llm/model.ts';
import { createOpenAiModel, isOpenAi } from '../llm/openai/chat.ts';
import { createTranscriber } from '../llm/openai/transcribe.ts';
import { visionOf } from '../llm/openai/vision.ts';
import { readVoice } from '../media/audio.ts';
import { createImageReader } from '../media/image.ts';
import type { Allowance } from '../memory/allowance.ts';
import type { ContactId } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { StandIns } from './stand-ins.ts';

export interface ModelParts {
  model: ChatModel;
  /** Makes pictures and recordings readable. */
  senses: Pick<ReadOptions, 'seePicture' | 'hearVoice'>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

export interface ModelTools {
  /** Everything that is spent on a contact counts. */
  allowance: Pick<Allowance, 'spend'>;
  metrics: Metrics;
  log: Log;
}

export function buildModels(config: Config, standIns: StandIns, { allowance, metrics, log }: ModelTools): ModelParts {
  const spend = (contact: ContactId, tokens: number) =>
    void allowance.spend(contact, tokens).catch((error) => log.warn('Tokens were not counted', { error }));
  const { apiKey, baseUrl, answer, summary, transcribe, transcribeBaseUrl } = standIns.model;
  const openai = createOpenAiModel({
    apiKey,
    baseUrl,
    models: { answer, summary },
    reasoningEffort: config.reasoningEffort,
    temperature: config.temperature,
    timeoutMs: config.modelTimeoutMs,
    log,
    onLeaks: (count) => metrics.scrubbed('prompt', count),
    onUsage({ conversation, purpose }, usage) {
      metrics.tokensUsed(purpose, usage);
      spend(conversation, usage.prompt + usage.completion);
    },
  });
  const transcriber = createTranscriber({
    apiKey,
    baseUrl: transcribeBaseUrl,
    model: transcribe,
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
      async hearVoice(bytes, contact, signal, log) {
        const { text, tokens } = await transcriber.transcribe(await readVoice(bytes, { takesAac }), signal, log);
        if (tokens > 0) spend(contact, tokens);
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
