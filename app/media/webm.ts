/** How long a recording in WebM is. A browser's own does not say so in one place, so its blocks are looked at. */

/** @returns seconds up to the beginning of the last block (some 60 ms before the end); null when it is no WebM, or has no block. */
export function webmSeconds(bytes: Buffer): number | null {
  return bytes.length > 4 && bytes.readUInt32BE(0) === EBML ? lastBlock(bytes) : null;
}

const EBML = 0x1a45dfa3;
/** The elements that are stepped into: Segment, Cluster, BlockGroup. https://www.rfc-editor.org/rfc/rfc9559 */
const MASTERS = new Set([0x18538067, 0x1f43b675, 0xa0]);
const CLUSTER_TIME = 0xe7;
const BLOCKS = new Set([0xa3, 0xa1]);

/** Times are in ms, as browsers write them. */
function lastBlock(bytes: Buffer): number | null {
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
