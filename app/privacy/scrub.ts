declare const scrubbed: unique symbol;
/** A text that `scrub` has seen. The places behind the border accept nothing else. */
export type Scrubbed = string & { readonly [scrubbed]: true };
export const PLACEHOLDER = '[MEDIA_CONTENT]';
export function scrub(text: string): Scrubbed {
  return text as Scrubbed;
}
