/** Adds to refused requests the sentence that says why. People who are signed in may read it; strangers get no reason. */
import type { Middleware } from 'koa';
import { isFailure } from '../errors.ts';

/** Only prepares the body of the response; the server sets the status and logs. */
export const explain: Middleware = async (ctx, next) => {
  try {
    await next();
  } catch (error) {
    if (isFailure(error)) {
      const sentence = SENTENCES[error.code] ?? error.message;
      const body = JSON.stringify({ success: false, error: sentence, code: error.code });
      ctx.state.refusal = { type: 'application/json', body };
    }
    throw error;
  }
};

/** For failures whose message names hosts, or is meant for operators. */
const SENTENCES: Record<string, string> = {
  'archive.unavailable': 'The archive does not answer at the moment. Messages are still received and answered.',
  'store.unavailable': "The bot's memory does not answer at the moment. Try again soon.",
};
