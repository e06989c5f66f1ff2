import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { readVoice } from '../../app/media/audio.ts';

const VOICE = readFileSync(new URL('../fixtures/media/voice.ogg', import.meta.url));
/** 16,000 samples a second, mono, 16 bits. */
const WAV_RATE = 32_000;

function wav(seconds: number, claimed = seconds * WAV_RATE): Buffer {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(36 + claimed, 4);
  head.write('WAVEfmt ', 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(WAV_RATE / 2, 24);
  head.writeUInt32LE(WAV_RATE, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write('data', 36);
  head.writeUInt32LE(claimed, 40);
  return Buffer.concat([head, Buffer.alloc(seconds * WAV_RATE)]);
}

/** The voice note with another position in its last page, in samples. */
function endingAt(position: bigint): Buffer {
  const bytes = Buffer.from(VOICE);
  bytes.writeBigUInt64LE(position, bytes.lastIndexOf('OggS') + 6);
  return bytes;
}

/** The first bytes of files, as their formats have them. */
const BEGINNINGS = {
  mp3: Buffer.concat([Buffer.from('fffb9064', 'hex'), Buffer.alloc(2_000)]),
  m4a: Buffer.concat([Buffer.from('0000001c', 'hex'), Buffer.from('ftypM4A \0\0\0\0M4A mp42isom'), Buffer.alloc(64)]),
  mp4: Buffer.concat([Buffer.from('0000001c', 'hex'), Buffer.from('ftypmp42\0\0\0\0mp42isommp41'), Buffer.alloc(64)]),
  aac: Buffer.concat([Buffer.from('fff15080', 'hex'), Buffer.alloc(2_000)]),
  flac: Buffer.concat([Buffer.from('fLaC'), Buffer.alloc(64)]),
  webm: Buffer.concat([
    Buffer.from('1a45dfa39f4286810142f7810142f2810442f381084282847765626d', 'hex'),
    Buffer.alloc(64),
  ]),
  amr: Buffer.from('#!AMR\n<made up'),
};

describe('a voice note', () => {
  test("of WhatsApp's kind gets the name that models know, and its length", async () => {
    const { filename, contentType, bytes, seconds } = await readVoice(VOICE);
    assert.deepEqual([filename, contentType], ['voice.ogg', 'audio/ogg']);
    assert.equal(bytes, VOICE);
    assert.ok(seconds !== null && Math.abs(seconds - 3.66) < 0.01, `${seconds} s`);
  });

  test('has the length of its last page that tells one', async () => {
    const packet = Buffer.from(VOICE);
    const last = packet.lastIndexOf('OggS');
    packet.writeBigUInt64LE(0xffff_ffff_ffff_ffffn, last + 6);
    const { seconds } = await readVoice(packet);
    assert.ok(seconds !== null && seconds > 2.5 && seconds < 3.66, `${seconds} s`);
  });

  test('that was cut off, or says OggS in its sound, is measured by what is there', async () => {
    const { seconds } = await readVoice(
      Buffer.concat([VOICE, Buffer.from('OggS'), Buffer.from('OggS\0 not a page of this stream')]),
    );
    assert.ok(seconds !== null && Math.abs(seconds - 3.66) < 0.01, `${seconds} s`);
  });

  test('in a WAV file says its length; a recorder that did not know it leaves it to the bytes', async () => {
    assert.equal((await readVoice(wav(2))).seconds, 2);
    assert.equal((await readVoice(wav(2, 0))).seconds, 2);
    assert.equal((await readVoice(wav(2, 0xffff_ff00))).seconds, 2);
    assert.equal((await readVoice(wav(2))).filename, 'voice.wav');
  });

  for (const [ending, contentType] of Object.entries({
    mp3: 'audio/mpeg',
    m4a: 'audio/mp4',
    mp4: 'audio/mp4',
    flac: 'audio/flac',
    webm: 'audio/webm',
  }) as [keyof typeof BEGINNINGS, string][]) {
    test(`is known as ${ending} by its bytes`, async () => {
      const voice = await readVoice(BEGINNINGS[ending]);
      assert.deepEqual([voice.filename, voice.contentType, voice.seconds], [`voice.${ending}`, contentType, null]);
    });
  }

  test('in bare AAC is for servers that take it', async () => {
    await assert.rejects(readVoice(BEGINNINGS.aac), { code: 'media.unsupported' });
    assert.equal((await readVoice(BEGINNINGS.aac, { takesAac: true })).filename, 'voice.aac');
  });

  test('in AMR, or what is none, is not sent to a model', async () => {
    await assert.rejects(readVoice(BEGINNINGS.amr), { code: 'media.unsupported', message: /audio\/amr/ });
    await assert.rejects(readVoice(Buffer.from('504b0304140000000000', 'hex')), { code: 'media.unsupported' });
    await assert.rejects(readVoice(Buffer.from('hello')), { code: 'media.unreadable' });
    await assert.rejects(readVoice(Buffer.alloc(0)), { code: 'media.unreadable' });
  });

  test('without a sound is told to be damaged', async () => {
    await assert.rejects(readVoice(endingAt(0n)), { code: 'media.unreadable' });
    await assert.rejects(readVoice(wav(0)), { code: 'media.unreadable' });
  });

  test('that is too long or too large is refused', async () => {
    await assert.rejects(readVoice(endingAt(48_000n * 7_300n)), { code: 'media.too_large' });
    await assert.rejects(readVoice(endingAt(0x7fff_ffff_ffff_ffffn)), { code: 'media.too_large' });
    await assert.rejects(readVoice(VOICE, { largest: VOICE.length - 1 }), { code: 'media.too_large' });
    assert.equal((await readVoice(VOICE, { largest: VOICE.length })).filename, 'voice.ogg');
  });

  test('that is cut anywhere makes no trouble but a failure with a code', async () => {
    for (let length = 0; length < 400; length += 7) {
      const read = readVoice(VOICE.subarray(0, length));
      await read.catch((error) => assert.match(String(error.code), /^media\./, `${length} bytes: ${error}`));
    }
  });
});
