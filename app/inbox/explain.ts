/** Tells whoever is at the desk, in a sentence, why a request was refused: they are no strangers. */
import type { Middleware } from 'koa';
import { isFailure } from '../errors.ts';

/** Leaves the status and the log to the server, whose one exit for errors it prepares. */
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

/** Where the message names hosts, or speaks to whoever runs the program. */
const SENTENCES: Record<string, string> = {
  'archive.unavailable': 'The archive does not answer right now. Messages are received and answered all the same.',
  'store.unavailable': "The bot's memory does not answer right now. Try again in a moment.",
};
