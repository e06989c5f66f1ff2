import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { webmSeconds } from '../../app/media/webm.ts';

const UNKNOWN_SIZE = [0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
const HEAD = [0x1a, 0x45, 0xdf, 0xa3, 0x83, 0, 0, 0];
const SEGMENT = [0x18, 0x53, 0x80, 0x67, ...UNKNOWN_SIZE];
const CLUSTER = [0x1f, 0x43, 0xb6, 0x75, ...UNKNOWN_SIZE];

/** A cluster's time, ms, in two bytes. */
function time(ms: number): number[] {
  return [0xe7, 0x82, ms >> 8, ms & 0xff];
}

/** A block of track 1, so many ms after its cluster began. */
function block(ms: number): number[] {
  return [0xa3, 0x86, 0x81, ms >> 8, ms & 0xff, 0x80, 1, 2];
}

/** As a browser records: sizes unknown, no duration. */
const RECORDING = [
  ...HEAD,
  ...SEGMENT,
  ...CLUSTER,
  ...time(0),
  ...block(0),
  ...block(960),
  ...CLUSTER,
  ...time(1_000),
  ...block(0),
  ...block(440),
];

describe('the length of a WebM recording', () => {
  it('is the time of its last block', () => assert.equal(webmSeconds(Buffer.from(RECORDING)), 1.44));

  it('is that of what is there when the file is cut off', () => {
    assert.equal(webmSeconds(Buffer.from(RECORDING.slice(0, -4))), 1);
  });

  it('is unknown without a block, and for anything else', () => {
    assert.equal(webmSeconds(Buffer.from([...HEAD, ...SEGMENT])), null);
    assert.equal(webmSeconds(Buffer.from('OggS and so on')), null);
    assert.equal(webmSeconds(Buffer.alloc(0)), null);
  });

  it('is looked for without end in no file', () => {
    const bytes = fc
      .uint8Array({ maxLength: 300 })
      .map((tail) => Buffer.from([...HEAD, ...SEGMENT, ...CLUSTER, ...tail]));
    fc.assert(
      fc.property(bytes, (file) => {
        const seconds = webmSeconds(file);
        assert.ok(seconds === null || seconds >= 0);
      }),
    );
  });
});
