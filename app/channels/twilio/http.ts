/** The SDK's HTTP client, bounded in time and free of the environment's surprises. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { Agent } from 'node:https';
import RequestClient from 'twilio/lib/base/RequestClient.js';

export interface TwilioHttp {
  /** For the SDK's constructor. */
  client: RequestClient;
  /** How far the other side's clock was ahead of ours at its latest answer, ms; negative when it is behind. To a second or so. */
  readonly aheadMs: number;
  /**
   * Makes a call of the SDK with this signal: the SDK itself has no way to be given one, and its own time limit only
   * counts silence, not a response that trickles in or a connection that is never made.
   */
  within<Result>(signal: AbortSignal, call: () => Promise<Result>): Promise<Result>;
}

/** @param timeoutMs how long a connection may be silent */
export function createTwilioHttp(timeoutMs: number): TwilioHttp {
  let aheadMs = 0;
  /** Calls that are under way. */
  let open = 0;
  const signals = new AsyncLocalStorage<AbortSignal>();
  const client = new RequestClient({ timeout: timeoutMs, autoRetry: false });
  // With HTTP_PROXY set the SDK takes an agent that has neither the time limit nor connections that are kept.
  if (!(client.axios.defaults.httpsAgent instanceof Agent)) {
    client.axios.defaults.httpsAgent = new Agent({ keepAlive: true, timeout: timeoutMs });
  }
  client.axios.interceptors.request.use((config) => {
    const signal = signals.getStore();
    return signal ? Object.assign(config, { signal }) : config;
  });
  client.axios.interceptors.response.use((response) => {
    // The SDK looks into the body of an error, and falls over when there is none.
    response.data ??= '';
    const theirs = Date.parse(String(response.headers.date));
    if (!Number.isNaN(theirs)) aheadMs = theirs - Date.now();
    return response;
  });
  return {
    client,
    get aheadMs() {
      return aheadMs;
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
