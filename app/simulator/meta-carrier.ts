/** How Meta brings what a person wrote: as a signed batch, and as `standby` while another responder owns the thread. */
import { randomBytes } from 'node:crypto';
import type { Delivery, Written } from './contract.ts';
import type { MetaFiles } from './meta-files.ts';
import {
  bytesOf,
  handoverBatch,
  messageFrom,
  messagesBatch,
  type OwnNumber,
  profileOf,
  signatureOf,
} from './meta-messages.ts';
import { postWebhook } from './post.ts';
import type { Carrier } from './switchboard.ts';

export interface MetaCarrier extends Carrier {
  /** Posts a batch, signed. Never rejects. */
  post(batch: object): Promise<Delivery>;
  /** When somebody last wrote to this number, unix ms; 0 = never. */
  wroteAt(contact: string): number;
  /** Does another responder own the thread? */
  isOthers(contact: string): boolean;
  /** From now on another one owns it; or we do, without a word: a message of ours took it. */
  setOthers(contact: string, others: boolean): void;
  /** The other responder passes the thread to us, and says what it was about. */
  passControl(contact: string, summary: string): Promise<Delivery>;
  /** Forgets what it knows of a contact. */
  forget(contact: string): void;
}

export interface MetaCarrierOptions {
  /** The address that webhooks go to. */
  webhookUrl: string;
  appSecret: string;
  own: OwnNumber;
  files: Pick<MetaFiles, 'publish'>;
  /** The id of a message that a button could have stood under. */
  lastAnswerTo: (contact: string) => string | undefined;
  now: () => number;
}

export function createMetaCarrier(options: MetaCarrierOptions): MetaCarrier {
  const { webhookUrl, appSecret, own, files, lastAnswerTo, now } = options;
  const wrote = new Map<string, number>();
  /** Whose threads another responder owns. */
  const others = new Set<string>();
  return {
    pack(written) {
      const { contact } = written;
      const id = newWamid();
      const at = now();
      wrote.set(contact, at);
      const batch = batchAround(written, id, at);
      return { sid: id, bring: async () => ({ delivery: await post(batch), replies: [] }) };
    },
    post,
    wroteAt: (contact) => wrote.get(contact) ?? 0,
    isOthers: (contact) => others.has(contact),
    setOthers(contact, isOthers) {
      if (isOthers) others.add(contact);
      else others.delete(contact);
    },
    passControl(contact, summary) {
      others.delete(contact);
      return post(handoverBatch(own, contact, summary));
    },
    forget(contact) {
      wrote.delete(contact);
      others.delete(contact);
    },
  };

  function batchAround(written: Written, id: string, at: number): object {
    const { contact, media } = written;
    const file = media ? files.publish(media.id, id) : {};
    const message = messageFrom(written, own.number, { id, at, ...file, repliedTo: lastAnswerTo(contact) });
    return messagesBatch(own, { contacts: [profileOf(written)], messages: [message] }, others.has(contact));
  }

  async function post(batch: object): Promise<Delivery> {
    const body = bytesOf(batch);
    const signature = signatureOf(appSecret, body);
    const headers = { 'Content-Type': 'application/json', 'User-Agent': 'facebookexternalua' };
    const { at: _at, ...posted } = await postWebhook(webhookUrl, body, {
      ...headers,
      'X-Hub-Signature-256': signature,
    });
    return { url: webhookUrl, signedUrl: webhookUrl, signature, fields: {}, body, ...posted };
  }
}

/** The id of a message as Meta makes them, in letters that may stand in an address. Hex digits would look like ids of Twilio. */
export function newWamid(): string {
  return `wamid.HBgL${randomBytes(24).toString('base64').replace(/[+/]/g, 'x')}`;
}
