/** How long a recording is, where its container says so in one place: Ogg and WAV, the usual voice notes and test files. */

/** @returns seconds; null when the container is another one, or does not tell */
export function recordingSeconds(bytes: Buffer): number | null {
  if (startsWith(bytes, 0, 'OggS')) return oggSeconds(bytes);
  if (startsWith(bytes, 0, 'RIFF') && startsWith(bytes, 8, 'WAVE')) return wavSeconds(bytes);
  return null;
}

/** The parts of an Ogg page's head, as offsets: https://www.rfc-editor.org/rfc/rfc3533#section-6 */
const POSITION = 6;
const STREAM = 14;
const HEAD = 27;
/** The position of a page on which no packet ends. */
const NO_POSITION = 0xffff_ffff_ffff_ffffn;
/** Opus always counts at this rate: https://www.rfc-editor.org/rfc/rfc7845#section-4 */
const OPUS_RATE = 48_000;

/** The last page says how many samples there are up to its end. */
function oggSeconds(bytes: Buffer): number | null {
  const rate = oggRate(bytes);
  if (rate === null) return null;
  const stream = bytes.readUInt32LE(STREAM);
  for (let at = bytes.lastIndexOf('OggS'); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf('OggS', at - 1)) {
    // The four letters may also stand in the sound itself.
    if (at + HEAD > bytes.length || bytes[at + 4] !== 0 || bytes.readUInt32LE(at + STREAM) !== stream) continue;
    const position = bytes.readBigUInt64LE(at + POSITION);
    if (position !== NO_POSITION) return Math.max(0, Number(position) - rate.skipped) / rate.samplesPerSecond;
  }
  return null;
}

/** The first packet of the first page is the codec's head. */
function oggRate(bytes: Buffer): { samplesPerSecond: number; skipped: number } | null {
  const packet = HEAD + (bytes[HEAD - 1] ?? 0);
  if (bytes.length < packet + 30) return null;
  if (startsWith(bytes, packet, 'OpusHead')) {
    return { samplesPerSecond: OPUS_RATE, skipped: bytes.readUInt16LE(packet + 10) };
  }
  const vorbisRate = startsWith(bytes, packet, '\x01vorbis') ? bytes.readUInt32LE(packet + 12) : 0;
  return vorbisRate > 0 ? { samplesPerSecond: vorbisRate, skipped: 0 } : null;
}

/** Walks the chunks: `fmt ` says how many bytes make a second, `data` how many there are. */
function wavSeconds(bytes: Buffer): number | null {
  let bytesPerSecond = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    const rest = bytes.length - at - 8;
    if (startsWith(bytes, at, 'fmt ') && rest >= 12) bytesPerSecond = bytes.readUInt32LE(at + 16);
    if (startsWith(bytes, at, 'data')) {
      // Who writes into a pipe does not know the length beforehand, and leaves 0 or the largest number.
      return bytesPerSecond > 0 ? (length === 0 ? rest : Math.min(length, rest)) / bytesPerSecond : null;
    }
    at += 8 + length + (length % 2);
  }
  return null;
}

function startsWith(bytes: Buffer, at: number, letters: string): boolean {
  return bytes.toString('latin1', at, at + letters.length) === letters;
}
