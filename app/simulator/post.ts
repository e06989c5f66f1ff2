/** Posts a webhook as a provider does, and notes what became of it. */

export interface Posted {
  /** When it was sent, unix ms. */
  at: number;
  /** How long it took, ms. */
  ms: number;
  /** Null when there was none. */
  response: { status: number; contentType: string; body: string } | null;
  /** Why there was no response: the bot is down, did not answer within the provider's time, or the connection broke. */
  failure: 'unreachable' | 'timeout' | 'lost' | null;
}

/** How long Twilio waits for a response: https://www.twilio.com/docs/usage/webhooks/webhooks-connection-overrides */
const WEBHOOK_TIMEOUT_MS = 15_000;

/** Never rejects. */
export async function postWebhook(
  url: string,
  body: URLSearchParams | string,
  headers: Record<string, string>,
): Promise<Posted> {
  const at = Date.now();
  const started = performance.now();
  const done = (rest: Pick<Posted, 'response' | 'failure'>): Posted => {
    return { at, ms: Math.round(performance.now() - started), ...rest };
  };
  try {
    const signal = AbortSignal.timeout(WEBHOOK_TIMEOUT_MS);
    const response = await fetch(url, { method: 'POST', headers, body, signal });
    const contentType = response.headers.get('content-type') ?? '';
    return done({ response: { status: response.status, contentType, body: await response.text() }, failure: null });
  } catch (error) {
    return done({ response: null, failure: whyNone(error) });
  }
}

function whyNone(error: unknown): NonNullable<Posted['failure']> {
  if (!(error instanceof Error)) return 'lost';
  if (error.name === 'TimeoutError') return 'timeout';
  const { cause } = error;
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND' || code === 'EAI_AGAIN' ? 'unreachable' : 'lost';
}
