/** Where a conversation is on this page. */

/** Names a conversation: the contact's address, and our number; without it the conversation that was active last is meant. */
export interface Place {
  phone: string;
  business?: string | undefined;
}

/** @param more further parameters, such as `message` */
export function threadPath({ phone, business }: Place, more: Record<string, string> = {}): string {
  return withQuery(`/with/${encodeURIComponent(phone)}`, { ...(business ? { number: business } : {}), ...more });
}

export function withQuery(path: string, parameters: Record<string, string>): string {
  const query = new URLSearchParams(parameters).toString();
  return query === '' ? path : `${path}?${query}`;
}
