/** The commands that a person may give the assistant, with a slash or in words, without asking a model. */
import { anyOf, patternOf, sentencesOf } from './normal.ts';
import { readerOf } from './phrases.ts';

export type Command = 'help' | 'reset' | 'export' | 'forget';

/**
 * The command that a message is, else null:
 *
 * - 'help': what can I do here?
 * - 'reset': forget this conversation and start over.
 * - 'export': send me what you keep of me.
 * - 'forget': delete what you keep of me.
 *
 * A slash makes a command of one word (`/forget`), in each language. In words, the whole message must say it: "help"
 * but not "help me find a table", "delete my data" but not "delete my order". Longer than 200 characters: null.
 */
export function commandIn(text: string): Command | null {
  if (text.length > LONGEST) return null;
  return (SLASH.test(text) ? afterSlash(sentencesOf(text)) : null) ?? inWords(text);
}

/** In UTF-16 code units. */
const LONGEST = 200;
/** Also within quotes or stars, and with the wide slash of Chinese and Japanese keyboards. */
const SLASH = /^[^\p{L}\p{N}/／]*[/／]/u;

function afterSlash([command = '', ...others]: string[]): Command | null {
  return others.length === 0 ? (SLASH_WORDS.find(([, words]) => words.test(command))?.[0] ?? null) : null;
}

interface Row {
  help: string;
  /** "Start over". */
  again: string;
  /** "Forget me". */
  me: string;
  /** "Delete": with `chat` it is 'reset', with `data` 'forget', in either order. */
  erase: string;
  /** "Send me": with `data` it is 'export', in either order. */
  send: string;
  /** "This conversation". */
  chat: string;
  /** "My data". */
  data: string;
}

/**
 * What counts, and why. Only what cannot be about the business: "this conversation", "my data", "me"; never "my
 * account", "my order", "my password". Past tenses that sound like the command are left out: Spanish "olvidé" (I
 * forgot) is "olvide" (forget) once accents are gone, so that the polite form of that verb is not here. INFO, which
 * Twilio takes for help, asks a business for information: null.
 */
