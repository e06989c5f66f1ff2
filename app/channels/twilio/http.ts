/** The SDK's HTTP client, bounded in time and free of the environment's surprises. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Agent } from 'node:https';
import RequestClient from 'twilio/lib/base/RequestClient.js';
import { createOffset } from '../../ops/offset.ts';

export interface TwilioHttp {
  /** For the SDK's constructor. */
  client: RequestClient;
  /** How far the other side's clock is ahead of `now`, ms; negative when it is behind. To a second or so; 0 before its first answer. */
  readonly aheadMs: number;
  /**
   * Makes a call of the SDK with this signal: the SDK itself has no way to be given one, and its own time limit only
   * counts silence, not a response that trickles in or a connection that is never made.
   */
  within<Result>(signal: AbortSignal, call: () => Promise<Result>): Promise<Result>;
}

/**
 * @param timeoutMs how long a connection may be silent
 * @param now our time, unix ms
 */
export function createTwilioHttp(timeoutMs: number, now: () => number): TwilioHttp {
  const ahead = createOffset();
  const askedAt = new WeakMap<object, number>();
  /** Calls that are under way. */
  let open = 0;
  const signals = new AsyncLocalStorage<AbortSignal>();
  const client = new RequestClient({ timeout: timeoutMs, autoRetry: false });
  // With HTTP_PROXY set the SDK takes an agent that has neither the time limit nor connections that are kept.
  if (!(client.axios.defaults.httpsAgent instanceof Agent)) {
    client.axios.defaults.httpsAgent = new Agent({ keepAlive: true, timeout: timeoutMs });
  }
  client.axios.interceptors.request.use((config) => {
    askedAt.set(config, now());
    const signal = signals.getStore();
    return signal ? Object.assign(config, { signal }) : config;
  });
  client.axios.interceptors.response.use((response) => {
    // The SDK looks into the body of an error, and falls over when there is none.
    response.data ??= '';
    const theirs = Date.parse(String(response.headers.date));
    const asked = askedAt.get(response.config);
    // They tell whole seconds.
    if (!Number.isNaN(theirs) && asked !== undefined) ahead.narrow(theirs - now(), theirs + 1_000 - asked);
    return response;
  });
  return {
    client,
    get aheadMs() {
      return ahead.ms ?? 0;
    },
    async within(signal, call) {
      open++;
      try {
        return await signals.run(signal, call);
      } finally {
        open--;
        // Up to Node 22 every promise of the process is followed while a store is in use: a tenth of all CPU time.
        if (open === 0) signals.disable();
      }
    },
  };
}
