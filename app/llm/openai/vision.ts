/**
 * What models look at. A picture is shrunk to this before it is sent, because the model's server would do the same: more
 * is time, and with the newest models (which shrink nothing unless told) tokens. Sources: OpenAI's guide "Images and
 * vision" with its table of models, https://developers.openai.com/api/docs/guides/images-vision; a model's page for its name.
 */

interface Size {
  width: number;
  height: number;
}

/** How one family of models handles images. All of them get `high`: `auto` and `original` mean up to 30,000 tokens for some. */
export interface Vision {
  readonly detail: 'high';
  /** The size at which it sees all it can see of a picture; never larger than the picture. */
  fit(size: Size): Size;
  /** What a picture costs in a prompt, in tokens, about. */
  tokens(size: Size): number;
}

/** @param model as `OPENAI_MODEL` has it, with a date, behind a vendor (`openai/gpt-5.4-mini`) or of any other maker */
export function visionOf(model: string): Vision {
  const name = model.toLowerCase().split('/').at(-1) ?? '';
  return FAMILIES.find(([names]) => names.test(name))?.[1] ?? UNKNOWN;
}

/** What a picture of this size costs in a prompt for this model, in tokens, about. */
export function imageTokens(model: string, width: number, height: number): number {
  return visionOf(model).tokens({ width, height });
}

/** The longest side that `high` leaves as it is, pixels, for every family. */
const LONGEST_SIDE = 2_048;
const PATCH = 32;
const TILE = 512;

/** The first that fits counts: the particular before the general. */
const FAMILIES: readonly [RegExp, Vision][] = [
  [/^(gpt-(5|4\.1)-nano|gpt-5\.4-nano)/, patches(1_536, 2.46)],
  [/^(gpt-(5|4\.1)-mini|gpt-5\.4-mini)/, patches(1_536, 1.62)],
  [/^o4-mini/, patches(1_536, 1.72)],
  [/^gpt-5\.2/, patches(1_536, 1)],
  [/^gpt-5\.[45](?!\d)/, patches(2_500, 1)],
  // 5.6 and all that came after. Their budget is not published for `high`; the factor is second-hand.
  [/^gpt-(5\.\d|[6-9]|\d\d)/, patches(2_500, 1.2)],
  // One tile costs 33 times that of its big sister, so it looks from further away.
  [/^gpt-4o-mini/, tiles(512, 2_833, 5_667)],
  [/^(gpt-4o|gpt-4\.1|gpt-4\.5|gpt-4-turbo|chatgpt-4o)/, tiles(768, 85, 170)],
  [/^gpt-5(?!\.)/, tiles(768, 70, 140)],
  [/^o[13](?!\d)/, tiles(768, 75, 150)],
];

/** Others see about as much: Claude 1,568 pixels each way, Gemini and Qwen cut tiles of what they get. Dearest factor but one. */
const UNKNOWN = patches(1_536, 1.62);

/** Counts squares of 32 pixels and shrinks what has more than `budget`. @param factor tokens for each */
function patches(budget: number, factor: number): Vision {
  const fit = (size: Size) => fitPatches(within(size, LONGEST_SIDE), budget);
  return { detail: 'high', fit, tokens: (size) => Math.ceil(patchesOf(fit(size)) * factor) };
}

/** Shrinks until the short side fits, then cuts tiles of 512 pixels. */
function tiles(shortSide: number, base: number, each: number): Vision {
  const fit = (size: Size) => {
    const { width, height } = within(size, LONGEST_SIDE);
    return scaled({ width, height }, Math.min(1, shortSide / Math.min(width, height)));
  };
  const count = ({ width, height }: Size) => Math.ceil(width / TILE) * Math.ceil(height / TILE);
  return { detail: 'high', fit, tokens: (size) => base + each * count(fit(size)) };
}

/**
 * The guide's own steps: shrink to the budget's area, then a little more, so that the side that comes out worse is a whole
 * number of patches. 1800 × 2400 with 1,536 patches becomes 1056 × 1408, which has 1,452.
 */
function fitPatches(size: Size, budget: number): Size {
  if (patchesOf(size) <= budget) return size;
  const { width, height } = size;
  const shrink = Math.sqrt((PATCH * PATCH * budget) / (width * height));
  const across = (width * shrink) / PATCH;
  const down = (height * shrink) / PATCH;
  return scaled(size, shrink * Math.min(Math.floor(across) / across, Math.floor(down) / down));
}

function patchesOf({ width, height }: Size): number {
  return Math.ceil(width / PATCH) * Math.ceil(height / PATCH);
}

function within(size: Size, longest: number): Size {
  return scaled(size, Math.min(1, longest / Math.max(size.width, size.height)));
}

function scaled({ width, height }: Size, factor: number): Size {
  return { width: Math.max(1, Math.round(width * factor)), height: Math.max(1, Math.round(height * factor)) };
}
