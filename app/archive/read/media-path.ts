/** Where a browser gets the file number `n` of a message from. */
export function mediaPath(messageId: string, n: number): string {
  return `/api/whatsapp/media/${messageId}/${n}`;
}
