/**
 * Opt-out and opt-in: whether a message as a whole says that nothing more may be sent to its writer, or that it may
 * again.
 */
import { anyOf, FEW } from './normal.ts';
import { readerOf } from './phrases.ts';

/**
 * 'stop' when a message says nothing but that its writer wants no more messages, 'start' when it says nothing but that
 * they want them again, else null. Longer than 200 characters: null, since such a message says something else as well.
 */
export function consentWordIn(text: string): 'stop' | 'start' | null {
  return text.length > LONGEST ? null : consentIn(text);
}

/** In UTF-16 code units. */
const LONGEST = 200;

interface Row {
  /** Words and phrases that are an opt-out by themselves. */
  alone: string;
  /** "Do not write to me", which messages may follow. */
  ban?: string;
  /** "I want no", which messages must follow. */
  refuse?: string;
  /** What messages are called. */
  nouns?: string;
  /** What may stand between the words of these phrases and after them. */
  more?: string;
  /** The opt-in. */
  start: string;
}

/**
 * What counts, and why. A wrong 'stop' silences a customer, a missed one is a breach, so:
 *
 * - Of the words that Twilio takes for an opt-out in an SMS (STOP, UNSUBSCRIBE, END, QUIT, STOPALL, REVOKE, OPTOUT and
 *   CANCEL, see https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out), all count but CANCEL and END. In a
 *   chat with an assistant these two are usually the answer to its question, or end the talk. The same holds for their
 *   translations (cancelar, sair, salir, annuler, iptal, لغو, キャンセル).
 * - The word by which people of a language leave a mailing list counts (BAJA, הסר, 退订, 수신거부), unless it is also how
 *   they call off a booking or a course: then it needs the messages beside it. "Abmelden", "afmelden" and "odhlásit"
 *   alone are null, "Newsletter abmelden" is 'stop'.
 * - "Cancel my subscription" is about what the business sells: null.
 * - Words that mostly mean "wait" or "enough" are null: dur, रुको, די, basta, tama na.
 * - Twilio's YES is no opt-in: it answers any question. The same holds for "begin" and "sign me up", which people
 *   write to order or to book.
 */
