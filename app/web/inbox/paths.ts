/** Where a conversation is on this page. */

/** Names a conversation: the contact's address, and our number; without it the conversation that was active last is meant. */
export interface Place {
  phone: string;
  business?: string | undefined;
}

/** @param more further parameters, such as `message` */
export function threadPath({ phone, business }: Place, more: Record<string, string> = {}): string {
  const query = new URLSearchParams({ ...(business ? { number: business } : {}), ...more }).toString();
  return `/with/${encodeURIComponent(phone)}${query === '' ? '' : `?${query}`}`;
}
