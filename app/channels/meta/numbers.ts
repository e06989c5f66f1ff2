/** Our numbers: people write to a number, Meta's calls name its id. */
import { z } from 'zod';
import { Failure, isFailure } from '../../errors.ts';
import type { Graph } from './graph.ts';

export interface Numbers {
  /** The id, when there is one number alone: an event that names none is about it. */
  readonly only: string | undefined;
  isOurs(phoneNumberId: string): boolean;
  /** The number behind an id, digits; undefined while it is not known. */
  numberOf(phoneNumberId: string): string | undefined;
  /** A webhook named both. */
  learn(phoneNumberId: string, number: string): void;
  /** All of them, in the order of the settings. Asks Meta for what no webhook has told yet; leaves out what Meta refuses. */
  all(signal?: AbortSignal): Promise<string[]>;
  /** The id to send from. Asks Meta for what no webhook has told yet. Rejects with `channel.sender` for a number that is not ours. */
  idOf(number: string, signal?: AbortSignal): Promise<string>;
}

/** @param ids at least one; the first sends when nobody says from which number */
export function createNumbers(ids: readonly string[], graph: Pick<Graph, 'get'>): Numbers {
  const [first = ''] = ids;
  const numbers = new Map<string, string>();
  return { only: ids.length === 1 ? first : undefined, isOurs, numberOf, learn, all, idOf };

  function isOurs(phoneNumberId: string): boolean {
    return ids.includes(phoneNumberId);
  }

  function numberOf(phoneNumberId: string): string | undefined {
    return numbers.get(phoneNumberId);
  }

  function learn(phoneNumberId: string, number: string): void {
    if (isOurs(phoneNumberId) && number !== '') numbers.set(phoneNumberId, number);
  }

  async function idOf(number: string, signal?: AbortSignal): Promise<string> {
    if (ids.length === 1 || number === '' || ids.includes(number)) return ids.includes(number) ? number : first;
    const known = idKnownAs(number);
    if (known !== undefined) return known;
    await learnAll(signal);
    const learnt = idKnownAs(number);
    if (learnt !== undefined) return learnt;
    throw new Failure(
      'channel.sender',
      'The number that they wrote to is none of those in PHONE_NUMBER_ID. Add its id there to answer from it.',
    );
  }

  async function all(signal?: AbortSignal): Promise<string[]> {
    await learnAll(signal);
    return ids.flatMap((id) => numbers.get(id) ?? []);
  }

  async function learnAll(signal?: AbortSignal): Promise<void> {
    let trouble: unknown;
    for (const id of ids.filter((one) => !numbers.has(one))) {
      // One that Meta refuses does not keep the others from sending.
      try {
        learn(id, await ask(id, signal));
      } catch (error) {
        trouble = error;
      }
    }
    if (isFailure(trouble) && trouble.retryable) throw trouble;
  }

  function idKnownAs(number: string): string | undefined {
    return ids.find((id) => numbers.get(id) === number);
  }

  async function ask(id: string, signal?: AbortSignal): Promise<string> {
    const answer = await graph.get(`${id}?fields=display_phone_number`, signal);
    const found = z.object({ display_phone_number: z.string() }).safeParse(answer).data;
    return found?.display_phone_number.replace(/\D/g, '') ?? '';
  }
}
