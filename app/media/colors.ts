/** What can be said of a picture without understanding it: its size and its main colours. */
import { loadSharp } from './sharp.ts';

/** Reads one picture; rejects when it is none. "a picture of 640 × 480 pixels, mostly dark green and white" */
export async function describeColors(bytes: Buffer): Promise<string> {
  const sharp = await loadSharp();
  const picture = sharp(bytes, { limitInputPixels: MOST_PIXELS });
  const { width, height } = await picture.metadata();
  const { data } = await picture
    .resize(GRID, GRID, { fit: 'fill' })
    .flatten({ background: '#fff' })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return `a picture of ${width} × ${height} pixels, mostly ${mainColors(data).join(' and ')}`;
}

const MOST_PIXELS = 50_000_000;
/** The picture is looked at as so many squares each way. */
const GRID = 32;
/** A colour is worth a word when it fills this part of the picture. */
const WORTH_A_WORD = 0.15;

/** The names of the one to three colours that fill most of it, the largest first. */
function mainColors(rgb: Buffer): string[] {
  const counts = new Map<string, number>();
  for (let i = 0; i + 2 < rgb.length; i += 3) {
    const name = nameOf(rgb[i] ?? 0, rgb[i + 1] ?? 0, rgb[i + 2] ?? 0);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const large = sorted.filter(([, count]) => count / (rgb.length / 3) >= WORTH_A_WORD);
  return (large.length > 0 ? large : sorted).slice(0, large.length > 0 ? 3 : 1).map(([name]) => name);
}

/** Where hues begin, degrees. */
const HUES: [from: number, name: string][] = [
  [0, 'red'],
  [16, 'orange'],
  [46, 'yellow'],
  [70, 'green'],
  [165, 'turquoise'],
  [195, 'blue'],
  [258, 'purple'],
  [312, 'pink'],
  [345, 'red'],
];

function nameOf(red: number, green: number, blue: number): string {
  const [most, least] = [Math.max(red, green, blue), Math.min(red, green, blue)];
  const lightness = (most + least) / 510;
  const spread = most - least;
  const saturation = spread / 255 / (1 - Math.abs(2 * lightness - 1) || 1);
  if (lightness > 0.93) return 'white';
  if (lightness < 0.08) return 'black';
  if (saturation < 0.14 || spread < 18) return lightness > 0.7 ? 'light grey' : lightness < 0.3 ? 'dark grey' : 'grey';
  const hue = hueOf(red, green, blue, most, spread);
  const name = HUES.findLast(([from]) => hue >= from)?.[1] ?? 'red';
  if (name === 'orange' && lightness < 0.4) return 'brown';
  return lightness > 0.75 ? `light ${name}` : lightness < 0.25 ? `dark ${name}` : name;
}

function hueOf(red: number, green: number, blue: number, most: number, spread: number): number {
  if (most === red) return (((green - blue) / spread) * 60 + 360) % 360;
  if (most === green) return ((blue - red) / spread) * 60 + 120;
  return ((red - green) / spread) * 60 + 240;
}
