/** Money, exactly: whole billionths of a currency's unit, because one token costs no more than some hundred of them. */

export interface Money {
  /** A whole number below 2^53, which are nine million units. A sum of many amounts is a `bigint`. */
  billionths: number;
  /** ISO 4217: `USD`. */
  currency: string;
}

const DIGITS = 9;
const UNIT = 10 ** DIGITS;

/** Reads an amount as people write it, such as `0.0045`. @returns billionths; null for anything else, and above nine million */
export function readAmount(text: string): number | null {
  const [, whole, decimals = ''] = /^(\d{1,7})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  if (whole === undefined) return null;
  const billionths = Number(whole) * UNIT + Number(decimals.padEnd(DIGITS, '0'));
  return Number.isSafeInteger(billionths) ? billionths : null;
}

/** The way back, with at least two decimals and no zeros behind them: `12.50`, `0.0045`. */
export function decimalOf(billionths: bigint | number): string {
  const amount = BigInt(billionths);
  const digits = String(amount < 0n ? -amount : amount).padStart(DIGITS + 1, '0');
  const decimals = digits.slice(-DIGITS).replace(/0{1,7}$/, '');
  return `${amount < 0n ? '-' : ''}${digits.slice(0, -DIGITS)}.${decimals}`;
}
