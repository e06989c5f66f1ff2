/**
 * Is there nothing to analyze? Nothing readable at all (stickers, 👍, "…"), or nothing but a few words of greeting,
 * thanks or assent. A guess that saves most calls: when in doubt, a message is worth one.
 */
export function isTrivial(text: string): boolean {
  const words = text.normalize('NFKC').toLowerCase().replace(PLACEHOLDERS, ' ').match(WORD) ?? [];
  return words.length <= MOST_WORDS && words.every((word) => SMALL_WORDS.has(word));
}

/** Placeholders in a text for what is no text: `[picture]`, `[voice note]`, `[MEDIA_CONTENT]`. */
const PLACEHOLDERS = /\[[\p{L}_ -]{1,30}\]/gu;
const WORD = /[\p{L}\p{N}]+(?:['’][\p{L}]+)?/gu;
const MOST_WORDS = 5;

/** Kept small on purpose: greetings, thanks, assent and laughter in the languages people write most. */
const SMALL_WORDS = new Set(
  `ok okay okey oki k kk kay yes yeah yep yup no nope sure fine great good cool nice perfect alright right done
  thanks thank you thx ty tks cheers a lot so very much many hi hello hey there morning afternoon evening night bye goodbye
  lol haha hahaha hehe
  sí si vale gracias muchas mil hola buenas buenos días dias tardes noches adiós adios perfecto claro bueno genial jaja jajaja
  sim não nao obrigado obrigada oi olá ola bom boa dia tarde noite tchau beleza blz valeu kkk kkkk
  oui non merci beaucoup bonjour bonsoir salut parfait super
  ja nein danke dir ihnen schön vielen dank hallo guten tag morgen abend tschüss gut prima
  sì grazie mille ciao buongiorno buonasera va bene perfetto
  да нет спасибо привет ок хорошо
  نعم لا شكرا مرحبا تمام
  हाँ नहीं धन्यवाद नमस्ते ठीक है
  好 好的 谢谢 你好 はい ありがとう`.split(/\s+/),
);
