/** A picture's bytes → a small, plain JPEG that a model can look at. */
import { Failure, isFailure } from '../errors.ts';
import { createGate } from '../ops/gate.ts';
import type { Log } from '../ops/logger.ts';
import { LARGE_PICTURE, LARGEST_PICTURE, PICTURE_SECONDS } from './limits.ts';
import { loadSharp } from './sharp.ts';
import { typeOfBytes } from './type.ts';

export interface Size {
  /** Pixels. */
  width: number;
  height: number;
}

/** How a model looks at pictures. */
export interface Sight {
  /** The level of detail that is requested. */
  detail: 'low' | 'high' | 'auto';
  /** The size at which it sees all it can see of a picture; never larger than the picture. */
  fit(size: Size): Size;
}

export interface Picture extends Size {
  /** `data:image/jpeg;base64,…` */
  url: string;
  detail: Sight['detail'];
  /** As it was sent, turned upright. */
  originalWidth: number;
  originalHeight: number;
}

export interface ImageReader {
  /**
   * Upright (EXIF), the first frame of an animation, as small as `sight` allows, on white where it was transparent, sRGB,
   * and with nothing but its pixels: no place, no camera, no colour profile.
   *
   * Rejects with a `Failure`: `media.unsupported` (no kind of picture that is read), `media.too_large` (pixels),
   * `media.unreadable` (damaged, cut off, or it takes too long).
   * @param log knows for whom it is read. Default: the reader's own.
   */
  read(bytes: Buffer, sight: Sight, log?: Log): Promise<Picture>;
}

export interface ImageReaderOptions {
  log: Log;
  /** How many pictures are decoded at once; a large one counts as all of them. */
  concurrency?: number;
  /** The most pixels a picture may have; with 16 bits for each colour half as many. */
  mostPixels?: number;
  /** How long one may be worked at. */
  seconds?: number;
}

/** What is decoded. Not SVG, which is a program that fetches files, and not what sharp's own builds cannot read (HEIC). */
const READABLE = new Set([
  'image/jpeg',
  'image/png',
  'image/apng',
  'image/webp',
  'image/gif',
  'image/avif',
  'image/tiff',
]);

/**
 * JPEG's quality. Photos are fine at 85 with colours at half the resolution. Computer graphics (a screenshot,
 * a chart, a receipt) has thin lines and small coloured letters, which that would smear.
 */
const TAKEN = { quality: 85, chromaSubsampling: '4:2:0' };
const DRAWN = { quality: 92, chromaSubsampling: '4:4:4' };

export function createImageReader(options: ImageReaderOptions): ImageReader {
  const { concurrency = 2, mostPixels = LARGEST_PICTURE, seconds = PICTURE_SECONDS } = options;
  const gate = createGate(concurrency);
  return {
    async read(bytes, sight, log = options.log) {
      try {
        await checkType(bytes);
        const original = await sizeOf(bytes, mostPixels);
        const size = sight.fit(original);
        const leave = await gate.enter(original.width * original.height > LARGE_PICTURE ? concurrency : 1);
        // The place is occupied for as long as sharp works, which may be longer than the caller waits.
        const work = convert(bytes, size, { mostPixels, seconds }).finally(leave);
        const jpeg = await inTime(work, seconds);
        log.info('Image converted to base64 successfully', { ...size, bytes: jpeg.length });
        const url = `data:image/jpeg;base64,${jpeg.toString('base64')}`;
        return { url, detail: sight.detail, ...size, originalWidth: original.width, originalHeight: original.height };
      } catch (error) {
        throw explain(error);
      }
    },
  };
}

async function checkType(bytes: Buffer): Promise<void> {
  const type = await typeOfBytes(bytes);
  if (type === undefined) throw new Failure('media.unreadable', 'What was sent as a picture is no known kind of file.');
  if (!READABLE.has(type)) {
    throw new Failure('media.unsupported', `What was sent as a picture is ${type}, which is not read.`);
  }
}

/** Upright. Reads the file's head alone. */
async function sizeOf(bytes: Buffer, mostPixels: number): Promise<Size> {
  const sharp = await loadSharp();
  // Our own limit comes after, with the numbers to judge by.
  const { autoOrient, depth } = await sharp(bytes, { limitInputPixels: false }).metadata();
  const pixels = autoOrient.width * autoOrient.height;
  // Two bytes for each colour instead of one.
  if (pixels * (depth === 'uchar' ? 1 : 2) > mostPixels) {
    const megapixels = Math.round(pixels / 1e6);
    throw new Failure('media.too_large', `A picture has ${megapixels} megapixels, more than are decoded.`);
  }
  return autoOrient;
}

async function convert(
  bytes: Buffer,
  { width, height }: Size,
  limits: { mostPixels: number; seconds: number },
): Promise<Buffer> {
  const sharp = await loadSharp();
  // 'error' lets a camera's small sins pass; a file that was cut off shows a grey rest, which is worse than being asked again.
  const { data, info } = await sharp(bytes, {
    failOn: 'error',
    limitInputPixels: limits.mostPixels,
    sequentialRead: true,
  })
    .timeout(limits)
    .autoOrient()
    .resize(width, height, { fit: 'fill' })
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { channels } = info;
  const quality = isDrawn(data, channels) ? DRAWN : TAKEN;
  return sharp(data, { raw: { width, height, channels } }).timeout(limits).jpeg(quality).toBuffer();
}

/** sharp's own time limit is looked at only between steps, and some formats are decoded in one. */
async function inTime<T>(work: Promise<T>, seconds: number): Promise<T> {
  let alarm: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    alarm = setTimeout(() => reject(new Error(`not decoded within ${seconds} s`)), seconds * 1_000);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(alarm);
  }
}

/**
 * Did a machine draw it? Drawn areas have one colour, while a camera's never quite do: so most of the pixels are like the
 * one before them. A mistake costs some bytes, or a little sharpness.
 */
function isDrawn(pixels: Buffer, channels: number): boolean {
  let same = 0;
  for (let i = channels; i < pixels.length; i += channels) {
    let difference = 0;
    for (let c = i; c < i + channels; c++) difference |= (pixels[c] ?? 0) ^ (pixels[c - channels] ?? 0);
    if (difference === 0) same++;
  }
  return (same * channels) / pixels.length > DRAWN_PART;
}

/** Screenshots are above 0.7, also when they went through WhatsApp's JPEG; photos stay below 0.3. */
const DRAWN_PART = 0.5;

function explain(error: unknown): Failure {
  if (isFailure(error)) return error;
  return new Failure('media.unreadable', 'A picture cannot be decoded: it is damaged or was cut off.', {
    cause: error,
  });
}
