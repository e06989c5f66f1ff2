/** The files of messages that came in: two steps, an id → an address that lives for minutes → bytes. */
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { Failure, isFailure } from '../../errors.ts';
import type { Downloader } from '../../media/download.ts';
import type { DownloadOptions } from '../channel.ts';
import type { Graph } from './graph.ts';

export interface MetaMediaOptions {
  graph: Pick<Graph, 'get'>;
  accessToken: string;
  apiBase: string;
  downloader: Downloader;
}

const Media = z.object({ url: z.string() });

/** Where Meta keeps files: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media */
const HOSTS = /^([a-z0-9-]+\.)*fbsbx\.com$/;

/** The waits before the address is asked for again, ms: it can be missing for a moment, and lives for minutes. */
const WAITS_MS = [1_000, 3_000];

/** @returns fetches a file by its id. The token goes to Meta's own hosts alone, whatever an address says. */
export function createMetaDownload({ graph, accessToken, apiBase, downloader }: MetaMediaOptions) {
  const trusted = new URL(apiBase).origin;
  return async function download(ref: string, options: DownloadOptions = {}): Promise<Buffer> {
    if (ref === '') throw new Failure('media.refused', 'A webhook named a file without an id; it was not fetched.');
    for (const waitMs of WAITS_MS) {
      try {
        return await fetchFile(ref, options);
      } catch (error) {
        if (options.signal?.aborted || !isFailure(error) || !(error.retryable || error.code === 'media.gone'))
          throw error;
        await sleep(waitMs, undefined, options.signal ? { signal: options.signal } : {});
      }
    }
    return fetchFile(ref, options);
  };

  async function fetchFile(ref: string, options: DownloadOptions): Promise<Buffer> {
    const url = await addressOf(ref, options.signal);
    const credentials = { authorization: `Bearer ${accessToken}`, settings: 'ACCESS_TOKEN' };
    return downloader.download({ url, credentials, ...options });
  }

  async function addressOf(ref: string, signal?: AbortSignal): Promise<URL> {
    const answer = await graph.get(ref, signal).catch((error: unknown) => {
      if (signal?.aborted) throw signal.reason;
      throw asMedia(error);
    });
    const url = Media.safeParse(answer).data?.url ?? '';
    if (!URL.canParse(url)) throw new Failure('media.gone', 'Meta does not say where a file is.');
    const address = new URL(url);
    const isMetas = address.protocol === 'https:' && address.port === '' && HOSTS.test(address.hostname);
    if (!isMetas && address.origin !== trusted) {
      throw new Failure('media.refused', "A file was said to be at a host that is not Meta's; it was not fetched.");
    }
    return address;
  }
}

/** Maps a failure of the channel to one of a file. */
function asMedia(error: unknown): Failure {
  if (!isFailure(error)) return new Failure('media.unreachable', 'A file could not be fetched.', { cause: error });
  const { message, providerCode, cause } = error;
  const more = { providerCode, cause };
  if (error.code === 'channel.credentials') return new Failure('media.credentials', message, more);
  if (error.retryable) return new Failure('media.unreachable', 'Meta does not say where a file is right now.', more);
  return new Failure('media.gone', 'Meta does not have a file, or no longer.', more);
}
