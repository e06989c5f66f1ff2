/** Twilio's way to write an address on WhatsApp, and ours (see `message.ts`). */

/**
 * `15550100123` → `whatsapp:+15550100123`. A username id has no `+`: `US.1A2B` → `whatsapp:US.1A2B`.
 * https://www.twilio.com/docs/whatsapp/key-concepts
 */
export function toAddress(address: string): string {
  return /^\d+$/.test(address) ? `whatsapp:+${address}` : `whatsapp:${address}`;
}

/**
 * The way back: takes off `whatsapp:` and `+` and nothing else, because an id that is no number counts letter for
 * letter. Also takes a `+` that a form which was not encoded has turned into a space.
 */
export function fromAddress(address: string): string {
  return address
    .trim()
    .replace(/^whatsapp:\s*/i, '')
    .replace(/^\+/, '');
}
