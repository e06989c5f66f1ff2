import { randomBytes } from 'node:crypto';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEF';

/**
 * A name for a request or a turn: 18 letters, 90 random bits. Letters only, so that nothing that looks for phone numbers
 * or keys in a log line takes it for one.
 */
export function newId(): string {
  let id = '';
  for (const byte of randomBytes(18)) id += LETTERS.charAt(byte & 31);
  return id;
}
