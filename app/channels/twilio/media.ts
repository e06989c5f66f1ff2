/** The files of messages that came in. https://www.twilio.com/docs/messaging/api/media-resource */
import { Failure } from '../../errors.ts';
import type { Downloader, DownloadRequest } from '../../media/download.ts';
import type { Attachment } from '../../message.ts';
import { mediaPath } from './parse.ts';

export interface TwilioMediaOptions {
  accountSid: string;
  authToken: string;
  /** `https://api.twilio.com`, that of a region, or any other origin with or without a path: all that credentials go to. */
  apiBaseUrl: string;
  downloader: Downloader;
}

export interface TwilioMedia {
  /**
   * An attachment's bytes. The address is made here of the configured one, our own account and the ids in `ref`; what a
   * webhook said about the host has no part in it. Rejects as `Downloader.download` does.
   */
  download(
    ref: Attachment['ref'],
    options?: Pick<DownloadRequest, 'signal' | 'log' | 'isWanted' | 'onHop'>,
  ): Promise<Buffer>;
}

export function createTwilioMedia(options: TwilioMediaOptions): TwilioMedia {
  const { accountSid, authToken, apiBaseUrl, downloader } = options;
  const base = apiBaseUrl.replace(/\/+$/, '');
  const credentials = {
    authorization: `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`,
    settings: 'TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN',
  };
  return {
    async download(ref, options = {}) {
      const path = mediaPath(accountSid, ref);
      if (path === null) {
        throw new Failure(
          'media.refused',
          'A webhook named a file that is not one of our account; it was not fetched.',
        );
      }
      return downloader.download({ url: new URL(base + path), credentials, ...options });
    },
  };
}
