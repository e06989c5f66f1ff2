/** How connections to a provider break. */

/** Names and hosts that do not answer, and certificates that are refused: all before a request is written. */
const BEFORE_SENDING = new Set(
  `ECONNREFUSED ENOTFOUND EAI_AGAIN EAI_FAIL EHOSTUNREACH EHOSTDOWN ENETUNREACH ENETDOWN EADDRNOTAVAIL EPROTO
   CERT_HAS_EXPIRED CERT_NOT_YET_VALID DEPTH_ZERO_SELF_SIGNED_CERT SELF_SIGNED_CERT_IN_CHAIN
   UNABLE_TO_VERIFY_LEAF_SIGNATURE UNABLE_TO_GET_ISSUER_CERT UNABLE_TO_GET_ISSUER_CERT_LOCALLY
   ERR_TLS_CERT_ALTNAME_INVALID ERR_INVALID_URL UND_ERR_CONNECT_TIMEOUT`.split(/\s+/),
);

/**
 * Had the request certainly not left us when its connection broke?
 * @param error as a client throws it; what Node says may be its cause
 * @param code the error's, when the client has one of its own
 */
export function neverLeft(error: unknown, code: string): boolean {
  const cause = isRecord(error) && isRecord(error.cause) ? error.cause : {};
  const syscall = (isRecord(error) ? error.syscall : undefined) ?? cause.syscall;
  if (syscall === 'connect') return true;
  // A connection that was kept may break this way, too, with the request on its way.
  return BEFORE_SENDING.has(code) && syscall !== 'read' && syscall !== 'write';
}

/** An error with nothing but its name and its words. Clients hang the request on theirs, with credentials and text. */
export function slim(error: unknown): Error {
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return Object.assign(new Error(message), { name });
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
