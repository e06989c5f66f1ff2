/** Sends what a program names once, however often it asks. */
import { Failure, isFailure } from '../errors.ts';
import type { ConversationId } from '../message.ts';
import { newId } from '../ops/id.ts';

/** What is sent under a name. */
export interface Named {
  conversation: ConversationId;
  /** All that is sent, in any form that is the same for the same message. */
  content: string;
}

/** See `memory/names.ts`. */
export interface Names {
  claim(name: string, named: Named): Promise<{ isNew: boolean; fits: boolean; at: number }>;
  release(name: string): Promise<void>;
}

/** How a message is to be sent. */
export interface As {
  id: string;
  /** When it was first to be sent, unix ms; left out = now. */
  at?: number;
  /** It may have been sent before. */
  uncertain?: boolean;
}

/**
 * @param name the caller's; undefined = it is not named, and sent as it is
 * Rejects with `request.invalid` when another message has the name, else as `send` does.
 */
export async function once<Result>(
  names: Names,
  name: string | undefined,
  named: Named,
  send: (as: As) => Promise<Result>,
): Promise<Result> {
  if (name === undefined) return send({ id: newId() });
  const { isNew, fits, at } = await names.claim(name, named);
  if (!fits)
    throw new Failure('request.invalid', 'idempotency_key: another message was sent under it. Use a new one for each.');
  try {
    return await send({ id: name, at, uncertain: !isNew });
  } catch (error) {
    // What may have been sent keeps its name.
    if (isFailure(error) && error.code !== 'channel.ambiguous') await names.release(name).catch(() => {});
    throw error;
  }
}
