/** One spelling for what people write and for the tables it is compared with. */

/**
 * The sentences of a text, each as words with one space between them, without those that have no letter or digit.
 * Quotes, emoji, punctuation and apostrophes become spaces; a comma ends a sentence, too. A word that is said several
 * times in a row counts once: "stop stop stop" is "stop". For the letters see `fold`. Never throws, whatever the text.
 */
export function sentencesOf(text: string): string[] {
  return fold(text).split(SENTENCE_END).map(wordsOf).filter(Boolean);
}

/**
 * A text without what does not change its meaning: width and style of letters, case, accents, Arabic and Hebrew vowel
 * signs, characters that nobody sees; and with one letter for those that are typed for each other (ß and ss, ı and i,
 * Arabic and Persian ye and kaf).
 *
 * What tells words apart stays: the marks of Indian scripts, Thai, Japanese and Korean; the horn of Vietnamese (ơ, ư)
 * and its đ, so that "dừng" (stop) is neither "đúng" (right) nor "đừng" (do not).
 */
export function fold(text: string): string {
  return text
    .normalize('NFKD')
    .toLowerCase()
    .replace(DROPPED, '')
    .normalize('NFC')
    .replace(VARIANT, (letter) => LETTERS.get(letter) ?? letter);
}

/**
 * The source of a regular expression for `sentencesOf`, from a table's: alternatives stand between `|` or in lines of
 * their own (within parentheses, such a line begins with `|`), words are written with their accents, and an apostrophe
 * may be written or not.
 *
 * `fold` makes every letter small, so that escapes in capitals such as `\S` cannot be used.
 */
export function patternOf(table: string): string {
  return fold(table.trim())
    .replace(/\s*\n\s*\|?/g, '|')
    .replaceAll("'", ' ?');
}

/**
 * How often a part may be repeated that has many alternatives. They overlap between languages ("a" is an article in
 * two), so that a search without this bound would try every way to divide a long text among them, which takes for
 * ever.
 */
export const FEW = '{0,4}';

/** One alternative for all that the rows of a table say under a key. */
export function anyOf<Key extends string>(rows: readonly Partial<Record<Key, string>>[], key: Key): string {
  return `(?:${rows
    .flatMap((row) => row[key] ?? [])
    .map(patternOf)
    .join('|')})`;
}

function wordsOf(sentence: string): string {
  const words = sentence.replace(NO_WORD, ' ').trim().split(' ');
  return words.filter((word, i) => word !== words[i - 1]).join(' ');
}

const SENTENCE_END = /[.!?,;:\n\r\u2028\u2029。、؟،؛۔।॥]+/;
const NO_WORD = /[^\p{L}\p{M}\p{N}]+/gu;

const DROPPED = new RegExp(
  `[${[
    String.raw`\u0300-\u031a\u031c-\u036f`, // accents without the horn
    String.raw`\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7`, // vowel signs of Hebrew
    String.raw`\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed`, // vowel signs and stretching of Arabic
    String.raw`\u093c`, // the dot of Devanagari
    String.raw`\u115f\u1160\u20e3\ufe00-\ufe0f\p{Cf}`, // what nobody sees
  ].join('')}]`,
  'gu',
);

/** Letter, and what stands for it. */
const LETTERS = new Map(
  "ß=ss æ=ae œ=oe ø=o ł=l ı=i ς=σ ’=' \u0901=\u0902 ى=ي ی=ي ک=ك ة=ه ہ=ه ھ=ه ە=ه ٱ=ا"
    .split(' ')
    .map((pair) => pair.split('=') as [string, string]), // as they are written above
);
const VARIANT = new RegExp(`[${[...LETTERS.keys()].join('')}]`, 'g');
