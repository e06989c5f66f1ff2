import { randomFillSync } from 'node:crypto';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEF';
const LENGTH = 18;

/** Random bytes in stock: asking the system for a few at a time costs more than all the rest. */
const stock = Buffer.alloc(LENGTH * 256);
let used = stock.length;

/**
 * A name for a request or a turn: 18 letters, 90 random bits. Letters only, so that nothing that looks for phone numbers
 * or keys in a log line takes it for one.
 */
export function newId(): string {
  if (used === stock.length) {
    randomFillSync(stock);
    used = 0;
  }
  let id = '';
  for (const end = used + LENGTH; used < end; used++) id += LETTERS.charAt((stock[used] ?? 0) & 31);
  return id;
}