const CONSENT: Record<string, Row> = {
  en: {
    alone: `stop( it| this| now)?|stop ?all|unsub|(i (want|would like|'d like) to )?(unsubscribe|opt out)( me| now)?
      optout|revoke|quit|leave me alone|(take|remove) me (off|from) (your|the|this) list`,
    ban: `stop( all)? (texting|messaging|writing|contacting|spamming|bothering)|stop sending me
      (do not|don't|never) (write( to)?|text|message|contact|spam|bother) me`,
    refuse: `stop( sending)?|(do not|don't) send|no more|i (do not|don't|no longer) want( to get| to receive)?`,
    nouns: 'messages|texts|ads|offers|spam|promotions',
    more: 'to|me|any|any ?more|again|ever|your|these|all|the|more|now',
    start: 'start|un ?stop|(re ?)?subscribe( me)?( again)?|opt ?in|resume messages',
  },
  es: {
    alone: `baja|parar|detener|(quiero |quisiera |solicito )?dar(me|se)? de baja|(da|dé|den|dad)me de baja
      (quiero )?desuscribirme|(déja|deje|déjen|dejad)me en paz`,
    ban: `no me (escriba|contacte|moleste)[sn]?
      (dej|par)(a|e|en|ad) de (escribirme|contactarme|molestarme|mandarme|enviarme)`,
    refuse: '(ya )?no (quiero|deseo)( recibir)?|no más|no me (mande|envíe)[sn]?',
    nouns: 'mensajes|publicidad|promociones|spam',
    more: 'más|nunca|sus|tus|estos',
    start: 'alta|darme de alta|(quiero )?volver a recibir( sus| los)? mensajes',
  },
  pt: {
    alone: `parar|pare|descadastr(ar|e|o)|(quero )?me (descadastrar|desinscrever)|(quero )?sair da lista
      me deix(a|e|em) em paz`,
    ban: '(pare|para|parem) de( me)? (mandar|enviar|escrever|incomodar)|não me (escreva|contate|incomode)m?',
    refuse: 'não (quero|desejo)( mais)?( receber)?|chega de|não me (manda|(mande|envie)m?)',
    nouns: 'mensagem|mensagens|propagandas?|promoções|spam',
    more: 'me|mais|suas',
    start: 'recadastrar|(quero )?voltar a receber mensagens',
  },
  fr: {
    alone: `arrêt|arrêt(er|e|es|ez)|stopper|désabonne(r|ment|z moi)|désinscri(re|ption|vez moi)
      (je (veux|voudrais|souhaite) )?(me|se) (désabonner|désinscrire)|laisse[zs]? moi (tranquille|en paix)`,
    ban: `(arrête[zsr]?|stop|cesse[zr]?)( de)? (m'écrire|me contacter|me déranger|m'envoyer)
      ne (m'écri(s|vez)|me contacte[zs]?|me dérange[zs]?) (plus|pas)|ne m'envoyez plus rien`,
    refuse: `(je )?(ne )?veux (plus|pas)( recevoir)?( de)?|plus de|ne m'envoye[zs] (plus|pas)( de)?`,
    nouns: 'messages?|pubs?|publicités?|promos?|sms',
    more: 'vos|des|ces|de',
    start: '(je (veux|voudrais) )?me réabonner|réabonnement',
  },
  de: {
    alone: `stopp|stoppen|abbestellen
      (den |die |eure |alle )?(newsletter|werbung|nachrichten) (abbestellen|abmelden|stoppen)
      ich (möchte|will) (den |eure |alle )?(newsletter|werbung|nachrichten) (abbestellen|abmelden)
      (mich )?vom newsletter abmelden|keine werbung|hör(t|en sie)? auf|lass(t|en sie)? mich( bitte)? in ruhe`,
    ban: `(schreib|kontaktier)(e|t|en sie)? mi(r|ch)( bitte)? (nichts?|nie)
      (mir |mich )?nicht mehr ((an)?schreiben|kontaktieren)|hör(t|en sie)? auf mir zu schreiben
      keine (nachrichten|werbung|sms) mehr`,
    refuse: 'ich (möchte|will) keine|(schick|send)(e|t|et|en sie)? mir( bitte)? keine',
    nouns: 'nachrichten|werbung|newsletter|sms',
    more: 'mehr|wieder|weiteren|eure|von euch|erhalten|bekommen',
    start: '(wieder )?nachrichten (wieder )?(erhalten|abonnieren)',
  },
  it: {
    alone: `disiscri(vi|vimi|vetemi|vermi|zione)|(voglio|vorrei) disiscrivermi|lascia(te)?mi in pace
      (cancella|togli)(te)?mi dalla lista`,
    ban: `(smetti|smettete|smettila|smettetela|basta)( di)? (scrivermi|contattarmi|disturbarmi|mandarmi|inviarmi)
      non mi (scriva|scrivete|contattate|disturbate)|non (scrivete|contattate|scriver)mi`,
    refuse: 'basta|non voglio( più)?( ricevere)?|non (mandate|inviate)mi|non mi (mandate|inviate)',
    nouns: 'messaggi|pubblicità|promozioni|spam',
    more: 'più|i|vostri|altri',
    start: 'riattiva( i)? messaggi|(voglio |vorrei )?reiscrivermi',
  },
  nl: {
    alone: `uitschrijven|schrijf (me|mij) uit|(ik wil )?(me|mij) uitschrijven
      (nieuwsbrief|berichten) (afmelden|stoppen)|laat (me|mij) met rust`,
    ban: `(stop|hou op|houd op) met( mij| me)?( te)? (appen|schrijven|sturen)|(app|schrijf) (me|mij) niet
      geen (berichten|reclame|appjes) meer`,
    refuse: 'ik wil geen|stop met( het sturen van)?|stuur (me|mij) geen',
    nouns: 'berichten|reclame|appjes|spam',
    more: 'meer|van jullie|ontvangen',
    start: '(weer )?berichten (weer )?ontvangen',
  },
  pl: {
    alone: `wypisz(cie)? mnie( z (listy|newslettera))?|(chcę )?(się )?wypisać( się)?( z (listy|newslettera))?
      wypisuję się|daj(cie)? mi spokój`,
    ban: '(przestań(cie)?|proszę przestać|proszę nie) (do mnie )?(pisać|wysyłać)|nie pisz(cie)? do mnie',
    refuse: 'nie chcę|koniec|nie (wysyłaj|przysyłaj)(cie)?',
    nouns: 'wiadomości|reklam|spamu',
    more: 'do mnie|mi|już|więcej|dostawać|otrzymywać|waszych',
    start: '(chcę )?(znowu|znów) otrzymywać wiadomości|zapisz(cie)? mnie na listę',
  },
  tr: {
    alone: `durdur(un)?|ret|abonelikten (çık|çıkar|çıkmak istiyorum)
      (beni )?(bu )?listeden (çık|çıkar|çıkarın|sil|silin)|beni rahat bırak(ın)?`,
    ban: `(artık |bir daha )?(bana (artık |bir daha )?)?(mesaj|reklam) (yazma|gönderme|atma)(yın|yin)?
      (artık |bir daha )?bana( artık| bir daha)? yazma(yın)?
      (artık )?(mesaj|mesajlarınızı|reklam)( almak)? istemiyorum`,
    more: 'artık',
    start: 'başlat|(tekrar|yeniden) mesaj almak istiyorum',
  },
  ar: {
    alone: 'توقفوا?|إيقاف|أوقف|ستوب|إلغاء الاشتراك|اترك(ني|وني) وشأني',
    ban: 'لا (تراسلني|تراسلوني|تكتبوا? لي)',
    refuse: `(أوقفوا?|إيقاف|توقفوا? عن)( إرسال)?( هذه)?|لا ترسل(وا|ي)?( لي)?|(لا|ما) (أريد|أود|أبغى)( استقبال| تلقي)?`,
    nouns: 'رسائل|رسائلكم|الرسائل|رسالة|إعلانات|الإعلانات',
    more: 'أي|منكم|بعد الآن|مرة أخرى|المزيد من',
    start: '(إعادة|تجديد) الاشتراك|استئناف الرسائل',
  },
  he: {
    alone: 'הסרה?|סטופ|עצור|(תסירו|הסירו|הסר|תסיר) אותי( מהרשימה| מרשימת התפוצה)?|להסיר אותי|תעזבו אותי בשקט',
    ban: '(תפסיקו?|הפסיקו) (לשלוח|לכתוב|להטריד)|אל תכתבו? לי',
    refuse: 'אל תשלחו?|(אני )?לא (רוצה|מעוניין|מעוניינת)( יותר)?( לקבל)?',
    nouns: 'הודעות|פרסומות|ספאם',
    more: 'לי|אותי|יותר|עוד|מכם',
    start: 'התחל|(אני רוצה )?(שוב )?לקבל (שוב )?הודעות',
  },
  hi: {
    alone: 'स्टॉप|अनसब्सक्राइब( करें)?',
    ban: `(मुझे )?(मैसेज|मेसेज|संदेश)( भेजना)? बंद (करो|करें|कीजिए)
      मुझे( अब| और)* (मैसेज|मेसेज|संदेश) (मत|न|नहीं) (भेजो|भेजें|चाहिए)|(messages?|msgs?)( bhejna)? band (karo|kar do)
      (mujhe )?(aur )?(messages?|msgs?) (mat|na|nahi) (bhejo|karo|chahiye)`,
    start: 'स्टार्ट|(मैसेज|संदेश) (फिर से )?(शुरू|चालू) (करो|करें)',
  },
  ur: {
    alone: 'اسٹاپ|سٹاپ|ان سبسکرائب( کریں)?',
    ban: `(مجھے )?(پیغام(ات)?|میسجز?)( بھیجنا)? بند (کرو|کریں|کر دیں)
      مجھے( مزید| اور)* (پیغام(ات)?|میسجز?) (نہ|مت|نہیں) (بھیجیں|بھیجو|چاہیے)`,
    start: 'اسٹارٹ|پیغامات (دوبارہ )?(شروع|چالو) کریں',
  },
  bn: {
    alone: 'স্টপ|আনসাবস্ক্রাইব( করুন)?',
    ban: '(মেসেজ|বার্তা)( পাঠানো)? বন্ধ (করুন|করো)|(আমাকে )?(আর )?(মেসেজ|বার্তা) (পাঠাবেন|দেবেন|পাঠিও|চাই) না',
    start: 'স্টার্ট|(মেসেজ|বার্তা)( আবার)? চালু করুন',
  },
  'id, ms': {
    alone: 'berhenti( berlangganan| langganan| melanggan)?|henti|unreg',
    ban: '(jangan|usah)( lagi)? (kirimi|hubungi|ganggu|chat) saya',
    refuse: `(hentikan|stop|berhenti|jangan|usah)( lagi)?( kirim| mengirim| hantar| menghantar)?
      (saya )?(tidak|tak|ga|gak) (mau|ingin|nak|mahu)( terima| menerima)?`,
    nouns: 'pesan|mesej|promosi|iklan',
    more: 'lagi|ini|saya|ke saya|kepada saya',
    start: '(langgan|berlangganan|langganan) (lagi|semula)|terima (pesan|mesej) (lagi|semula)',
  },
  sw: {
    alone: '(simamisha|sitisha) (ujumbe|meseji|jumbe)|niondoe(ni)? kwenye orodha',
    ban: '(acha|acheni) kuniandikia|(usi|msi)niandikie',
    refuse: '(acha|acheni) kunitumia|(usi|msi)nitumie|sitaki( kupokea)?',
    nouns: 'ujumbe|meseji|jumbe',
    more: 'tena',
    start: 'nitumie(ni)? (ujumbe|meseji) tena',
  },
  ru: {
    alone: 'стоп|отпис(аться|ка)|(хочу )?отписаться( от рассылки)?|отпиши(те)? меня|оставьте меня в покое',
    ban: `(больше )?не пиши(те)?( мне)?|больше не (присылай|шли)(те)?
      (перестань|прекрати|хватит)(те)? (мне )?(писать|присылать|слать)`,
    refuse: '(я )?(больше )?не хочу( больше)?( получать)?|не (присылай|шли|отправляй)(те)?',
    nouns: 'сообщения|сообщений|рассылку|рекламу|спам',
    more: 'мне|больше|никогда|ничего|ваши',
    start: 'старт|подписаться( снова)?|подпишите меня( снова)?|(хочу )?снова получать сообщения',
  },
  uk: {
    alone: 'відпис(атися|атись|ка)|(хочу )?відписатися( від розсилки)?|відпишіть мене|дайте мені спокій',
    ban: `(більше )?не (пиши|пишіть)|більше не (надсилайте|присилайте)
      (припиніть|досить|перестаньте) (мені )?(писати|надсилати)`,
    refuse: '(я )?(більше )?не хочу( більше)?( отримувати)?|не (надсилайте|присилайте)',
    nouns: 'повідомлення|повідомлень|розсилку|рекламу',
    more: 'мені|більше|нічого|ваші',
    start: 'підписатися( знову)?|(хочу )?знову отримувати повідомлення',
  },
  ro: {
    alone: 'dezabon(are|ează mă|ați mă)|((vreau|doresc) )?să mă dezabonez|(lăsați|lasă) mă în pace',
    ban: 'nu( îmi| mi)? mai scri(eți|e)|nu mă mai (contactați|deranjați)',
    refuse: 'opriți|oprește|nu( îmi| mi)?( mai)? (trimiteți|trimite)( mi)?|nu( mai)? (vreau|doresc)( să primesc)?',
    nouns: 'mesaje|mesajele|reclame',
    more: 'mai|alte',
    start: 'reabonare|vreau din nou mesaje',
  },
  el: {
    alone: 'στοπ|(θέλω )?(απεγγραφή|να απεγγραφώ)|αφήστε με ήσυχ[οη]',
    ban: 'μην? (μου|με) (γράφετε|ξαναγράψετε|ενοχλείτε)|σταμάτ(α|ήστε) να (μου )?(στέλνεις|στέλνετε|γράφετε)',
    refuse: 'διακοπή|όχι άλλα|δεν? θέλω( να λαμβάνω)?|μην? μου (στέλνετε|ξαναστείλετε)',
    nouns: 'μηνύματα|μηνυμάτων|διαφημίσεις',
    more: 'άλλα|πια|ξανά|σας',
    start: 'επανεγγραφή|θέλω (ξανά|πάλι) μηνύματα',
  },
  cs: {
    alone: '(chci )?(se )?odhlásit (se )?(z odběru|odběr|newsletter)|zrušit odběr|nechte mě (být|na pokoji)',
    ban: '(už )?mi( už)? nepište|nepište mi|už mi nic neposílejte|(přestaňte|přestaň) mi (psát|posílat)',
    refuse: '(už )?nechci|konec|(už )?(mi )?neposílejte( mi)?',
    nouns: 'zprávy|zpráv|reklamy',
    more: 'už|dostávat|další|žádné|vaše',
    start: '(chci )?(znovu|zase) dostávat zprávy|obnovit odběr',
  },
  hu: {
    alone: 'leiratkoz(ás|om|ok|ni)|(szeretnék|akarok) leiratkozni|állj|hagyj(a|ák|átok|anak)? békén',
    ban: 'ne (írj|írjon|írjanak|írjatok)',
    refuse: 'nem (akarok|kérek|szeretnék)|ne (küldj|küldjön|küldjenek|küldjetek)',
    nouns: 'üzenetet|üzeneteket|reklámot',
    more: 'nekem|már|több|többet|többé|kapni',
    start: '(szeretnék )?(újra )?feliratkozni|feliratkozás',
  },
  sv: {
    alone: 'avprenumerera|(jag vill )?avregistrera( mig)?|lämna mig i fred',
    ban: 'sluta (skriva|kontakta)|(skriv|kontakta)( till)? mig inte|(skriv|kontakta) (inte|aldrig)( till)? mig',
    refuse: '(jag )?vill inte (ha|få)|inga fler|sluta skicka|skicka (inte|inga)',
    nouns: 'meddelanden|reklam|sms',
    more: 'till|mig|fler|mer|längre|igen',
    start: 'prenumerera igen|(jag )?vill ha meddelanden igen',
  },
  'da, nb': {
    alone: '(afmeld|avmeld) (sms|beskeder|meldinger|nyhedsbrev|nyhetsbrev)|(lad|la) (mig|meg) være( i fred)?',
    ban: `(stop|slutt?|hold op)( med)? (at|å) (skrive|kontakte)|(skriv|kontakt) (ikke|aldrig?)( til)? m[ei]g
      ikke (skriv|kontakt)( til)? m[ei]g`,
    refuse: `ingen flere|jeg (vil|ønsker) ikke( have| ha| modtage| motta| få)?
      (stop|slutt?|hold op)( med)? (at|å) sende|send (ikke|ingen)|ikke send`,
    nouns: 'beskeder|meldinger|reklamer?|sms',
    more: 'til|mig|meg|flere|mere|mer|lenger|igen|igjen',
    start: 'jeg vil (gerne |gjerne )?(have|ha) (beskeder|meldinger) (igen|igjen)',
  },
  fi: {
    alone: 'lopeta|lopettakaa|seis|(jättäkää|jätä) minut rauhaan',
    ban: '(älkää|älä)( enää)? (kirjoittako|kirjoita)( enää)? minulle',
    refuse: 'lopeta|lopettakaa|en halua|ei enää|(älkää|älä)( enää)? (lähettäkö|lähetä)',
    nouns: 'viestejä|mainoksia|viestit|viestien lähettäminen',
    more: 'enää|minulle|saada',
    start: 'haluan taas viestejä|tilaa viestit( uudelleen)?',
  },
  zh: {
    alone: '退订|退訂|td|取消(订阅|訂閱)|停止(发送|發送|推送)?',
    ban: '(不要|别|別|勿)再(给我|給我)?(发|發|传|傳|联系|聯繫|聯絡|打扰|打擾)送?|(不要|别|別|勿)(联系|聯繫|聯絡|打扰|打擾|骚扰|騷擾)我',
    refuse: '停止(发送|發送|推送)?|我?不想再?(收到|接收)|(不要|别|別|勿)(给我|給我)?(发|發|传|傳)送?',
    nouns: '消息|讯息|訊息|信息|短信|广告|廣告',
    more: '我|给我|給我|了|你们的|你們的',
    start: '订阅|訂閱|(恢复|恢復|重新)(订阅|訂閱)',
  },
  ja: {
    alone: '停止|ストップ|受信拒否|配信(停止|解除)(希望)?',
    ban: '(メッセージ|連絡|配信|広告)[をはも]?(もう)?(送らないで|しないで|止めて|やめて|停止(して)?|いりません|いらない|不要です?)|もう(送ら|連絡し)ないで',
    start: 'スタート|(メッセージ|配信)を?再開(して)?',
  },
  ko: {
    alone: '수신 ?거부|중지|스톱|그만 ?보내(세요| ?주세요)?',
    ban: '(더 ?이상 )?(메시지|문자|연락|광고)[를을]? ?(더 ?이상 )?(그만 ?보내(세요| ?주세요)|(보내지|하지) ?(마|마세요|말아 ?주세요)|(받고 싶지|원하지) 않(아요|습니다))',
    start: '스타트|수신 ?(동의|재개)',
  },
  th: {
    alone: 'หยุด|หยุดส่ง|เลิกส่ง',
    ban: '(อย่า|ไม่ต้อง|ห้าม)ส่ง(ข้อความ|โฆษณา)?(มา)?(หา(ฉัน|ผม))?อีก',
    refuse: 'หยุดส่ง|เลิกส่ง|ยกเลิก(การ)?รับ|ไม่(อยาก|ต้องการ)(รับ|ได้รับ)?',
    nouns: 'ข้อความ|ข่าวสาร|โฆษณา',
    more: 'มา|อีก|แล้ว|เลย|ให้(ฉัน|ผม)',
    start: '(กลับมา|ต้องการ|ขอ|สมัคร)รับ(ข้อความ|ข่าวสาร)(อีกครั้ง|ใหม่|อีก)?',
  },
  vi: {
    alone: 'dừng( lại)?|ngừng|ngưng',
    ban: 'đừng (làm phiền|liên lạc với|nhắn tin|nhắn) (cho )?(tôi|mình)',
    refuse: `(hủy|từ chối) nhận|(dừng|đừng|ngừng|dung|ngung)( gửi| gui)?
      ((tôi|toi|mình) )?(không|khong) muốn nhận( thêm)?`,
    nouns: '(nhắn )?tin( nhắn)?|tin nhan|quảng cáo',
    more: 'cho|tôi|mình|toi|nữa|nua',
    start: '(đăng ký|dang ky)( lại)? nhận tin( nhắn)?',
  },
  fa: {
    alone: 'توقف|استاپ|لغو ?(11|۱۱)|مزاحمم? نش(وید|ید|ین|و)|دست از سرم بردار(ید)?',
    ban: `(دیگر |دیگه )?(به من |بهم )?(دیگر |دیگه )?(پیامک?|تبلیغ) (نفرست|نده)(ید|ین)?
      (دیگر |دیگه )?(پیامک?|تبلیغ) نمی ?(خواهم|خوام)`,
    refuse: 'لغو( ارسال| دریافت)?',
    nouns: 'پیامک?|پیام ها|تبلیغات',
    start: 'استارت|دوباره پیام (بدهید|بفرستید)',
  },
  fil: {
    alone: 'itigil( na| mo| niyo| ninyo)*',
    ban: `(itigil|tigilan)( na| mo| niyo| ninyo)*( ang)? (pag ?text|pag ?message|pagpapadala)( ng (mensahe|text))?
      (huwag|wag)( na| niyo| nyo| ninyo| mo)* (akong|ako) (i ?text|i ?message|padalhan ng (mensahe|text))
      ayoko na ng (mensahe|message|text)`,
    more: 'sa akin|ulit',
    start: 'mag ?subscribe ulit',
  },
};

/** Their words follow each other without a space; in Korean that may be. */
const UNSPACED = ['zh', 'ja', 'ko', 'th'];

const [unspaced, spaced] = [true, false].map((is) =>
  Object.entries(CONSENT).flatMap(([name, row]) => (UNSPACED.includes(name) === is ? row : [])),
) as [Row[], Row[]]; // one per entry
const consentIn = readerOf({
  stop: [...stopPhrases(spaced, ' '), ...stopPhrases(unspaced, '')],
  start: [anyOf(spaced, 'start'), anyOf(unspaced, 'start')],
});

function stopPhrases(rows: readonly Row[], space: string): string[] {
  const more = `(?:${space}${anyOf(rows, 'more')})${FEW}`;
  const nouns = anyOf(rows, 'nouns');
  return [
    anyOf(rows, 'alone'),
    `${anyOf(rows, 'ban')}${more}(?:${space}${nouns}${more})?`,
    `${anyOf(rows, 'refuse')}${more}${space}${nouns}${more}`,
  ];
}
