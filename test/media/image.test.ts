import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, test } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import sharp, { type Sharp } from 'sharp';
import { visionOf } from '../../app/llm/openai/vision.ts';
import { createImageReader, type ImageReaderOptions, type Picture } from '../../app/media/image.ts';
import { createLogger } from '../../app/ops/logger.ts';

const MINI = visionOf('gpt-5.4-mini');
const RED = '#e01010';
const BLUE = '#1010e0';

const lines: string[] = [];
const log = createLogger({ level: 'debug', format: 'json', write: (line) => lines.push(line) });

function read(bytes: Buffer, options: Partial<ImageReaderOptions> = {}): Promise<Picture> {
  return createImageReader({ log, ...options }).read(bytes, MINI);
}

/** The JPEG inside what the model gets. */
function jpegOf({ url }: Picture): Buffer {
  assert.match(url, /^data:image\/jpeg;base64,[A-Za-z0-9+/]+=*$/);
  return Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
}

type Color = 'red' | 'blue' | 'white';

const LOOKS_LIKE: Record<Color, (r: number, g: number, b: number) => boolean> = {
  red: (r, g, b) => r > 180 && g < 90 && b < 90,
  blue: (r, g, b) => b > 180 && r < 90 && g < 90,
  white: (r, g, b) => r + g + b === 3 * 255,
};

async function pixelAt(jpeg: Buffer, left: number, top: number): Promise<[number, number, number]> {
  const [r = 0, g = 0, b = 0] = await sharp(jpeg).extract({ left, top, width: 1, height: 1 }).raw().toBuffer();
  return [r, g, b];
}

async function assertColor(expected: Color, jpeg: Buffer, left: number, top: number): Promise<void> {
  const pixel = await pixelAt(jpeg, left, top);
  assert.ok(LOOKS_LIKE[expected](...pixel), `not ${expected}, but ${pixel}`);
}

/** Left half red, right half blue. */
function redAndBlue(width: number, height: number): Sharp {
  const right = { create: { width: width / 2, height, channels: 3 as const, background: BLUE } };
  return sharp({ create: { width, height, channels: 3, background: RED } }).composite([
    { input: right, left: width / 2, top: 0 },
  ]);
}

/** Like what a camera makes: soft shapes, and noise. */
async function photo(width: number, height: number): Promise<Buffer> {
  const shapes = await sharp(randomBytes(16 * 12 * 3), { raw: { width: 16, height: 12, channels: 3 } })
    .resize(width, height, { kernel: 'cubic' })
    .raw()
    .toBuffer();
  const noise = randomBytes(shapes.length);
  for (let i = 0; i < shapes.length; i++) shapes[i] = Math.min(255, (shapes[i] ?? 0) + ((noise[i] ?? 0) & 7));
  return sharp(shapes, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: 88 })
    .toBuffer();
}

/** A PNG by hand: its head claims a size, its data can be anything. */
function png(width: number, height: number, data: Buffer): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const chunk = (name: string, body: Buffer) => {
    const named = Buffer.concat([Buffer.from(name), body]);
    const ends = Buffer.alloc(8);
    ends.writeUInt32BE(body.length, 0);
    ends.writeUInt32BE(crc32(named), 4);
    return Buffer.concat([ends.subarray(0, 4), named, ends.subarray(4)]);
  };
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

