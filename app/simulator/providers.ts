/** Joins the two providers and the phones of the people between them. */
import type { Log } from '../ops/logger.ts';
import {
  SIMULATED_ACCOUNT_ID,
  SIMULATED_CLOUD_NUMBER,
  SIMULATED_PHONE_NUMBER_ID,
  type SimulatedCloudNumber,
  simulatedAccount,
  simulatedCloudNumber,
} from './account.ts';
import type { Provider } from './contract.ts';
import type { Journal } from './journal.ts';
import { createMediaShelf, type MediaShelf } from './media.ts';
import { type MetaApi, startMetaApi } from './meta-api.ts';
import { createMetaCarrier } from './meta-carrier.ts';
import { createMetaFiles } from './meta-files.ts';
import { PEOPLE } from './people.ts';
import { createPhone } from './phone.ts';
import { createRouting, type ThreadRouting } from './routing.ts';
import type { Streams } from './stream.ts';
import { createSwitchboard, type Switchboard } from './switchboard.ts';
import { startTwilioApi, type TwilioApi } from './twilio-api.ts';
import { createTwilioCarrier } from './twilio-carrier.ts';

export interface Providers {
  twilio: TwilioApi;
  meta: MetaApi;
  /** All but where its API is. */
  cloudNumber: SimulatedCloudNumber;
  media: MediaShelf;
  switchboard: Switchboard;
  routing: ThreadRouting;
}

export interface ProviderPlaces {
  webhookUrl: string;
  metaWebhookUrl: string;
  publicUrl?: string | undefined;
  log: Log;
}

export interface ProviderTools {
  streams: Streams;
  journal: Journal;
  /** True when every file is to be missing. */
  isMissing: () => boolean;
}

export async function startProviders(
  { webhookUrl, metaWebhookUrl, publicUrl, log }: ProviderPlaces,
  { streams, journal, isMissing }: ProviderTools,
): Promise<Providers> {
  // Both accounts are known but for their addresses, which exist when their APIs listen.
  const { accountSid, authToken, number } = simulatedAccount('');
  const cloudNumber = simulatedCloudNumber('');
  const { accessToken, appSecret } = cloudNumber;
  const own = {
    number: SIMULATED_CLOUD_NUMBER,
    phoneNumberId: SIMULATED_PHONE_NUMBER_ID,
    accountId: SIMULATED_ACCOUNT_ID,
  };
  const onFetched = (sid: string, step: 'api' | 'cdn', status: number) => switchboard.onFetched(sid, step, status);
  const media = createMediaShelf({ accountSid, authToken, isMissing, onFetched });
  const files = createMetaFiles({ shelf: media, isMissing, onFetched, now: Date.now });
  const carrier = createMetaCarrier({
    webhookUrl: metaWebhookUrl,
    appSecret,
    own,
    files,
    lastAnswerTo: (contact) => lastAnswerIn(journal, 'meta', contact),
    now: Date.now,
  });
  const twilio = await startTwilioApi({
    accountSid,
    authToken,
    number,
    botUrl: new URL(webhookUrl).origin,
    publicUrl,
    onOutgoing(outgoing) {
      streams.publish(outgoing);
      switchboard.onOutgoing('twilio', outgoing);
    },
    onCallback: (callback) => switchboard.onCallback('twilio', callback),
    serveFile: (request) => media.serve(request),
    log,
  });
  const meta = await startMetaApi({
    accessToken,
    own,
    files,
    isPerson: (contact) => [...PEOPLE, ...switchboard.people()].some((person) => person.contact === contact),
    wroteAt: carrier.wroteAt,
    onRouted: (contact, others) => routing.set(contact, others),
    onOutgoing: (outgoing) => switchboard.onOutgoing('meta', outgoing),
    onCallback: (callback) => switchboard.onCallback('meta', callback),
    post: carrier.post,
    now: Date.now,
    log,
  });
  const signedUrl = publicUrl ? `${publicUrl}${new URL(webhookUrl).pathname}` : webhookUrl;
  const phone = createPhone({ webhookUrl, signedUrl, authToken, accountSid, businessNumber: number });
  const mediaUrl = (messageSid: string, id: string) => twilio.url + media.pathOf(messageSid, id);
  const lastAnswerTo = (contact: string) => lastAnswerIn(journal, 'twilio', contact);
  const switchboard = createSwitchboard({
    carriers: { twilio: createTwilioCarrier({ phone, webhookUrl, mediaUrl, lastAnswerTo }), meta: carrier },
    journal,
    reply: (contact, reply) => twilio.reply(contact, reply),
  });
  const routing = createRouting({ carrier, switchboard, journal });
  return { twilio, meta, cloudNumber, media, switchboard, routing };
}

/** The id of a message that a button could have stood under. */
function lastAnswerIn(journal: Journal, provider: Provider, contact: string): string | undefined {
  const { events } = journal.after('');
  const answer = events.findLast(
    (event) => event.type === 'answer' && event.provider === provider && event.contact === contact,
  );
  return answer?.type === 'answer' ? answer.sid : undefined;
}
