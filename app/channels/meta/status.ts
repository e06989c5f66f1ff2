/** What became of a message of ours. https://developers.facebook.com/docs/whatsapp/cloud-api/webhooks/reference/messages/status */
import type { DeliveryStatus } from '../../message.ts';
import type { PartOf } from '../channel.ts';
import type { Status } from './shapes.ts';

/** The channel's name in conversations and settings. */
export const META = 'meta';

/** `played` is a voice note that was listened to. */
const STATES: Readonly<Record<string, DeliveryStatus['state']>> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  played: 'read',
  failed: 'failed',
};

/** @param business our number  @returns null when it does not say who got the message */
export function readStatus(status: Status, business: string): DeliveryStatus | null {
  const { id, recipient_id, recipient_user_id, pricing, errors } = status;
  const to = recipient_id?.replace(/^\+/, '') || recipient_user_id;
  if (!to) return null;
  const errorCode = errors[0]?.code;
  const word = status.status ?? '';
  return {
    channel: META,
    sid: id,
    state: (Object.hasOwn(STATES, word) ? STATES[word] : undefined) ?? 'queued',
    ...(errorCode && /^\d{1,9}$/.test(errorCode) ? { errorCode } : {}),
    business,
    to,
    ...partIn(status.biz_opaque_callback_data),
    ...(pricing && {
      pricing: {
        ...(pricing.category !== undefined && { category: pricing.category }),
        ...(pricing.billable === false && { free: true as const }),
      },
    }),
  };
}

/** Names a part of a reply. Meta repeats it in every status of the message: at most 512 bytes. */
export function nameOfPart({ replyId, part }: PartOf): string {
  return `${replyId}.${part}`;
}

function partIn(name: string | undefined): { replyId?: string; part?: number } {
  const [, replyId, part] = /^([\w-]{1,64})\.(\d{1,3})$/.exec(name ?? '') ?? [];
  return replyId === undefined ? {} : { replyId, part: Number(part) };
}
