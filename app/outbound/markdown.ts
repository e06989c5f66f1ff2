/**
 * Reads Markdown the way models write it, which is not always CommonMark: strong emphasis stands right beside any character, and
 * some answer in WhatsApp's own formatting, where single stars are bold.
 */
import { getDefaults, Lexer, type Token, Tokenizer, type TokenizerExtensionFunction, type Tokens } from 'marked';

/** @returns what marked's lexer returns; emphasis is `strong` where the model meant bold */
export function readMarkdown(text: string): Token[] {
  const tokenizer = usesDoubleStars(text) ? new AnyScript() : new SingleStarsAreBold();
  const extensions = { inline: [label], renderers: {}, childTokens: {} };
  return new Lexer({ ...getDefaults(), tokenizer, extensions }).lex(text);
}

/**
 * `**Name: **Ana`: the space is on the wrong side of the stars. Only behind punctuation, and only on a line without any other end. The
 * tokenizer is not asked about stars that can end nothing by CommonMark's rule.
 */
const label: TokenizerExtensionFunction = function (src) {
  const found = /^\*\*([^\s*`][^*`\n]*\p{P})[^\S\n]+\*\*(?=[^\s*])/u.exec(src);
  const [line = ''] = src.slice(0, LONGEST_LINE).split('\n', 1);
  if (!found || /[^\s*]\*\*(?!\*)/.test(line.slice(2))) return undefined;
  const [raw, text = ''] = found;
  const space: Tokens.Text = { type: 'text', raw: ' ', text: ' ', escaped: false };
  return { type: 'strong', raw, text, tokens: [...this.lexer.inlineTokens(text), space] };
};

/** So much of a line is looked at, characters. */
const LONGEST_LINE = 500;

/** CommonMark's rule for what may open and close has spaces and Latin letters in mind: `**注意：**请` would keep its stars. */
class AnyScript extends Tokenizer {
  override emStrong(src: string, maskedSrc: string, prevChar?: string): Tokens.Em | Tokens.Strong | undefined {
    const masked = maskedSrc.slice(-src.length);
    const end = endOfStrong(masked);
    if (end === null) return super.emStrong(src, maskedSrc, prevChar);
    const text = src.slice(2, end);
    return { type: 'strong', raw: src.slice(0, end + 2), text, tokens: this.lexer.inlineTokens(text) };
  }
}

class SingleStarsAreBold extends AnyScript {
  override emStrong(src: string, maskedSrc: string, prevChar?: string): Tokens.Em | Tokens.Strong | undefined {
    const token = super.emStrong(src, maskedSrc, prevChar);
    return token?.type === 'em' && src.startsWith('*') ? { ...token, type: 'strong' } : token;
  }
}

/**
 * Where the two stars end that a text begins with: at the next two that stand behind a character. Null when it does not begin
 * with exactly two, or when other stars come first that CommonMark's rule has to sort out.
 * @param text with code and addresses masked, as marked does
 */
function endOfStrong(text: string): number | null {
  if (!/^\*\*[^\s*]/.test(text)) return null;
  for (const { index, 0: stars } of text.slice(2).matchAll(/\*{2,}/g)) {
    const at = index + 2;
    const isBehindWord = !/\s/.test(text[at - 1] ?? ' ');
    if (stars.length === 4 && isBehindWord) return at; // one ends and the next begins
    if (stars.length !== 2) return null;
    if (isBehindWord) return at;
    if (!/^(?:\s|$)/.test(text.slice(at + 2, at + 3))) return null; // opens another one
  }
  return null;
}

/**
 * Is there a pair of two stars around words, or of three? Outside of code, and not within words or numbers: a payment code, a masked card
 * number, `2**8` and a rule (`***`) say nothing about how the rest is written.
 */
function usesDoubleStars(text: string): boolean {
  if (!text.includes('**')) return false;
  return PAIRED_STARS.test(text.replace(/```[\s\S]*?(?:```|$)|`[^`\n]*`/g, ' '));
}

/** A letter or digit of a script that puts spaces around words, as the source of an expression with the flag u. */
export const WORD_CHARACTER =
  '(?!\\p{sc=Han}|\\p{sc=Hiragana}|\\p{sc=Katakana}|\\p{sc=Hangul}|\\p{sc=Thai}|\\p{sc=Lao}|\\p{sc=Khmer}|\\p{sc=Myanmar}|\\p{sc=Tibetan})[\\p{L}\\p{M}\\p{Nd}]';
const WITHIN = '(?:(?!\\n\\s*\\n)[^*]|\\*(?!\\*))*?';
const OPENS = '(?<![*\\\\])\\*\\*(?![\\s*])';
const CLOSES = '(?<![\\s*\\\\])\\*{2,3}(?!\\*)';
const PAIRED_STARS = new RegExp(
  [
    `(?<!${WORD_CHARACTER})${OPENS}${WITHIN}${CLOSES}`,
    `${OPENS}${WITHIN}${CLOSES}(?!${WORD_CHARACTER})`,
    `(?<![*\\\\])(?<!${WORD_CHARACTER})\\*{3}(?![\\s*])${WITHIN}(?<![\\s*\\\\])\\*{3}(?!\\*|${WORD_CHARACTER})`,
  ].join('|'),
  'u',
);
