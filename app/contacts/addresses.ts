/** Addresses of people: one spelling for each, however it was written. */
import type { ContactId } from '../message.ts';

/** Countries whose mobile numbers have two spellings, of which WhatsApp and people use either. */
const SPELLINGS: readonly { written: RegExp; canonical: string }[] = [
  // Mexico dropped the 1 after the country code in 2019: https://en.wikipedia.org/wiki/Telephone_numbers_in_Mexico
  { written: /^521(\d{10})$/, canonical: '52$1' },
  // Argentina puts a 9 before mobile numbers that are called from abroad: https://en.wikipedia.org/wiki/Telephone_numbers_in_Argentina
  { written: /^549(\d{10})$/, canonical: '54$1' },
  // Brazil put a 9 before all mobile numbers (6 to 9) by 2016: https://en.wikipedia.org/wiki/Telephone_numbers_in_Brazil
  { written: /^55([1-9]\d)([6-9]\d{7})$/, canonical: '55$19$2' },
];

/**
 * The canonical spelling of an address without `+`: both spellings of a Mexican, Argentine or Brazilian mobile number have the same.
 * Anything that is no number counts letter by letter.
 */
export function contactIdOf(address: string): ContactId {
  for (const { written, canonical } of SPELLINGS) {
    if (written.test(address)) return address.replace(written, canonical);
  }
  return address;
}

/** Whether an address is a phone number rather than a username id or another id of the provider. */
export function isNumber(address: string): boolean {
  return /^\d+$/.test(address);
}

/** As people read it: `15550100123` → `+15550100123`. A username id (`US.1A2B`) stays as it is. */
export function phoneOf(address: string): string {
  return isNumber(address) ? `+${address}` : address;
}

/** The way back: `+15550100123` → `15550100123`. */
export function addressOf(phone: string): string {
  return phone.replace(/^\+/, '');
}

/** What a person typed or a program sent, as an address: `whatsapp:+1 (555) 010-0123` → `15550100123`. */
export function readAddress(given: string): string {
  const address = given.trim().replace(/^whatsapp:/i, '');
  const digits = address.replace(/[\s()./-]/g, '').replace(/^\+/, '');
  return isNumber(digits) ? digits : address;
}
