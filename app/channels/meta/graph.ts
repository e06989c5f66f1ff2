/** Calls of Meta's Graph API: bounded in time, one try each, with failures that say whether it may be tried again. */
import { connectionFailure, refusal } from './failure.ts';

export interface GraphOptions {
  accessToken: string;
  /** Origin and version, `https://graph.facebook.com/v25.0`: all that the token goes to. */
  apiBase: string;
  /** How long one call may take, connecting included, ms. */
  timeoutMs: number;
}

export interface Graph {
  /** @param path behind the version, without a slash at its beginning */
  get(path: string, signal?: AbortSignal): Promise<unknown>;
  /** @param repeatable true when it does no harm to make the same call twice */
  post(path: string, body: object, repeatable: boolean, signal?: AbortSignal): Promise<unknown>;
}

export function createGraph({ accessToken, apiBase, timeoutMs }: GraphOptions): Graph {
  return {
    get: (path, signal) => call(path, { method: 'GET' }, true, signal),
    post: (path, body, repeatable, signal) =>
      call(path, { method: 'POST', body: JSON.stringify(body) }, repeatable, signal),
  };

  async function call(path: string, init: RequestInit, repeatable: boolean, signal?: AbortSignal): Promise<unknown> {
    const deadline = AbortSignal.timeout(timeoutMs);
    try {
      const response = await fetch(`${apiBase}/${path}`, {
        ...init,
        // A redirect would take the token elsewhere.
        redirect: 'error',
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        signal: signal ? AbortSignal.any([deadline, signal]) : deadline,
      });
      const text = await response.text();
      const body = jsonIn(text);
      if (!response.ok) throw refusal(response.status, body, repeatable);
      return body;
    } catch (error) {
      throw connectionFailure(error, repeatable);
    }
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
