/** The messages of a contact in Meta's format: its ids, words for types, and times. */
import { Readable } from 'node:stream';
import type { ArchivedMessage, Messages } from '../archive/read/messages.ts';
import { addressOf, phoneOf, readAddress } from '../contacts/addresses.ts';
import type { HistoryMessage, HistoryResult } from './contract.ts';

/** So many are read at once. */
const PAGE = 200;

/**
 * Newest first, as JSON that is written while it is read: all messages of a contact may be many.
 * @param number however it is written
 * @param limit 0 = all
 */
export function streamHistory(messages: Messages, number: string, limit: number): Promise<Readable> {
  return begun(
    (async function* history() {
      yield '{"messages":[';
      const count = yield* messagesAsJson(messages, number, limit);
      yield `],"count":${count}}`;
    })(),
  );
}

/** The same for several numbers, one result each, in their order. @param limit of each number */
export function streamHistories(messages: Messages, numbers: readonly string[], limit: number): Promise<Readable> {
  return begun(
    (async function* histories() {
      let [successful, total] = [0, 0];
      yield '{"results":[';
      for (const [i, number] of numbers.entries()) {
        const digits = readAddress(number);
        yield `${i > 0 ? ',' : ''}{"number":${JSON.stringify(digits)},"messages":[`;
        const count = yield* messagesAsJson(messages, number, limit);
        const rest: Omit<HistoryResult, 'number' | 'messages'> =
          count > 0 ? { success: true, count } : { success: false, error: 'No messages found', count: 0 };
        yield `],${JSON.stringify(rest).slice(1)}`;
        if (count > 0) successful++;
        total += count;
      }
      const sums = { total_numbers: numbers.length, successful, failed: numbers.length - successful };
      yield `],${JSON.stringify({ ...sums, total_messages: total }).slice(1)}`;
    })(),
  );
}

/** Once the archive has answered: when it is away, the caller gets an error and not half a document. */
async function begun(json: AsyncGenerator<string>): Promise<Readable> {
  const first = [await json.next(), await json.next()].flatMap(({ done, value }) => (done ? [] : [value]));
  return Readable.from(
    (async function* all() {
      yield* first;
      yield* json;
    })(),
  );
}

/** @returns how many there were */
async function* messagesAsJson(messages: Messages, number: string, limit: number): AsyncGenerator<string, number> {
  const phone = phoneOf(readAddress(number));
  const most = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  let count = 0;
  let cursor: string | undefined;
  do {
    const { items, next } = await messages.thread({ phone }, { limit: Math.min(PAGE, most - count), cursor });
    const originals = await messages.originals(items.map(({ id }) => id));
    for (const message of items) {
      yield (count > 0 ? ',' : '') + JSON.stringify(presentInMetasWords(message, originals.get(message.id) ?? null));
      count++;
    }
    cursor = next ?? undefined;
  } while (cursor !== undefined && count < most);
  return count;
}

/** @param original as the provider sent it; null when it was not kept */
export function presentInMetasWords(
  { id, sid, from, to, receivedAt, type, body }: ArchivedMessage,
  original: Record<string, unknown> | null,
): HistoryMessage {
  const { timestamp, type: word } = original ?? {};
  return {
    id: sid ?? id,
    from: addressOf(from),
    to: addressOf(to),
    timestamp: typeof timestamp === 'string' ? timestamp : String(Math.floor(receivedAt / 1_000)),
    type: typeof word === 'string' ? word : type === 'contact' ? 'contacts' : type,
    body,
    raw: original,
  };
}