describe('a photo', () => {
  test('is turned upright, and keeps nothing of where and with what it was taken', async () => {
    const sent = await redAndBlue(400, 200)
      .withExif({
        IFD0: { Make: 'Maker of cameras' },
        IFD3: { GPSLatitudeRef: 'N', GPSLatitude: '40/1 25/1 0/1', GPSLongitudeRef: 'W', GPSLongitude: '3/1 42/1 0/1' },
      })
      .withXmp('<x:xmpmeta xmlns:x="adobe:ns:meta/">made-up</x:xmpmeta>')
      .withIccProfile('p3')
      .withMetadata({ orientation: 6 })
      .jpeg()
      .toBuffer();
    const before = await sharp(sent).metadata();
    assert.equal(before.orientation, 6);
    assert.deepEqual([before.exif, before.xmp, before.icc].map(Buffer.isBuffer), [true, true, true]);

    const picture = await read(sent);
    assert.deepEqual([picture.width, picture.height], [200, 400]);
    assert.deepEqual([picture.originalWidth, picture.originalHeight], [200, 400]);
    const jpeg = jpegOf(picture);
    // Turned clockwise: what was left is on top.
    await assertColor('red', jpeg, 100, 20);
    await assertColor('blue', jpeg, 100, 380);
    const { exif, xmp, icc, iptc, orientation } = await sharp(jpeg).metadata();
    assert.deepEqual(
      { exif, xmp, icc, iptc, orientation },
      {
        exif: undefined,
        xmp: undefined,
        icc: undefined,
        iptc: undefined,
        orientation: undefined,
      },
    );
    assert.doesNotMatch(jpeg.toString('latin1'), /Exif|GPS|Maker of cameras|xmpmeta/);
  });

  test('is as large as the model can look at, and says so', async () => {
    const picture = await read(await photo(1800, 2400));
    const { width, height, format } = await sharp(jpegOf(picture)).metadata();
    assert.deepEqual([width, height, format], [1056, 1408, 'jpeg']);
    assert.deepEqual([picture.width, picture.height, picture.detail], [1056, 1408, 'high']);
    assert.deepEqual([picture.originalWidth, picture.originalHeight], [1800, 2400]);
    assert.ok(lines.some((line) => line.includes('"Image converted to base64 successfully"')));
  });

  test('is never made larger', async () => {
    const { width, height } = await read(await photo(64, 48));
    assert.deepEqual([width, height], [64, 48]);
  });

  test('has its colours at half the resolution, which nobody sees', async () => {
    const { chromaSubsampling } = await sharp(jpegOf(await read(await photo(800, 600)))).metadata();
    assert.equal(chromaSubsampling, '4:2:0');
  });

  test('of 48 megapixels is read', async () => {
    const sent = await sharp({ create: { width: 8000, height: 6000, channels: 3, background: RED } })
      .png()
      .toBuffer();
    const picture = await read(sent);
    assert.deepEqual([picture.originalWidth, picture.originalHeight], [8000, 6000]);
    assert.deepEqual([picture.width, picture.height], [1408, 1056]);
    await assertColor('red', jpegOf(picture), 700, 500);
  });

  test('in the colours of a printer is read in those of a screen', async () => {
    const sent = await redAndBlue(200, 100).toColourspace('cmyk').jpeg().toBuffer();
    assert.equal((await sharp(sent).metadata()).space, 'cmyk');
    const jpeg = jpegOf(await read(sent));
    assert.equal((await sharp(jpeg).metadata()).space, 'srgb');
    await assertColor('red', jpeg, 50, 50);
  });

  test('without colours is read', async () => {
    const jpeg = jpegOf(
      await read(
        await sharp(await photo(200, 100))
          .greyscale()
          .jpeg()
          .toBuffer(),
      ),
    );
    assert.equal((await sharp(jpeg).metadata()).width, 200);
  });

  test('that is a thin line keeps at least one pixel', async () => {
    const sent = await sharp({ create: { width: 9000, height: 1, channels: 3, background: RED } })
      .png()
      .toBuffer();
    const { width, height } = await read(sent);
    assert.deepEqual([width, height], [2048, 1]);
  });
});

describe('a screenshot', () => {
  test('keeps thin coloured lines sharp', async () => {
    const sent = await sharp({ create: { width: 600, height: 400, channels: 3, background: '#fff' } })
      .composite(
        [100, 201, 302].map((left) => ({
          input: { create: { width: 1, height: 400, channels: 3 as const, background: '#d00000' } },
          left,
          top: 0,
        })),
      )
      .png()
      .toBuffer();
    const jpeg = jpegOf(await read(sent));
    assert.equal((await sharp(jpeg).metadata()).chromaSubsampling, '4:4:4');
    for (const left of [100, 201, 302]) {
      const [r, g] = await pixelAt(jpeg, left, 200);
      assert.ok(r - g > 150, `${r} - ${g}`);
    }
  });

  test('is known as one also after it went through a lossy format', async () => {
    const boxes = Array.from({ length: 12 }, (_, i) => ({
      input: {
        create: { width: 300 + 20 * i, height: 60, channels: 3 as const, background: i % 2 ? '#d9fdd3' : '#fff' },
      },
      left: 40,
      top: 40 + 90 * i,
    }));
    const sent = await sharp({ create: { width: 720, height: 1200, channels: 3, background: '#efeae2' } })
      .composite(boxes)
      .jpeg({ quality: 75 })
      .toBuffer();
    assert.equal((await sharp(jpegOf(await read(sent))).metadata()).chromaSubsampling, '4:4:4');
  });
});