const COMMANDS: Record<string, Row> = {
  en: {
    help: 'help',
    again: 'reset|start over( again)?|begin again|new (conversation|chat)',
    chat: '(this|our|the) (conversation|chat)( history)?',
    data: '(all )?(of )?my (personal )?data|everything (you (know|have) )?about me',
    erase: 'forget|delete|erase|clear|remove|reset',
    send: '(send|give|email)( me)?|export|download|i want',
    me: 'forget me',
  },
  es: {
    help: 'ayuda',
    again: 'empezar de (nuevo|cero)|reiniciar',
    chat: '(esta|la) (conversación|charla)|(este|el) chat',
    data: '(todos )?mis datos( personales)?|todo lo que sabes? (de|sobre) mí',
    erase: 'olvida(r|d)?|(borr|elimin)(a|e|ar|en)',
    send: '(exporta|descarga|manda|envía)r?(me)?|dame|(mánden|mánde|envíe|envíen)me|quiero',
    me: 'olv[ií]d(a|e|en)me|olvídate de mí',
  },
  pt: {
    help: 'ajuda',
    again: 'começar (de novo|do zero)|recomeçar',
    chat: '(esta|essa|a) conversa',
    data: '(todos )?(os )?meus dados( pessoais)?',
    erase: 'esque(ce|ça|cer)|apag(a|ue|ar)|exclu(a|ir)|delet(a|e|ar)',
    send: '(me )?(export|envi|mand|baix)(a|e|ar)( me)?|quero',
    me: 'me (esquece|esqueça)|(esquece|esqueça)( me| de mim)',
  },
  fr: {
    help: 'aide',
    again: 'recommencer( à zéro| depuis le début)?|recommençons',
    chat: '(cette|la|notre) (conversation|discussion)',
    data: '(toutes )?mes données( personnelles)?|tout ce que vous savez (sur|de) moi',
    erase: '(oubli|effac|supprim)(e|er|ez)',
    send: '(export|envoy|télécharg)(e|er|ez)( moi)?|envoie( moi)?|donne[zr]? moi|je (veux|voudrais)',
    me: 'oublie[zr]? moi',
  },
  de: {
    help: 'hilfe',
    again: '(von vorne?|neu) (anfangen|beginnen)|noch ?mal von vorne?',
    chat: '(dieses|das|unser) gespräch|(diese|die) unterhaltung|(diesen|den) chat',
    data: '(alle )?meine (persönlichen )?daten|alles was (du|sie) über mich (weißt|wissen)',
    erase: '(vergiss|vergessen|lösche?|löschen)( sie)?( bitte)?',
    send: '(schicke?|schicken|sende|senden|gib|geben|exportiere|exportieren)( sie)?( mir)?|herunterladen|anfordern',
    me: '(vergiss|vergesst|vergessen sie) mich',
  },
  it: {
    help: 'aiuto',
    again: 'ricomincia(re|mo)?( da capo| da zero)?',
    chat: '(questa|la) (conversazione|chat)',
    data: '(tutti )?i miei dati( personali)?',
    erase: '(dimentic|cancell|elimin)(a|ate|are)',
    send: '(esport|scaric)(a|ate|are)|(mand|invi)a(te)?mi|voglio',
    me: 'dimentica(te)?mi',
  },
  nl: {
    help: 'hulp',
    again: 'opnieuw beginnen|begin opnieuw',
    chat: '(dit|het|ons) gesprek|(deze|de) chat',
    data: '(al )?mijn (persoonlijke )?gegevens',
    erase: 'vergeet|wis|wissen|verwijder|verwijderen',
    send: '(stuur|geef)( me| mij)?|exporteer|download|downloaden|opvragen',
    me: 'vergeet (me|mij)',
  },
  pl: {
    help: 'pomoc',
    again: '(zacznij|zacznijmy|zacząć) od (nowa|początku)',
    chat: 'tę rozmowę|o tej rozmowie',
    data: '(wszystkie )?moje dane( osobowe)?',
    erase: 'zapomnij|(usuń|skasuj)(cie)?',
    send: '(wyślij|prześlij|pobierz|eksportuj)(cie)?( mi)?',
    me: 'zapomnij(cie)? o mnie',
  },
  tr: {
    help: 'yardım',
    again: '(baştan|yeniden|sıfırdan) başla(yalım)?',
    chat: '(bu )?(sohbeti|konuşmayı)',
    data: '(tüm |bütün )?(kişisel )?(verilerimi|bilgilerimi)',
    erase: '(unut|sil)(un|in)?',
    send: '(gönder|indir)(in)?|dışa aktar',
    me: 'beni unut(un)?',
  },
  ar: {
    help: '(ال)?مساعدة',
    again: '(ابدأ|لنبدأ|نبدأ) من جديد',
    chat: 'هذه المحادثة|المحادثة',
    data: '((كل|جميع) )?بياناتي',
    erase: '(انس|امسح|احذف)(وا)?|حذف',
    send: '(أرسل|صدر)(وا)?( لي)?|أعطني|تصدير|أريد',
    me: 'انسني|انساني',
  },
  he: {
    help: 'עזרה',
    again: '(להתחיל|נתחיל) (מחדש|מההתחלה)',
    chat: '(את )?השיחה( הזאת| הזו)?',
    data: '(את )?(כל )?(המידע|הנתונים) שלי',
    erase: 'ת?(שכח|מחק)ו?',
    send: 'ת?(שלח)ו?( לי)?|ייצא',
    me: 'ת?שכחו? (אותי|ממני)',
  },
  hi: {
    help: 'मदद|सहायता|madad',
    again: '(फिर|नए सिरे) से शुरू (करो|करें)|(phir|fir) se shuru karo',
    chat: '(यह|ये|इस) (बातचीत|चैट)( को)?',
    data: '(मुझे )?मे(रा|रे) (सारा )?(डेटा|डाटा)|mera (sara )?data',
    erase: 'भूल (जाओ|जाइए)|(मिटा|हटा) (दो|दीजिए)|डिलीट (करो|करें)|delete (karo|kar do)',
    send: 'भेजो|भेजें|भेजिए|दो|bhejo|bhejiye',
    me: 'मुझे भूल (जाओ|जाइए)|mujhe bhool jao',
  },
  ur: {
    help: 'مدد',
    again: '(نئے سرے سے|پھر سے) شروع (کریں|کرو)',
    chat: '(یہ|اس) (گفتگو|چیٹ)( کو)?',
    data: '(مجھے )?میرا (سارا )?ڈیٹا',
    erase: 'بھول (جاؤ|جائیں)|مٹا (دو|دیں)|(حذف|ڈیلیٹ) (کریں|کرو)',
    send: 'بھیجو|بھیجیں|دیں',
    me: 'مجھے بھول (جاؤ|جائیں)',
  },
  bn: {
    help: 'সাহায্য',
    again: '(নতুন করে|প্রথম থেকে) শুরু (করুন|করো)',
    chat: 'এই (কথোপকথন|চ্যাট)',
    data: '(আমাকে )?আমার (সব )?(তথ্য|ডেটা)',
    erase: 'ভুলে (যান|যাও)|মুছে (ফেলুন|দিন)',
    send: 'পাঠান|পাঠাও|দিন',
    me: 'আমাকে ভুলে (যান|যাও)',
  },
  'id, ms': {
    help: 'bantuan',
    again: 'mulai? (dari awal|ulang|semula)',
    chat: '(percakapan|obrolan|perbualan|chat) ini',
    data: '(semua )?data (pribadi )?saya',
    erase: 'lupakan|hapus|padam',
    send: 'kirim|kirimkan|hantar|ekspor|unduh',
    me: 'lupakan saya',
  },
  sw: {
    help: 'msaada',
    again: '(anza|tuanze) (upya|mwanzo)',
    chat: 'mazungumzo haya',
    data: '(data|taarifa) (yangu|zangu)( zote)?',
    erase: 'sahau|futa',
    send: 'nitumie|nipe',
    me: 'nisahau',
  },
  ru: {
    help: 'помощь|справка',
    again: 'нач(ать|ни|нем|ните) (сначала|заново|с начала)',
    chat: '(этот|наш) (разговор|диалог|чат)',
    data: '(все )?(мои|моих) (персональные |личные )?данны(е|х)',
    erase: '(забудь|удали)(те)?|удалить|сотри(те)?',
    send: '(пришли|отправь|выгрузи)(те)?( мне)?|экспорт|скачать',
    me: 'забудь(те)? (обо мне|меня|про меня)',
  },
  uk: {
    help: 'допомога|довідка',
    again: 'поч(ати|немо|ни|ніть) (спочатку|заново)',
    chat: '(цю|нашу) розмову',
    data: '(всі |усі )?мої (персональні |особисті )?дані',
    erase: 'забудь(те)?|видал(и|іть|ити)',
    send: 'надішл(и|іть)( мені)?|експорт|завантажити',
    me: 'забудь(те)? (про )?мене',
  },
  ro: {
    help: 'ajutor',
    again: '(să începem|începe) (de la (capăt|început|zero)|din nou)',
    chat: 'această conversație|conversația',
    data: '(toate )?datele mele( personale)?',
    erase: '(uit|șterg)(ă|e|ați|eți)',
    send: '(trimite|trimiteți)( îmi| mi)?|export(ă|ați)|descarcă',
    me: '(uită|uitați)( de)? (mă|mine)',
  },
  el: {
    help: 'βοήθεια',
    again: '(ξεκίνα|ας ξεκινήσουμε|πάμε) (από την αρχή|ξανά)',
    chat: '(αυτήν? )?την? (συνομιλία|συζήτηση)',
    data: '(όλα )?τα( προσωπικά)? δεδομένα μου',
    erase: 'ξέχνα|ξεχάστε|διέγραψε|διαγράψτε|σβήσε|σβήστε',
    send: '(στείλε|στείλτε|δώσε|δώστε)( μου)?|κατέβασε',
    me: '(ξέχνα|ξεχάστε|ξέχασε) με',
  },
  cs: {
    help: 'nápověda|pomoc',
    again: 'zač(ít|ni|něme|něte) (znovu|od začátku)',
    chat: '(na )?(tuto|tuhle|tento) (konverzaci|chat)',
    data: '(všechna )?(moje|má)( osobní)? (data|údaje)',
    erase: 'zapome(ň|ňte)|sma(ž|žte|zat)|vyma(ž|žte)',
    send: 'pošl(i|ete)( mi)?|export(uj|ujte|ovat)',
    me: 'zapome(ň|ňte) na mě',
  },
  hu: {
    help: 'segítség|súgó',
    again: 'kezd(jük|d) (elölről|újra)',
    chat: '(ezt )?a beszélgetést',
    data: '(az )?(összes )?(személyes )?(adatomat|adataimat)',
    erase: '(felejts|felejtsd|felejtse) el|töröl(d|je|jék)( ki)?',
    send: 'küld(d|je|jék)( el)?( nekem)?|export(áld|álja)|kérem',
    me: 'felejts(en|enek)? el( engem)?',
  },
  sv: {
    help: 'hjälp',
    again: 'börja om( från början)?',
    chat: '(den här|denna|vår) (konversationen|konversation|chatten)',
    data: '(alla? )?mina? (personliga )?(data|uppgifter)',
    erase: 'glöm|radera|ta bort',
    send: '(skicka|ge)( mig)?|exportera|ladda ner',
    me: 'glöm (bort )?mig',
  },
  'da, nb': {
    help: 'hjælp|hjelp',
    again: '(start|begynn?d?) (forfra|på nytt)',
    chat: '(denne|vores) (samtalen?|chatten|chat)',
    data: '(alle )?(mine (personlige )?(data|oplysninger|opplysninger)|dataene mine)',
    erase: 'glem|slett?',
    send: 'send( m[ie]g)?|eksporter|download|last ned',
    me: 'glem m[ie]g',
  },
  fi: {
    help: 'apua|ohje',
    again: 'aloita (alusta|uudelleen)',
    chat: 'tämä keskustelu',
    data: '(kaikki )?(minun )?(henkilö)?tietoni',
    erase: '(unohda|poista)(kaa)?',
    send: '(lähetä|lataa|anna)( minulle)?',
    me: 'unohda(kaa)? minut',
  },
  zh: {
    help: '帮助|幫助|说明|說明',
    again: '(重新|从头|從頭)(开始|開始)',
    chat: '(这段|這段|这个|這個|此)?(对话|對話|聊天|会话|會話)(记录|記錄)?',
    data: '我的(所有|全部|个人|個人)?(数据|數據|资料|資料)',
    erase: '忘记|忘記|忘掉|删除|刪除|清除|清空',
    send: '(请|請)?(导出|匯出|下载|下載|发送|發送|(发|發)?给我|(發)?給我)',
    me: '(忘记|忘記|忘掉)我',
  },
  ja: {
    help: 'ヘルプ|使い方',
    again: '(最初|はじめ|初め)から(やり直す|やり直し|やり直して)?|リセット(して)?',
    chat: '(この|今の)?(会話|チャット)を?',
    data: '(私|わたし|自分)の(データ|個人情報)を?(すべて|全部)?',
    erase: '忘れて|消して|(削除|消去|リセット)(して)?',
    send: '送って|(エクスポート|ダウンロード)(して|したい)?',
    me: '(私|わたし)(のこと)?を忘れて',
  },
  ko: {
    help: '도움말|도움',
    again: '처음부터( 다시)?( 시작)?|다시 ?시작|초기화',
    chat: '(이 )?대화[를을]?',
    data: '(제|내) ?(데이터|개인 ?정보|정보)[를을]?( 모두| 전부)?',
    erase: '(삭제해|지워|잊어) ?(줘|주세요)|삭제',
    send: '(보내|내보내) ?(줘|주세요)|내보내기|다운로드',
    me: '(저를|나를) 잊어 ?(줘|주세요)',
  },
  th: {
    help: 'ช่วยเหลือ|วิธีใช้',
    again: 'เริ่ม(ต้น)?ใหม่',
    chat: '(การสนทนา|บทสนทนา|แชท)(นี้)?',
    data: 'ข้อมูล(ทั้งหมด|ส่วนตัว)?ของ(ฉัน|ผม|ดิฉัน)(ทั้งหมด)?',
    erase: 'ลืม|ลบ|ล้าง',
    send: 'ส่ง|ส่งออก|ดาวน์โหลด|ขอ',
    me: 'ลืม(ฉัน|ผม)',
  },
  vi: {
    help: 'trợ giúp|tro giup',
    again: 'bắt đầu lại( từ đầu)?',
    chat: '(cuộc )?(trò chuyện|hội thoại) này',
    data: '((tất cả|hết) )?(dữ liệu|thông tin)( cá nhân)?( của)? (tôi|mình)',
    erase: 'quên|x[oó]a',
    send: '(gửi|xuất|tải)( cho tôi)?',
    me: '(hãy )?quên tôi( đi)?',
  },
  fa: {
    help: 'راهنما|کمک',
    again: 'از (اول|نو) شروع (کن|کنیم|کنید)',
    chat: '(این )?(گفتگو|مکالمه|چت)( را| رو)?',
    data: '(همه )?(داده ?های من|اطلاعات من|اطلاعاتم)( را| رو)?',
    erase: '(فراموش|پاک|حذف) کن(ید)?',
    send: '(بفرست|بده)(ید)?',
    me: '(مرا|منو|من را) فراموش کن(ید)?',
  },
  fil: {
    help: 'tulong',
    again: '(magsimula|simulan) (ulit|muli)',
    chat: '(ang )?(usapang|chat na) ito',
    data: '(ang )?(lahat ng )?(data|impormasyon) ko',
    erase: '(kalimutan|burahin|tanggalin)( mo)?',
    send: '(ipadala|ibigay)( mo)?( sa akin)?',
    me: 'kalimutan (mo )?(na )?ako',
  },
};

