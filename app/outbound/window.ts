/** WhatsApp's customer-service window: we may write freely for 24 hours after a person's last message, then only templates. */
export const WINDOW_MS = 24 * 3_600_000;

/**
 * When the window closes, unix ms. https://www.twilio.com/docs/whatsapp/key-concepts
 * @param lastInboundAt the person's last message, unix ms; 0 when they never wrote
 */
export function windowUntil(lastInboundAt: number): number {
  return lastInboundAt === 0 ? 0 : lastInboundAt + WINDOW_MS;
}

export function isWindowOpen(lastInboundAt: number, now: number): boolean {
  return now < windowUntil(lastInboundAt);
}
