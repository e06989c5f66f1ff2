/** Contacts that turned out to be the same person: one id becomes an alias of the other, and its memory moves there. */
import type { ContactId } from '../message.ts';
import { newId } from '../ops/id.ts';
import type { Keys } from './keys.ts';
import { leaseOf } from './processes.ts';
import { type RedisClient, type RunScript, unavailable } from './redis.ts';

/** Everything rejects with `store.unavailable`; a move that was interrupted is continued by the next `link` of the same two. */
export interface Aliases {
  /** The contact that this id stands for by now; the id itself when it is no alias. */
  rootOf(contact: ContactId): Promise<ContactId>;
  /**
   * Makes `contact` an alias of `target`, unless it is an alias of another one already, and moves its memory there.
   * @param turn the caller's turn, when it holds the contact's lease; the lease ends with the move
   * @returns the contact it is an alias of now; null while a turn is running or a reply is being delivered: nothing was changed
   */
  link(contact: ContactId, target: ContactId, turn?: string): Promise<ContactId | null>;
  /**
   * A contact has another number now, `target`: what is remembered of them goes there, and the old number is nobody's. Its next owner is a
   * contact of their own.
   * @returns false while a turn is running or a reply is being delivered: nothing was changed
   */
  renumber(contact: ContactId, target: ContactId): Promise<boolean>;
  /** Makes an alias one of another contact; nothing is moved. */
  point(alias: ContactId, target: ContactId): Promise<void>;
}

export interface AliasesOptions {
  redis: RedisClient;
  run: RunScript;
  keys: Keys;
  historyTtlMs: number;
  /** Names this process, see `processes.ts`. Whoever holds no lease leaves it out. */
  processId?: string;
}

/** More aliases of aliases than this are a circle. */
const MOST_HOPS = 8;
/** When a move that was interrupted is continued, ms. */
const CONTINUED_AFTER_MS = 5_000;

export function createAliases({ redis, run, keys, historyTtlMs, processId = '' }: AliasesOptions): Aliases {
  return { rootOf, link, renumber, point };

  async function rootOf(contact: ContactId): Promise<ContactId> {
    let root = contact;
    for (let hops = 0; hops < MOST_HOPS; hops++) {
      const target = await redis.get(keys.of(root).alias).catch((error) => Promise.reject(unavailable(error)));
      if (target === null) return root;
      root = target;
    }
    throw new RangeError(`the aliases of ${contact} lead in a circle`);
  }

  function link(contact: ContactId, wanted: ContactId, turn = ''): Promise<ContactId | null> {
    return linkAs(contact, wanted, '', turn);
  }

  /** @param number the contact's numbers become this one; '' = they stay */
  async function linkAs(contact: ContactId, wanted: ContactId, number: string, turn = ''): Promise<ContactId | null> {
    const target = await rootOf(wanted);
    if (target === contact) return contact;
    const key = keys.of(contact);
    const departed = await run(
      'depart',
      [key.alias, key.lease, key.reply, key.mailbox, key.state, key.history, key.seen, key.due],
      [target, turn && leaseOf(processId, turn), contact, CONTINUED_AFTER_MS, historyTtlMs, newId()],
    );
    const [kind, name, ...memory] = Array.isArray(departed) ? departed : [];
    if (kind === 'busy') return null;
    const root = await rootOf(String(name));
    if (kind === 'move') {
      await add(root, memory, number);
      await removeMemory(contact);
    }
    return root;
  }

  async function renumber(contact: ContactId, target: ContactId): Promise<boolean> {
    if ((await linkAs(contact, target, target)) === null) return false;
    await redis.del(keys.of(contact).alias).catch((error) => Promise.reject(unavailable(error)));
    return true;
  }

  async function point(alias: ContactId, target: ContactId): Promise<void> {
    await redis
      .set(keys.of(alias).alias, target, 'PX', historyTtlMs)
      .catch((error) => Promise.reject(unavailable(error)));
  }

  async function add(contact: ContactId, memory: unknown[], number: string): Promise<void> {
    const key = keys.of(contact);
    await run(
      'arrive',
      [key.state, key.history, key.mailbox, key.seen, key.due, key.alias],
      [historyTtlMs, contact, ...memory.map((part) => JSON.stringify(part)), number],
    );
  }

  async function removeMemory(contact: ContactId): Promise<void> {
    const { state, history, mailbox, seen, due } = keys.of(contact);
    await redis
      .multi()
      .del(state, history, mailbox, seen)
      .zrem(due, contact)
      .exec()
      .catch((error) => Promise.reject(unavailable(error)));
  }
}
