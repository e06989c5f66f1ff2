/** Amounts of money as people read them. The API writes them exactly, as decimals: `0.0045`. */
import type { Sum } from '../../inbox/contract.ts';

/** Below one unit, more decimals are shown than a currency has: most calls of a model cost less than a cent. */
const SMALL = 1;
const DECIMALS_OF_SMALL = 4;

/** `12.50 USD`; `0.0045 USD`. Rounded to the cent, and below one unit to four decimals. */
export function money(amount: string, currency: string): string {
  return `${rounded(Number(amount))} ${currency}`;
}

/** The same without the currency. */
export function rounded(value: number): string {
  const most = Math.abs(value) < SMALL ? DECIMALS_OF_SMALL : 2;
  return value.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: most });
}

/** With all decimals. */
export function inFull(amount: string, currency: string): string {
  return `${amount} ${currency}`;
}

/** `12.50 USD and 3.00 EUR`; nothing is `0.00` of the main currency. */
export function sumsInWords(sums: readonly Sum[], main: string): string {
  if (sums.length === 0) return money('0', main);
  return sums.map(({ amount, currency }) => money(amount, currency)).join(' and ');
}
