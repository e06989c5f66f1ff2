/** Yes or no, as the answer to a question of ours. */
import { anyOf } from './normal.ts';
import { readerOf } from './phrases.ts';

/**
 * 'yes' or 'no' when a message says nothing else, with or without politeness; else null. For questions that ask for
 * just that, such as "Forget the conversation? Answer YES": after any other, "ok" and "cancel" need not mean it.
 */
export function answerIn(text: string): 'yes' | 'no' | null {
  if (text.length > LONGEST || QUESTION.test(text)) return null;
  return YES_SIGN.test(text) ? 'yes' : NO_SIGN.test(text) ? 'no' : answer(text);
}

/** In UTF-16 code units. */
const LONGEST = 100;
/** "Yes?" and "Sure?" ask back. */
const QUESTION = /[?？؟]/;
/** Nothing but thumbs or ticks, in any skin colour. */
const YES_SIGN = /^\s*(?:[👍👌✅✔][\u{1f3fb}-\u{1f3ff}\ufe0f]*\s*)+$/u;
const NO_SIGN = /^\s*(?:[👎❌✖🚫][\u{1f3fb}-\u{1f3ff}\ufe0f]*\s*)+$/u;

interface Row {
  yes: string;
  no: string;
}

/**
 * What counts, and why. One word has different meanings in two languages now and then; since a wrong 'yes' deletes
 * something, the one that more people write wins only where the other is no refusal: "tak" (yes in Polish, thanks in
 * Danish) is 'yes', "no" (well, yes in Czech) and "ne" (yes in Greek written with Latin letters) are 'no'. Single
 * letters are null: "y" is Spanish for "and", "n" is a slip. "Stop" is an opt-out, see `consentWordIn`.
 */
const ANSWERS: Record<string, Row> = {
  en: {
    yes: `yes( (i do|do it|delete it|forget it))?|yeah|yep|yup|sure|of course|ok(ay)?|correct|confirm|do it|go ahead
      i agree`,
    no: `no( way)?|nope|nah|never|(no )?(don't|do not)( do it)?|cancel|not now|no i (don't|do not)`,
  },
  es: {
    yes: 'sí( claro| quiero)?|claro( que sí)?|vale|de acuerdo|por supuesto|confirmo|dale',
    no: 'no( quiero)?|cancelar|mejor no|ahora no',
  },
  pt: { yes: 'sim|claro|com certeza|pode( ser)?|isso|quero|confirmo', no: 'não( quero)?|agora não' },
  fr: { yes: "oui|ouais|bien sûr|d'accord|je confirme", no: 'non|pas maintenant|annule[rz]?|surtout pas' },
  de: {
    yes: 'ja( gerne?| klar)?|jawohl|klar|natürlich|einverstanden|genau|sicher',
    no: 'nein|nö|nee|lieber nicht|abbrechen',
  },
  it: { yes: "certo|va bene|d'accordo|confermo", no: 'annulla|meglio di no' },
  nl: { yes: 'ja( graag| hoor)?|zeker|akkoord|prima', no: 'nee|neen|liever niet|annuleren' },
  pl: { yes: 'tak|jasne|oczywiście|potwierdzam|dobrze', no: 'nie|anuluj' },
  tr: { yes: 'evet|tamam|olur|tabii?', no: 'hayır|yok|istemiyorum|iptal' },
  ar: { yes: 'نعم|أجل|ايوه|أيوة|اكيد|موافق|تمام', no: 'لا|كلا|إلغاء|لا أريد' },
  he: { yes: 'כן|בטח|בסדר|אישור', no: 'לא|ביטול|לא רוצה' },
  hi: { yes: 'हाँ|जी हाँ|हां जी|ठीक है|haa?n|theek hai', no: 'नहीं|ना|जी नहीं|मत करो|nahin?' },
  ur: { yes: 'ہاں|جی|جی ہاں|ٹھیک ہے', no: 'نہیں|جی نہیں' },
  bn: { yes: 'হ্যাঁ|জি|জ্বি|ঠিক আছে', no: 'না|জি না' },
  'id, ms': { yes: 'ya|iya|setuju|boleh|baik|oke', no: 'tidak|nggak|gak|tak nak|batal|jangan' },
  sw: { yes: 'ndiyo|ndio|naam|sawa', no: 'hapana|sitaki' },
  ru: { yes: 'да|ага|конечно|хорошо|ок|согласен|согласна', no: 'нет|не надо|не хочу|отмена' },
  uk: { yes: 'так|звичайно|добре|згоден|згодна', no: 'ні|не треба|скасувати' },
  ro: { yes: 'da|sigur|bine|de acord', no: 'nu|anulează|nu vreau' },
  el: { yes: 'ναι|βέβαια|εντάξει|nai', no: 'όχι|ακύρωση|oxi' },
  cs: { yes: 'ano|jo|jasně|dobře|souhlasím', no: 'ne|nechci|zrušit' },
  hu: { yes: 'igen|persze|rendben|oké', no: 'nem|mégse' },
  sv: { yes: 'japp|jo|absolut|visst|okej', no: 'nej|avbryt' },
  'da, nb': { yes: 'selvfølgelig|gerne|gjerne', no: 'nei|annuller' },
  fi: { yes: 'kyllä|joo|juu|selvä', no: 'ei|en|peruuta' },
  zh: { yes: '是的?|对|對|好的?|可以|行|嗯|确认|確認|确定|確定', no: '不(是|要|用|行)?了?|否|取消|别|別' },
  ja: { yes: 'はい|うん|ええ|そうです|okです', no: 'いいえ|いえ|いや|やめて(おきます)?|キャンセル|しません' },
  ko: { yes: '네|예|응|넵|그래요?|좋아요|확인', no: '아니[요오]?|아뇨|싫어요?|취소' },
  th: { yes: 'ใช่|ตกลง|ได้|โอเค|ครับ|ค่ะ', no: 'ไม่(ใช่|เอา|ต้อง|ได้)?|ยกเลิก' },
  vi: { yes: 'có|vâng|dạ|ừ|đúng|đồng ý|vang', no: 'không|khong|thôi|đừng|hủy' },
  fa: { yes: 'بله|آره|بلی|حتما|باشه', no: 'نه|خیر|لغو' },
  fil: { yes: 'oo|opo|sige', no: 'hindi|ayaw|ayoko|huwag' },
};

const rows = Object.values(ANSWERS);
const answer = readerOf({ yes: [anyOf(rows, 'yes')], no: [anyOf(rows, 'no')] });
