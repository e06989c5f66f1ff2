import { isFailure } from '../errors.ts';
import type { Metrics } from '../ops/metrics.ts';
import type { ChatModel } from './model.ts';

/** The same model, whose calls are counted and timed. */
export function measured(model: ChatModel, metrics: Metrics): ChatModel {
  return {
    name: model.name,
    ping: (signal) => model.ping(signal),
    async answer(request) {
      const startedAt = performance.now();
      let outcome = 'answered';
      try {
        const answer = await model.answer(request);
        for (let i = 1; i < answer.attempts; i++) metrics.retried('model');
        return answer;
      } catch (error) {
        outcome = isFailure(error) ? error.code : 'aborted';
        throw error;
      } finally {
        metrics.modelCalled(request.purpose, outcome, performance.now() - startedAt);
      }
    },
  };
}
