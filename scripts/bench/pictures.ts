/** Photos as people send them. */
import sharp from 'sharp';
import { sign } from '../../app/channels/twilio/signature.ts';
import { ACCOUNT_SID, AUTH_TOKEN, PATH, PUBLIC_URL } from './webhooks.ts';

/** 12 megapixels. */
const PHOTO = { width: 4_032, height: 3_024 };

/** Noisy like a real one so that it is some megabytes large. */
export function takePhoto(): Promise<Buffer> {
  const noise = { type: 'gaussian', mean: 128, sigma: 30 } as const;
  return sharp({ create: { ...PHOTO, channels: 3, background: '#888', noise } })
    .jpeg({ quality: 85 })
    .toBuffer();
}

/** `photos` people send one each, at the same time. @returns how many webhooks were answered with 200. */
export async function sendPhotos(port: number, photos: number): Promise<number> {
  const statuses = await Promise.all(Array.from({ length: photos }, (_, i) => sendPhoto(port, i)));
  return statuses.filter((status) => status === 200).length;
}

async function sendPhoto(port: number, person: number): Promise<number> {
  const id = (prefix: string) => prefix + person.toString(16).padStart(32, 'a');
  const message = id('MM');
  const pairs = new URLSearchParams({
    AccountSid: ACCOUNT_SID,
    From: `whatsapp:+1555017${String(person).padStart(4, '0')}`,
    To: 'whatsapp:+14155238886',
    MessageSid: message,
    NumMedia: '1',
    MediaContentType0: 'image/jpeg',
    MediaUrl0: `https://api.twilio.com/2010-04-01/Accounts/${ACCOUNT_SID}/Messages/${message}/Media/${id('ME')}`,
  });
  const signature = sign(AUTH_TOKEN, PUBLIC_URL + PATH, pairs);
  const response = await fetch(`http://127.0.0.1:${port}${PATH}`, {
    method: 'POST',
    body: pairs,
    headers: { 'X-Twilio-Signature': signature },
  });
  await response.text();
  return response.status;
}
