/** Is a webhook really Twilio's? https://www.twilio.com/docs/usage/security#validating-requests */
import type { IncomingMessage } from 'node:http';
// The package's front door loads the whole SDK; this file of it needs nothing but node:crypto.
import { getExpectedTwilioSignature, validateRequest, validateRequestWithBody } from 'twilio/lib/webhooks/webhooks.js';

/** The fields of a form as they were sent, decoded, in their order and with their repeats. */
export type Pairs = Iterable<[name: string, value: string]>;

export interface SignedForm {
  /** Auth tokens, any of which may have signed: two while they are rotated. */
  tokens: readonly string[];
  /** What `X-Twilio-Signature` says. */
  signature: string | undefined;
  /** The address as Twilio called it, see `signedUrl`. */
  url: string;
  pairs: Pairs;
}

/** Whether Twilio signed this form for this address. Never throws. */
export function isSigned({ tokens, signature, url, pairs }: SignedForm): boolean {
  const params = paramsOf(pairs);
  const signed = withoutFragment(url);
  return someToken(tokens, signature, (token, header) => validateRequest(token, header, signed, params));
}

/**
 * The same for a JSON body, whose hash is in the address (`bodySHA256`). Never throws.
 * @param body as it was received, to the byte
 */
export function isSignedJson({ tokens, signature, url, body }: Omit<SignedForm, 'pairs'> & { body: string }): boolean {
  const signed = withoutFragment(url);
  return someToken(tokens, signature, (token, header) => validateRequestWithBody(token, header, signed, body));
}

/** What Twilio writes into `X-Twilio-Signature`. For the simulator, scripts and tests. */
export function sign(token: string, url: string, pairs: Pairs): string {
  return getExpectedTwilioSignature(token, withoutFragment(url), paramsOf(pairs));
}

/** How our own address can be known. */
export interface AddressSource {
  /** The address Twilio calls, as configured; may have a path in front of ours. */
  publicUrl: string | undefined;
  /** Believe what a proxy says in `X-Forwarded-Proto` and `X-Forwarded-Host`. */
  trustProxy: boolean;
}

/**
 * The address that Twilio made its signature over: path and query exactly as they were received, behind the configured
 * public address, else behind the one in the proxy's headers, else behind the one that was called here.
 */
export function signedUrl(request: IncomingMessage, { publicUrl, trustProxy }: AddressSource): string {
  return (publicUrl?.replace(/\/+$/, '') || calledOrigin(request, trustProxy)) + originalTarget(request.url);
}

function calledOrigin({ headers, socket }: IncomingMessage, trustProxy: boolean): string {
  const forwarded = (name: string) => (trustProxy ? first(headers[name]) : undefined);
  // A socket is encrypted exactly when it is a TLSSocket, which is the one that has the field.
  const protocol = forwarded('x-forwarded-proto') ?? ('encrypted' in socket ? 'https' : 'http');
  return `${protocol}://${forwarded('x-forwarded-host') ?? headers.host ?? ''}`;
}

/** Each proxy on the way appends its own value; the first is what the caller used. */
function first(header: string | string[] | undefined): string | undefined {
  const list = Array.isArray(header) ? header[0] : header;
  return list?.split(',', 1)[0]?.trim() || undefined;
}

/** Path and query; a request may also name the whole address (RFC 9112, absolute-form). */
function originalTarget(target = '/'): string {
  return target.startsWith('/') ? target : target.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '');
}

/** Webhook settings behind a `#` (`#rc=2`) stay with Twilio: neither sent nor signed. */
function withoutFragment(url: string): string {
  const hash = url.indexOf('#');
  return hash === -1 ? url : url.slice(0, hash);
}

/** The helper wants an object. Without a prototype it takes any name, `__proto__` too; repeated names become lists. */
function paramsOf(pairs: Pairs): Record<string, string | string[]> {
  const params: Record<string, string | string[]> = Object.create(null);
  for (const [name, value] of pairs) {
    const known = params[name];
    if (known === undefined) params[name] = value;
    else if (Array.isArray(known)) known.push(value);
    else params[name] = [known, value];
  }
  return params;
}

function someToken(
  tokens: readonly string[],
  signature: string | undefined,
  validates: (token: string, signature: string) => boolean,
): boolean {
  if (!signature) return false;
  try {
    return tokens.some((token) => token !== '' && validates(token, signature));
  } catch {
    return false; // the helper throws for an address that is none
  }
}