/** After a slash, beside what counts in words. */
const AFTER_SLASH: Record<Command, string> = {
  help: 'info',
  reset: `restart|reiniciar|recomeçar|recommencer|zurücksetzen|neustart|ricomincia|opnieuw|resetuj|sıfırla|сброс
    скинути|resetează|reset|nollställ|nulstil|nullstill|nollaa|重置|リセット|초기화`,
  export: `export(ar|er|ieren|eren|uj|era)?|exporta|esporta|eksport|(mis ?)?datos|(meus ?)?dados|données|daten|dati
    gegevens|dane|verilerim|экспорт|експорт|导出|匯出|エクスポート|내보내기`,
  forget: `forget ?me|forget|olvidar|olvídame|esquecer|oublier|oublie ?moi|vergessen|vergiss ?mich|dimentica|vergeet
    zapomnij|unut|забыть|забути|uită|glöm|glem|unohda|忘记|忘記|忘れて`,
};

const rows = Object.values(COMMANDS);
const SLASH_WORDS = (Object.keys(AFTER_SLASH) as Command[]) // its keys are the commands
  .map((command) => [command, new RegExp(`^(?:${patternOf(AFTER_SLASH[command])})$`)] as const);
const inWords = readerOf(phrasesOf());

function phrasesOf(): Record<Command, string[]> {
  const [erase, send, chat, data] = (['erase', 'send', 'chat', 'data'] as const).map((key) => anyOf(rows, key));
  return {
    help: [anyOf(rows, 'help')],
    reset: [anyOf(rows, 'again'), `${erase} ?${chat}`, `${chat} ?${erase}`],
    export: [`${send} ?${data}`, `${data} ?${send}`],
    forget: [anyOf(rows, 'me'), `${erase} ?${data}`, `${data} ?${erase}`],
  };
}
