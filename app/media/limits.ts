/** What is taken in, and why not more. What a file may weigh is a setting: `MAX_MEDIA_BYTES`. */

/**
 * The largest picture that is decoded, width × height. Phones make up to 50 megapixels in their usual modes and WhatsApp
 * shrinks what it sends; a file of a few kilobytes can claim any number, and each million may cost 8 MB to decode.
 */
export const LARGEST_PICTURE = 65_000_000;

/** A picture of more pixels is decoded with no other beside it. 16 million are what a phone's camera makes, and more. */
export const LARGE_PICTURE = 16_000_000;

/** How long one picture may be worked at, seconds. A phone's largest takes one or two. */
export const PICTURE_SECONDS = 15;

/** The largest recording that OpenAI takes, bytes: https://developers.openai.com/api/docs/guides/speech-to-text */
export const LARGEST_RECORDING = 25 * 1_024 * 1_024;

/**
 * The longest recording, seconds: what fits into WhatsApp's 16 MB at the 16 kbit/s of its voice notes. A model may take
 * less (gpt-4o-transcribe: 1,400 s) and then says so itself.
 */
export const LONGEST_RECORDING = 7_200;

/** The shortest recording, seconds. Models refuse anything shorter, and there is no word in it. */
export const SHORTEST_RECORDING = 0.1;
