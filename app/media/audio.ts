/** A recording's bytes → what a transcription model wants to know of it. */
import { Failure } from '../errors.ts';
import { recordingSeconds } from './duration.ts';
import { LARGEST_RECORDING, LONGEST_RECORDING, SHORTEST_RECORDING } from './limits.ts';
import { typeOfBytes } from './type.ts';

export interface Voice {
  /** Models go by the ending, and know no `.oga` or `.opus`: `voice.ogg`. */
  filename: string;
  contentType: string;
  bytes: Buffer;
  /** Null when its container does not tell cheaply. */
  seconds: number | null;
}

export interface VoiceOptions {
  /** Does the server take bare AAC? OpenAI's does not; those that decode with ffmpeg do. */
  takesAac?: boolean;
  /** Bytes. */
  largest?: number;
}

/**
 * Looks at a recording; it is not decoded or changed.
 *
 * Rejects with a `Failure`: `media.unsupported` (AMR, music formats, not a recording), `media.too_large` (bytes, seconds),
 * `media.unreadable` (nothing known, or without a sound).
 */
export async function readVoice(bytes: Buffer, options: VoiceOptions = {}): Promise<Voice> {
  const { takesAac = false, largest = LARGEST_RECORDING } = options;
  const type = await typeOfBytes(bytes);
  if (type === undefined)
    throw new Failure('media.unreadable', 'What was sent as a voice note is no known kind of file.');
  const kind = KINDS.get(type);
  if (kind === undefined || (kind.ending === 'aac' && !takesAac)) {
    throw new Failure('media.unsupported', `What was sent as a voice note is ${type}, which models do not take.`);
  }
  if (bytes.length > largest) throw new Failure('media.too_large', `A voice note has more than ${largest} bytes.`);
  const seconds = recordingSeconds(bytes);
  checkLength(seconds);
  return { filename: `voice.${kind.ending}`, contentType: kind.contentType, bytes, seconds };
}

/**
 * By the type that the bytes show: what OpenAI lists (flac mp3 mp4 mpeg mpga m4a ogg wav webm), and AAC.
 * A container of films is all right: phones record into them, too.
 */
const KINDS = new Map<string, { ending: string; contentType: string }>([
  ['audio/ogg; codecs=opus', { ending: 'ogg', contentType: 'audio/ogg' }],
  ['audio/ogg', { ending: 'ogg', contentType: 'audio/ogg' }],
  ['audio/mpeg', { ending: 'mp3', contentType: 'audio/mpeg' }],
  ['audio/x-m4a', { ending: 'm4a', contentType: 'audio/mp4' }],
  ['audio/mp4', { ending: 'm4a', contentType: 'audio/mp4' }],
  ['video/mp4', { ending: 'mp4', contentType: 'audio/mp4' }],
  ['audio/wav', { ending: 'wav', contentType: 'audio/wav' }],
  ['video/webm', { ending: 'webm', contentType: 'audio/webm' }],
  ['audio/flac', { ending: 'flac', contentType: 'audio/flac' }],
  ['audio/aac', { ending: 'aac', contentType: 'audio/aac' }],
]);

/** Is this a recording's type? Films are not meant, although their sound could be heard. @param mime as the bytes show it */
export function isRecording(mime: string): boolean {
  return mime.startsWith('audio/') && KINDS.has(mime);
}

function checkLength(seconds: number | null): void {
  if (seconds === null) return;
  if (seconds < SHORTEST_RECORDING) throw new Failure('media.unreadable', 'There is no sound in a voice note.');
  if (seconds > LONGEST_RECORDING) {
    throw new Failure('media.too_large', `A voice note is longer than ${LONGEST_RECORDING / 3_600} hours.`);
  }
}
