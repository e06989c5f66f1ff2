/** How long a recording is, read from its container. */

/** @returns seconds, or null when the container does not tell: not everything that sounds says how long. */
export function audioSeconds(bytes: Buffer): number | null {
  if (bytes.toString('latin1', 0, 4) === 'OggS') return oggSeconds(bytes);
  if (bytes.toString('latin1', 0, 4) === 'RIFF' && bytes.toString('latin1', 8, 12) === 'WAVE') return wavSeconds(bytes);
  if (bytes.readUInt32BE(0) === EBML) return webmSeconds(bytes);
  return null;
}

/** The last page's position, in samples of 48 kHz for Opus: RFC 7845, section 4. Vorbis says its rate in the first page. */
function oggSeconds(bytes: Buffer): number | null {
  const last = bytes.lastIndexOf('OggS');
  if (bytes.length < last + 14) return null;
  const position = Number(bytes.readBigInt64LE(last + 6));
  const opus = bytes.indexOf('OpusHead');
  if (opus >= 0 && opus < 100 && bytes.length > opus + 12) {
    const preSkip = bytes.readUInt16LE(opus + 10);
    return Math.max(position - preSkip, 0) / 48_000;
  }
  const vorbis = bytes.indexOf('\x01vorbis');
  return vorbis >= 0 && vorbis < 100 && bytes.length > vorbis + 16 ? position / bytes.readUInt32LE(vorbis + 12) : null;
}

function wavSeconds(bytes: Buffer): number | null {
  let rate = 0;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4);
    const name = bytes.toString('latin1', at, at + 4);
    if (name === 'fmt ' && at + 20 <= bytes.length) rate = bytes.readUInt32LE(at + 16);
    if (name === 'data') return rate > 0 ? Math.min(length, bytes.length - at - 8) / rate : null;
    at += 8 + length + (length % 2);
  }
  return null;
}

const EBML = 0x1a45dfa3;
/** The elements that are stepped into: Segment, Cluster, BlockGroup. https://www.rfc-editor.org/rfc/rfc9559 */
const MASTERS = new Set([0x18538067, 0x1f43b675, 0xa0]);
const CLUSTER_TIME = 0xe7;
const BLOCKS = new Set([0xa3, 0xa1]);

/** A browser's recording does not say its length, so the time of its last block counts, in ms as browsers write them. */
function webmSeconds(bytes: Buffer): number | null {
  let cluster = 0;
  let latest: number | null = null;
  for (let at = 0; at < bytes.length; ) {
    const id = numberAt(bytes, at, false);
    const size = id && numberAt(bytes, at + id.length, true);
    if (!id || !size) break;
    const start = at + id.length + size.length;
    if (MASTERS.has(id.value)) {
      at = start;
      continue;
    }
    if (size.value === UNKNOWN || start + size.value > bytes.length) break;
    if (id.value === CLUSTER_TIME && size.value > 0 && size.value <= 6) cluster = bytes.readUIntBE(start, size.value);
    // Behind the track's number (one byte for the first 127) stands the time since the cluster began.
    if (BLOCKS.has(id.value) && size.value > 3) latest = Math.max(latest ?? 0, cluster + bytes.readInt16BE(start + 1));
    at = start + size.value;
  }
  return latest === null ? null : latest / 1_000;
}

const UNKNOWN = -1;

/** A number of variable length; of an id the marker belongs to it. */
function numberAt(bytes: Buffer, at: number, isSize: boolean): { value: number; length: number } | null {
  const first = bytes[at] ?? 0;
  const length = Math.clz32(first) - 23;
  if (length > 8 || at + length > bytes.length) return null;
  let value = isSize ? first & (0xff >> length) : first;
  let full = isSize && value === 0xff >> length;
  for (let i = 1; i < length; i++) {
    const byte = bytes[at + i] ?? 0;
    full &&= byte === 0xff;
    value = value * 256 + byte;
  }
  return { value: full ? UNKNOWN : value, length };
}
