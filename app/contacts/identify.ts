/** Who wrote: several addresses in one webhook are one person. */
import type { Aliases } from '../memory/aliases.ts';
import type { ContactId, InboundMessage } from '../message.ts';
import { contactIdOf, isNumber } from './addresses.ts';

export interface Identify {
  /**
   * The same message with the contact it belongs to. Its addresses become aliases of that contact when they were not: the first time
   * this process sees them, one round trip to Redis; none for a message with one address.
   * Rejects with `store.unavailable`.
   */
  identify(message: InboundMessage): Promise<InboundMessage> | InboundMessage;
  /** Redis said that `contact` is an alias of `root`. @returns the message with that contact */
  moved(message: InboundMessage, root: ContactId): InboundMessage;
}

/** How many contacts are remembered, to save the round trip: about 10 MB. */
const MOST_KNOWN = 50_000;

export function createIdentify({ aliases }: { aliases: Pick<Aliases, 'link' | 'point'> }): Identify {
  /** Address → contact, the oldest first. */
  const known = new Map<string, ContactId>();
  return { identify, moved };

  function identify(message: InboundMessage): Promise<InboundMessage> | InboundMessage {
    const addresses = addressesIn(message);
    const contact = known.get(addresses[0] ?? message.contact);
    if (contact !== undefined && addresses.every((address) => known.get(address) === contact)) {
      return contact === message.contact ? message : { ...message, contact };
    }
    return addresses.length === 1 ? message : linked(message, addresses);
  }

  async function linked(message: InboundMessage, addresses: readonly ContactId[]): Promise<InboundMessage> {
    const number = addresses.find(isNumber);
    const ids = addresses.filter((address) => !isNumber(address));
    const contact = number === undefined ? await sameAs(ids) : await ownerOf(ids, number);
    if (contact !== null) for (const id of ids) remember(id, contact);
    if (contact !== null && number !== undefined) remember(number, contact);
    const named = contact ?? number ?? message.contact;
    return named === message.contact ? message : { ...message, contact: named };
  }

  /**
   * Makes ids aliases of a number. A number is always a contact of its own: an id that belonged to another number has a new owner, and
   * what was said with the old one stays there.
   * @returns the number; null when an id could not be linked yet
   */
  async function ownerOf(ids: readonly string[], number: ContactId): Promise<ContactId | null> {
    let complete = true;
    for (const id of ids) {
      const root = await aliases.link(id, number);
      if (root === null) complete = false;
      else if (root !== number && isNumber(root)) await aliases.point(id, number);
      else if (root !== number) complete &&= (await aliases.link(root, number)) !== null;
    }
    return complete ? number : null;
  }

  /** Makes ids aliases of one contact: of the one that one of them is an alias of already, else of the first. */
  async function sameAs([first = '', ...others]: readonly string[]): Promise<ContactId | null> {
    let contact: ContactId | null = first;
    for (const id of others) {
      const root = await aliases.link(id, contact);
      if (root === null) return null;
      if (root !== contact) contact = await aliases.link(contact, root);
      if (contact === null) return null;
    }
    return contact;
  }

  function moved(message: InboundMessage, root: ContactId): InboundMessage {
    // A number is an alias only for the moment in which its contact gets another one.
    if (!isNumber(message.from)) remember(contactIdOf(message.from), root);
    return { ...message, contact: root };
  }

  function remember(address: string, contact: ContactId): void {
    known.delete(address);
    known.set(address, contact);
    const [oldest] = known.keys();
    if (known.size > MOST_KNOWN && oldest !== undefined) known.delete(oldest);
  }
}

/** Canonical, each once, the one they wrote from first. Of several numbers the first counts: two numbers are two contacts. */
function addressesIn({ from, aliases = [] }: InboundMessage): ContactId[] {
  if (aliases.length === 0) return [contactIdOf(from)];
  const addresses = [...new Set([from, ...aliases].map(contactIdOf))];
  const number = addresses.find(isNumber);
  return addresses.filter((address) => address === number || !isNumber(address));
}
