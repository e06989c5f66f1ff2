/** `X-Hub-Signature-256`: an HMAC-SHA256 over the bytes of the body. https://developers.facebook.com/docs/graph-api/webhooks/getting-started */
import { createHmac, timingSafeEqual } from 'node:crypto';

export interface SignedBody {
  /** The secret of the app, from its basic settings. */
  appSecret: string;
  /** The header: `sha256=` and 64 hex digits. '' when it is missing. */
  signature: string;
  /** As they were received: Meta writes what is not ASCII as `\uXXXX`, so JSON that is written again never fits. */
  bytes: Buffer;
}

export function isSigned({ appSecret, signature, bytes }: SignedBody): boolean {
  const [, given] = /^sha256=([0-9a-f]{64})$/i.exec(signature.trim()) ?? [];
  if (given === undefined) return false;
  return timingSafeEqual(Buffer.from(given, 'hex'), createHmac('sha256', appSecret).update(bytes).digest());
}
