import type { LookupAddress } from 'node:dns';
import { lookup } from 'node:dns/promises';
import { isIP, type LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { Failure } from '../errors.ts';
import { isPublicAddress } from './addresses.ts';

export interface GuardOptions {
  /** Origins that may be anywhere, this machine included: they come from the settings, not from strangers. */
  trustedOrigins: readonly string[];
  /** A name's addresses, all of them. As given: what the system says. */
  resolve?: (hostname: string) => Promise<LookupAddress[]>;
  /** As given: `isPublicAddress`. */
  isAllowed?: (address: string) => boolean;
}

/** How long a connection may take to be made, ms. */
const CONNECT_MS = 5_000;

/**
 * Makes undici's connections, to public addresses only. The check is part of the connecting: a name is resolved once, and
 * the socket is given exactly the addresses that were checked, so that they cannot change in between.
 *
 * Fails with `media.refused`; for a name as soon as one of its addresses is not public.
 */
export function createGuardedConnect(options: GuardOptions): buildConnector.connector {
  const { trustedOrigins, resolve = systemResolve, isAllowed = isPublicAddress } = options;
  const connectAnywhere = buildConnector({ timeout: CONNECT_MS });
  const connectChecked = buildConnector({ timeout: CONNECT_MS, lookup: checkedLookup(resolve, isAllowed) });
  return (target, callback) => {
    const { protocol, host, hostname } = target;
    if (host !== undefined && trustedOrigins.includes(new URL(`${protocol}//${host}`).origin))
      return connectAnywhere(target, callback);
    // Sockets look no address up that is one already.
    if (isIP(hostname) !== 0 && !isAllowed(hostname)) return callback(refused(), null);
    connectChecked(target, callback);
  };
}

function checkedLookup(
  resolve: (hostname: string) => Promise<LookupAddress[]>,
  isAllowed: (address: string) => boolean,
): LookupFunction {
  return (hostname, { all }, callback) => {
    const answer = (error: Error | null, addresses: LookupAddress[] = []) => {
      const [first = { address: '', family: 0 }] = addresses;
      if (all) callback(error, addresses);
      else callback(error, first.address, first.family);
    };
    resolve(hostname).then(
      (addresses) => answer(problemWith(addresses, isAllowed), addresses),
      (error: Error) => answer(error),
    );
  };
}

function problemWith(addresses: LookupAddress[], isAllowed: (address: string) => boolean): Error | null {
  if (addresses.length === 0) return Object.assign(new Error('The name has no address'), { code: 'ENOTFOUND' });
  return addresses.every(({ address }) => isAllowed(address)) ? null : refused();
}

function refused(): Failure {
  return new Failure('media.refused', 'A file was said to be at an address that is not public; it was not fetched.');
}

function systemResolve(hostname: string): Promise<LookupAddress[]> {
  return lookup(hostname, { all: true });
}
