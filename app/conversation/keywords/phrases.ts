/** Messages that are, as a whole, a known word or phrase. */
import { FEW, patternOf, sentencesOf } from './normal.ts';

/**
 * Makes a function that says which meaning a message has as a whole: each sentence is one of the phrases of that
 * meaning, with or without a greeting or words of politeness before and after it. Null when a sentence is anything
 * else, or when two sentences mean different things.
 *
 * @param phrases regular expressions for a sentence as `sentencesOf` makes it, without ^ and $.
 */
export function readerOf<Meaning extends string>(
  phrases: Record<Meaning, readonly string[]>,
): (text: string) => Meaning | null {
  const patterns = (Object.keys(phrases) as Meaning[]) // its keys are the meanings
    .map((meaning) => ({ meaning, pattern: new RegExp(`^(?:${phrases[meaning].join('|')})$`) }));

  return function meaningOf(text) {
    let found: Meaning | null = null;
    for (const sentence of sentencesOf(text)) {
      const readings = readingsOf(sentence);
      const isCourtesy = readings.includes('');
      if (isCourtesy && found !== null) continue;
      const meaning = patterns.find(({ pattern }) => readings.some((reading) => pattern.test(reading)))?.meaning;
      if (meaning === undefined && isCourtesy) continue;
      if (meaning === undefined || (found !== null && found !== meaning)) return null;
      found = meaning;
    }
    return found;
  };
}

/**
 * A sentence, and what is left of it without politeness at its end, and at its beginning as well: '' when it is
 * nothing else.
 */
function readingsOf(sentence: string): string[] {
  const start = ` ${sentence}`.replace(COURTESY_AFTER, '').trimStart();
  return [...new Set([sentence, start, start.replace(COURTESY_BEFORE, '')])];
}

/** "Please" and "thank you": they change no meaning. The second list is for scripts without spaces between words. */
export const PLEASE =
  patternOf(`please|pls|plz|thanks|thank you|thx|por favor|porfa(vor)?|(muchas )?gracias|se faz favor|pfv|obrigad[oa]
  s'il (vous|te) pla[iî]t|svp|stp|merci|bitte|danke|vielen dank|per (favore|piacere)|grazie
  alstublieft|alsjeblieft|aub|dank (u|je)|bedankt|proszę|poproszę|dziękuję|lütfen|teşekkür(ler| ederim)
  من فضلك|من فضلكم|لو سمحت(م|وا)?|رجاء|شكرا|בבקשה|תודה|कृपया|प्लीज|धन्यवाद|जी|kripya|ji|براہ (کرم|مہربانی)|شکریہ
  দয়া করে|অনুগ্রহ করে|প্লিজ|ধন্যবাদ|tolong|mohon|terima kasih|makasih|tafadhali|asante|пожалуйста|спасибо
  будь ласка|дякую|прошу|(vă|te) rog|mulțumesc|(σας )?παρακαλώ|ευχαριστώ|prosím|děkuji|díky|kérem|légyszi|köszönöm
  snälla|tack|takk|tak|venligst|vennligst|vær så snill|kiitos|ole hyvä|làm ơn|lam on|vui lòng|cảm ơn|cam on|ạ
  لطفا|ممنون|مرسی|po|paki|pakiusap|salamat|제발|부탁드립니다|부탁해요|감사합니다`);
export const PLEASE_UNSPACED =
  patternOf(`请|請|麻烦|麻煩|谢谢|謝謝|お願いします|おねがいします|ください|下さい|ありがとう
  ครับ|ค่ะ|คะ|นะ|กรุณา|ขอบคุณ`);
const GREETINGS =
  patternOf(`hi|hello|hey|ok(ay)?|hola|buen[oa]s( (días|tardes|noches))?|olá|oi|bom dia|boa (tarde|noite)|bonjour
    bonsoir|salut|hallo|guten (tag|morgen|abend)|moin|ciao|buongiorno|buonasera|salve|goede(morgen|middag|navond)
    dzień dobry|cześć|merhaba|selam|مرحبا|السلام عليكم|سلام|שלום|नमस्ते|namaste|assalamu alaikum|হ্যালো|halo|hujambo
    habari|здравствуйте|привет|добрый день|добрий день|вітаю|bună( ziua)?|γεια( σας)?|καλημέρα|καλησπέρα|dobrý den
    ahoj|jó napot|szia|hej|hei|안녕하세요|xin chào|kumusta`);
const GREETINGS_UNSPACED = patternOf('你好|您好|こんにちは|สวัสดี');

const SPACED = `(?:${PLEASE}|${GREETINGS})`;
const UNSPACED = `(?:${PLEASE_UNSPACED}|${GREETINGS_UNSPACED})`;
const COURTESY_BEFORE = new RegExp(`^(?:${SPACED} |${UNSPACED} ?)${FEW}`);
const COURTESY_AFTER = new RegExp(`(?: ${SPACED}| ?${UNSPACED})${FEW}$`);