describe('a sticker', () => {
  test('is shown on white where it is transparent', async () => {
    const sent = await sharp({ create: { width: 512, height: 512, channels: 4, background: '#00000000' } })
      .composite([{ input: { create: { width: 100, height: 100, channels: 3, background: RED } }, left: 0, top: 0 }])
      .webp({ lossless: true })
      .toBuffer();
    const jpeg = jpegOf(await read(sent));
    await assertColor('red', jpeg, 50, 50);
    await assertColor('white', jpeg, 400, 400);
  });

  for (const format of ['webp', 'gif'] as const) {
    test(`that moves (${format}) is shown as it begins`, async () => {
      // Three frames below each other.
      const frames = await sharp({ create: { width: 120, height: 360, channels: 3, background: BLUE } })
        .composite([
          { input: { create: { width: 120, height: 120, channels: 3, background: RED } }, left: 0, top: 0 },
          { input: { create: { width: 60, height: 60, channels: 3, background: RED } }, left: 0, top: 240 },
        ])
        .removeAlpha()
        .raw()
        .toBuffer();
      const sent = await sharp(frames, { raw: { width: 120, height: 360, channels: 3, pageHeight: 120 } })
        .toFormat(format)
        .toBuffer();
      assert.equal((await sharp(sent).metadata()).pages, 3);
      const picture = await read(sent);
      assert.deepEqual([picture.width, picture.height], [120, 120]);
      await assertColor('red', jpegOf(picture), 60, 60);
    });
  }
});

describe('what is no picture', () => {
  const expectCode = (code: string, bytes: Buffer, options: Partial<ImageReaderOptions> = {}) =>
    assert.rejects(read(bytes, options), { code });

  test('but a JPEG that was cut off is told to be damaged', async () => {
    const whole = await photo(600, 400);
    await expectCode('media.unreadable', whole.subarray(0, whole.length >> 1));
    await expectCode('media.unreadable', whole.subarray(0, 200));
  });

  test('but a PNG with a hole in it is told to be damaged', async () => {
    const whole = await sharp(await photo(600, 400))
      .png()
      .toBuffer();
    whole.fill(0, whole.length >> 1, (whole.length >> 1) + 500);
    await expectCode('media.unreadable', whole);
  });

  test('but a zip, a PDF or a drawing program is not opened, whatever it was called', async () => {
    await expectCode('media.unsupported', Buffer.from('504b0304140000000000', 'hex'));
    await expectCode('media.unsupported', Buffer.from('%PDF-1.7\n1 0 obj'));
    await expectCode(
      'media.unsupported',
      Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>'),
    );
  });

  test('but words, noise or nothing is no known kind of file', async () => {
    await expectCode('media.unreadable', Buffer.from('<html>Not found</html>'));
    await expectCode('media.unreadable', Buffer.alloc(1_000, 7));
    await expectCode('media.unreadable', Buffer.alloc(0));
  });

  test('but a bomb is refused by what its head says, before it is unpacked', async () => {
    // A tenth of a megabyte that would be 100 megabytes of one colour, and says it is 7,500 megabytes.
    await expectCode('media.too_large', png(50_000, 50_000, deflateSync(Buffer.alloc(100_000_000))));
    // Its data cannot be unpacked at all: nobody tried.
    await expectCode('media.too_large', png(11_000, 10_000, Buffer.from('no deflate')));
    await expectCode('media.unreadable', png(1_000, 1_000, Buffer.from('no deflate')));
  });

  test('but takes for ever to decode is given up', async () => {
    const large = await sharp({ create: { width: 4000, height: 3000, channels: 3, background: RED } })
      .png()
      .toBuffer();
    await expectCode('media.unreadable', large, { seconds: 0 });
  });

  test('but twice the bits for each colour counts twice', async () => {
    const picture = sharp({ create: { width: 400, height: 300, channels: 3, background: RED } });
    const deep = await picture.clone().toColourspace('rgb16').png().toBuffer();
    await expectCode('media.too_large', deep, { mostPixels: 150_000 });
    assert.equal((await read(await picture.png().toBuffer(), { mostPixels: 150_000 })).width, 400);
  });
});

test('many pictures at once are all read', async () => {
  const reader = createImageReader({ log });
  const sent = await Promise.all(Array.from({ length: 12 }, (_, i) => photo(100 + i, 80)));
  const pictures = await Promise.all(sent.map((bytes) => reader.read(bytes, MINI)));
  assert.deepEqual(
    pictures.map(({ width }) => width),
    sent.map((_, i) => 100 + i),
  );
});
