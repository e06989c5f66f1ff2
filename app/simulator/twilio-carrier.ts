/** How Twilio brings what a person wrote: as a signed form, whose response may hold the answer. */
import { newInboundSid } from './account.ts';
import type { Written } from './contract.ts';
import type { Phone } from './phone.ts';
import type { Carrier } from './switchboard.ts';

export interface TwilioCarrierOptions {
  phone: Phone;
  /** The address that webhooks go to. */
  webhookUrl: string;
  /** Where a message's file is, on the simulated API. */
  mediaUrl: (messageSid: string, id: string) => string;
  /** The id of a message that a button could have stood under. */
  lastAnswerTo: (contact: string) => string | undefined;
}

export function createTwilioCarrier({ phone, webhookUrl, mediaUrl, lastAnswerTo }: TwilioCarrierOptions): Carrier {
  return {
    pack(written) {
      const sid = newSid(written);
      // All of them are known after the first delivery.
      let fields = fieldsOf(written, sid);
      return {
        sid,
        async bring() {
          const { messages, at: _at, ...exchange } = await phone.write(written, written.text, fields);
          fields = exchange.fields;
          const replies = messages.map(({ text, mediaUrls, statusCallback }) => {
            const words = [text, ...mediaUrls].filter(Boolean).join('\n');
            return { text: words, ...(statusCallback ? { statusCallback } : {}) };
          });
          return { delivery: { url: webhookUrl, ...exchange }, replies: replies.filter(({ text }) => text !== '') };
        },
      };
    },
  };

  function fieldsOf({ media, location, button, text, contact }: Written, sid: string): Record<string, string> {
    const ids = { MessageSid: sid, SmsMessageSid: sid, SmsSid: sid };
    if (media)
      return { ...ids, ...mediaFields(media.contentType, media.name, text), MediaUrl0: mediaUrl(sid, media.id) };
    if (location) return { ...ids, ...locationFields(location) };
    if (button) return { ...ids, ...buttonFields(text, button.payload, lastAnswerTo(contact)) };
    return ids;
  }
}

/** Messages with a file have ids of their own kind. */
function newSid({ contact, media }: Written): string {
  const sid = newInboundSid(contact);
  return media ? `MM${sid.slice(2)}` : sid;
}

/** A caption comes with pictures only; a document has its name in its place. */
function mediaFields(contentType: string, name: string, caption: string): Record<string, string> {
  const family = contentType.split('/', 1)[0] ?? '';
  const known = family === 'image' || family === 'audio' || family === 'video';
  const type = /^text\/(?:x-)?vcard/.test(contentType) ? 'contacts' : known ? family : 'document';
  const body = type === 'image' ? caption : type === 'document' ? name : '';
  return { Body: body, NumMedia: '1', MessageType: type, MediaContentType0: contentType };
}

function locationFields({
  latitude,
  longitude,
  label,
  address,
}: NonNullable<Written['location']>): Record<string, string> {
  return {
    Body: '',
    MessageType: 'location',
    Latitude: String(latitude),
    Longitude: String(longitude),
    ...(label ? { Label: label } : {}),
    ...(address ? { Address: address } : {}),
  };
}

function buttonFields(title: string, payload: string, repliedTo: string | undefined): Record<string, string> {
  return {
    Body: title,
    MessageType: 'button',
    ButtonText: title,
    ButtonPayload: payload,
    ButtonType: 'REPLY',
    ...(repliedTo ? { OriginalRepliedMessageSid: repliedTo } : {}),
  };
}
