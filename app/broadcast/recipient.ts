/** Who a broadcast goes to, from what people write into lists. */
import { contactIdOf, isNumber, readAddress } from '../contacts/addresses.ts';
import type { ContactId } from '../message.ts';

export interface RecipientOfList {
  /** Without `+`. */
  address: string;
  /** The same for every spelling of the number. */
  contact: ContactId;
}

/** What is said of an entry that names nobody. */
export const INVALID_NUMBER = 'Invalid phone number';

/** @returns null for what is neither a number with its country code nor the id of somebody without one */
export function readRecipient(given: string): RecipientOfList | null {
  const address = readAddress(given.trim().replace(/^00(?=[1-9])/, '+'));
  const isAddress = isNumber(address) ? /^[1-9]\d{6,14}$/.test(address) : /^[A-Z]{2}\.[\w.]{1,128}$/.test(address);
  return isAddress ? { address, contact: contactIdOf(address) } : null;
}

/** How an entry is named in an answer: its digits, or as it was written when it has none. */
export function digitsOf(given: string): string {
  const digits = given.replace(/\D/g, '');
  return (digits || given.trim()).slice(0, 100);
}
