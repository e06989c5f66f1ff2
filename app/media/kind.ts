/** What a file really is, by its bytes: what providers say of it may be missing or wrong. */
import { isRecording } from './audio.ts';
import { isContactCard } from './contact-card.ts';
import { typeOfBytes } from './type.ts';

export type MediaKind = 'image' | 'audio' | 'contact-card' | 'other';

/** A container of films without a film's name counts as other: only who sent it as a voice note meant its sound. */
export async function kindOfBytes(bytes: Buffer): Promise<MediaKind> {
  const mime = await typeOfBytes(bytes);
  if (mime?.startsWith('image/')) return 'image';
  if (mime !== undefined && isRecording(mime)) return 'audio';
  return isContactCard(bytes) ? 'contact-card' : 'other';
}
