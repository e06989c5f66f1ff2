/** Whether somebody asks for a person of the team, without asking a model. */
import { anyOf, FEW, patternOf, sentencesOf } from './normal.ts';
import { PLEASE, PLEASE_UNSPACED } from './phrases.ts';

/**
 * True when a message says nothing but a word for a person of the team ("agent", "a real person please"), or when a
 * sentence of it asks for one ("can I talk to somebody?", "connect me to an agent", "is there a human?", "I don't want
 * to talk to a bot"). Longer than 600 characters: false; that is for the model to read.
 *
 * Not a request: what such a person said or is ("the agent told me"), a number of people, whether the assistant is
 * human, and what is denied ("I don't want to talk to a person").
 */
export function asksForPerson(text: string): boolean {
  if (text.length > LONGEST) return false;
  const sentences = sentencesOf(text);
  const said = sentences.filter((sentence) => !ONLY_PLEASE.test(sentence));
  return (
    (said.length > 0 && said.every((sentence) => ALONE.test(sentence))) ||
    sentences.some((sentence) => REQUESTS.some((request) => request.test(sentence)))
  );
}

/** In UTF-16 code units. */
const LONGEST = 600;

interface Row {
  /**
   * Words for a person of the team that count alone, in the cases that they need. Articles and "real" may stand beside
   * them, see below.
   */
  person: string;
  /** Words that count in a request only. */
  other?: string;
  /** "Talk to", before the person. */
  talk?: string;
  /** "Connect me to", before the person. */
  pass?: string;
  /** "I want", before a `person` that ends the sentence. */
  want?: string;
  /** "Is there", likewise. */
  there?: string;
  /** What makes a request when it stands after the person: "whom I can talk to", and in many languages the verb. */
  after?: string;
  /** What makes a request when it stands after a `person`: "is wanted". */
  wanted?: string;
  /** What makes it none when it stands right before. */
  not?: string;
  /** Other requests: that it shall not be a machine. */
  asks?: string;
}

/**
 * What counts, and why. A missed request is still seen by the model, which can hand over, too; a wrong one makes the
 * assistant silent. So a word alone counts only as the whole message, and in a sentence only beside a verb that asks.
 * Words that are a number of people as often ("orang", "người") or mean nobody (French "personne") need such
 * a verb, too. The rows are joined: people mix languages.
 */
const PERSON: Record<string, Row> = {
  en: {
    person: `human( being)?|person|agents?|representative|rep|operator|advis[oe]r|employee|(staff|team) member
      customer (service|support|care)|live (chat|support)`,
    other: `some(one|body)( else)?|any(one|body)|staff|manager|owner|boss|supervisor`,
    talk: `(^|((want|need|like|love|wish|prefer|try|possible|how|way) to|wanna|rather|(can|could|may|must|should
      |do) (i|we)|let me|please)( just| also| directly)? )(speak|talk|chat) (directly )?(to|with)`,
    pass: `(connect|transfer|pass|forward|hand|put|redirect|switch) (me|us|this)( over| through| on| back)* (to|with)
      (have|let|ask)(?= [^ ]+( [^ ]+)?( to)? (call|contact|text) me)
      (can|could)(?= [^ ]+( [^ ]+)? (call|ring|phone|contact) me)`,
    want: `(i|we) (want|need|prefer|would like|'d like)( to (speak|talk) (to|with))?|(get|give|find) me
      (can|could|may) (i|we) (have|get)`,
    there: '(is|are) there',
    after: '(that |who |whom )?(i|we) (can|could) (talk|speak|write) (to|with)',
    not: `not|never|don't|didn't|did|do|if`,
    asks: `(don't|do not) want( to (talk|speak|chat) (to|with))?( an?| this| the)? (bot|robot|machine|computer|ai)`,
  },
  es: {
    person: `persona|ser humano|human[oa]|agente|asesora?|operadora?|ejecutiv[oa]|representante|emplead[oa]
      (atención|servicio) al cliente|atención humana`,
    other: 'alguien|gerente|encargad[oa]|responsable',
    talk: '(hablar|comunicarme|contactar|chatear|conversar|platicar)( directamente)? con',
    pass: `((pás|comuní(c|qu)|póng|conéct|transfier)(a|e|en)me|ponme|(pas|comunic|conect|transfer)[aei]rme|me (pasas?
      |comunicas?|pones?|(puede[ns]? )?(pasar|comunicar|poner))) (ya )?(con|a)`,
    want: '(quiero|necesito|quisiera|prefiero|solicito|dame|deme)',
    there: 'hay',
    after: 'con quien (pueda |puedo )?hablar|(que )?me (llame|llamen|atienda)',
    not: 'no (quiero|necesito)|pude|logré|después de|voy a|al',
    asks: 'no quiero (hablar con )?(un |una |este )?(bot|robot|máquina)',
  },
  pt: {
    person: 'pessoa|atendente|funcionári[oa]|consultora?|atendimento humano',
    other: 'alguém|gerente|responsável',
    talk: '(falar|conversar)( diretamente)? com',
    pass: '(transf(ere|ira|erir)|pass(a|e|ar)|encaminh(a|e|ar))( me)? (para|pra|pro|com|a)',
    want: 'quero|preciso de|queria|prefiro|cham(a|e|ar)',
    there: 'tem|há',
    after: '(que eu possa|para eu|pra eu) (falar|conversar)',
    not: 'não( quero| preciso)?|consegui|depois de|vou|ao',
    asks: 'não quero (falar com )?(um |uma |esse |este )?(bot|robô|máquina)',
  },
  fr: {
    person: `humaine?|être humain|conseill(er|ère)|opérat(eur|rice)|téléconseill(er|ère)|service client
      une (vraie )?personne|vraie personne|personne (réelle|humaine)`,
    other: `quelqu'un|responsable|gérante?|patron|directeur`,
    talk: `(parler|discuter|échanger|communiquer)( directement)? (à|avec|au)`,
    pass: `((pass|transfèr|connect|redirig)ez? moi|me (passer|transférer|connecter|rediriger)|(mett(ez|re)
      |mets)( moi)? en (contact|relation)|être mis en (contact|relation))( (à|avec|vers|au))?`,
    want: `je (veux|voudrais|souhaite|préfère)|donnez moi|il me faut|j'ai besoin d'`,
    there: `y a t il|est ce qu'il y a`,
    after: `(à|avec) qui (je (peux|puisse|pourrais) )?(parler|discuter)`,
    not: 'pas|jamais|pu|vais',
    asks: 'veux pas (parler|discuter) (à|avec) (un |une )?(bot|robot|machine)',
  },
  de: {
    person: `mensch(en)?|mitarbeiter(in)?|(kunden)?berater(in)?|ansprechpartner(in)?|kundenservice|agenten
      sachbearbeiter(in)?`,
    other: 'jemand(en|em)?( anders)?|chef(in)?|inhaber(in)?|kollegen',
    talk: `(sprechen|reden) mit
      mit(?=( [^ ]+){1,5} (sprechen|reden|chatten|schreiben|telefonieren|verbinden|verbunden)(?![^ ]))`,
    pass: 'verbinde[tn]?( sie)? mich( bitte)? (mit|zu)',
    want: 'ich (will|möchte|brauche|hätte gerne?)( bitte| lieber| gerne?)*',
    there: '(gibt es|ist)( hier| da| dort)?',
    not: 'nicht|nie|werde|gestern',
    after: '(mich |bitte )*(anrufen|zurückrufen|kontaktieren)',
    asks: `(jemanden|einen (echten )?(mitarbeiter|menschen|berater)) (bitte )?(sprechen|erreichen)(?! [^ ])
      ^mit (dem|der) ich( [^ ]+)? (sprechen|reden)
      nicht mit (einem|einer) (bot|roboter|maschine|computer|ki) (sprechen|reden|schreiben)`,
  },
  it: {
    person: `uman[oa]|essere umano|operatore|operatrice|addett[oa]|consulente|impiegat[oa]
      (servizio|assistenza) clienti`,
    other: 'qualcuno|titolare',
    talk: '(parlare|chattare|comunicare)( direttamente)? con',
    pass: `(passa|passate|collega|trasferisci|trasferite|mette|metti)(mi|temi)?( in contatto)?( (a|con|ad))?
      mi (passi|passate|può passare|potete passare)( (a|con|ad))?`,
    want: 'voglio|vorrei|preferisco|mi serve|ho bisogno di',
    there: `c'è|avete`,
    after: 'con cui (posso |poter |possa )?parlare',
    not: 'non( voglio)?|prima di',
    asks: 'non voglio parlare con (un |una )?(bot|robot|macchina)',
  },
  nl: {
    person: 'mens|persoon|medewerk(er|ster)|klantenservice|adviseur',
    other: 'iemand|eigenaar',
    talk: '(spreken|praten|chatten) met|met(?=( [^ ]+){1,5} (spreken|praten|chatten|bellen|doorverbonden)(?![^ ]))',
    pass: '(verbind (me|mij) (door )?|doorverb(inden|onden)( worden)? )(met|naar)',
    want: 'ik (wil|wens|zou)( graag)?',
    there: '(is er|is hier|hebben jullie)( ook)?',
    after: 'met wie ik( [^ ]+)? (praten|spreken)|(te )?spreken(?! [^ ])',
    not: 'niet( met)?|nooit',
  },
  pl: {
    person: `człowiek(a|iem)?|konsultant(a|em|ka|ką)?|pracownik(a|iem)?|doradc(a|ę|ą)|agent(a|em)|operator(a|em)
      (biuro )?obsług(a|i) klienta`,
    other: 'kimś|osobą|kierownikiem|obsługą( klienta)?',
    talk: '((po)?rozmawiać|połączyć( się| mnie)?|skontaktować się|połącz(cie)?( mnie)?|rozmow[ay]|rozmowę|kontakt) ze?',
    want: '(chcę|poproszę|proszę o|potrzebuję|wolę)',
    there: 'czy jest( tu| tam)?',
    after: 'z kim (mogę|można) (po)?rozmawiać',
    not: 'nie (chcę|muszę)',
  },
  tr: {
    person: 'insan|temsilci|operatör|yetkili|müşteri (temsilcisi|hizmetleri)',
    other: '(insan|operatör|kişiy|temsilciy|yetkiliy|biriy|birisiy|müşteri temsilcisiy|müşteri hizmetleriy)l[ae]',
    after: '(görüş|konuş|yazış)(m[ae]k ist[iı]yor|[ae]bil)[^ ]*',
    wanted: 'istiyorum|lazım|var mı',
    asks: `(insana|temsilciye|yetkiliye|operatöre|birine|müşteri (temsilcisine|hizmetlerine)) (bağla|aktar
      |yönlendir)[^ ]*`,
  },
  ar: {
    person: 'موظفة?|إنسان|بشر|ممثل|خدمة العملاء|شخص حقيقي|الدعم الفني',
    other: 'شخص( ما)?|أحد|حد|المدير|المسؤول|الموظف',
    talk: '((ال)?(تحدث|تكلم|كلام|تواصل)|أ(تحدث|تكلم|حكي|تواصل))( مباشرة)? (مع|إلى)|أكلم',
    pass: '(حولو?|وصلو?)ني (إلى|على|مع)',
    want: 'أريد|أبغى|أبي|عايز|بدي|أحتاج',
    there: '(هل )?(يوجد|هناك|فيه?)',
    after: '(أقدر|أستطيع|يمكنني) (أن )?(أتحدث|أتكلم|أكلم|التحدث)',
    not: 'لا (أريد|أود|أبغى)',
    asks: '(حولو?|وصلو?)ني ل(موظف|شخص|خدمة|مدير|لموظف|لمدير)[^ ]*',
  },
  he: {
    person: 'נציגה?( שירות)?|מענה אנושי|בן אדם|אדם (אמיתי|אנושי)|שירות לקוחות',
    other: 'מישהו|אדם|המנהלת?',
    talk: '(לדבר|להתכתב|לשוחח) עם',
    asks: '(תעביר[וי]?|העבירו?|תחבר[וי]?) אותי ל?(נציג|מישהו|אדם|בן אדם|מנהל|שירות)[^ ]*',
    want: 'רוצה|צריכה?|אפשר|מבקשת?',
    there: 'יש( פה| כאן| שם)?',
    after: 'שאפשר לדבר איתו',
    not: 'לא( רוצה)?',
  },
  hi: {
    person: 'इंसान|एजेंट|प्रतिनिधि|कस्टमर केयर|insaa?n|customer care',
    other: 'व्यक्ति|आदमी|कर्मचारी|मैनेजर|किसी|aadmi|executive|kisi',
    after: `(से )(बात|संपर्क) (करना|करनी|करने|करवा|करा|कर सक|हो सक)[^ ]*(?! नहीं)
      se baa?t (karna|karni|karwa|kara|kar sak|ho sak)[^ ]*(?! nahi)`,
    wanted: 'चाहिए|chahiye',
  },
  ur: {
    person: 'انسان|نمائندہ|ایجنٹ|کسٹمر (کیئر|سروس)',
    other: 'شخص|نمائندے|آدمی|کسی',
    after: 'سے (بات|رابطہ) (کرنا|کرنی|کروا|کرا|کر سک|ہو سک)[^ ]*(?! نہیں)',
    wanted: 'چاہیے',
  },
  bn: {
    person: 'মানুষ|এজেন্ট|প্রতিনিধি|কাস্টমার কেয়ার',
    other: '(মানুষ|এজেন্ট|প্রতিনিধি|কর্মী|কাস্টমার কেয়ার)ের|কারও|কারো',
    after: '(সাথে|সঙ্গে) (কথা বল|যোগাযোগ কর)(তে (চাই|পারি)|ব|া যাবে)',
    wanted: 'চাই|লাগবে|দরকার',
  },
  'id, ms': {
    person: 'agen|ejen|cs|admin|manusia|(layanan|khidmat) pelanggan|orang (asli|sungguhan|sebenar|betul)',
    other: 'orang|staf|petugas|pegawai|seseorang|manajer|wakil',
    talk: `(^|(mau|ingin|bisa|bisakah|boleh|bolehkah|nak|mahu|minta|perlu|tolong)( saya)? )(bicara|berbicara|ngobrol
      |chat|bercakap|cakap|berbual|berhubung)( langsung)? (dengan|sama)`,
    pass: '(hubungkan|sambungkan|alihkan)( saya)? (dengan|ke|kepada)',
    want: 'mau|minta|butuh|nak|perlu',
    there: 'ada',
    not: 'tidak|tak|jangan|gak',
  },
  sw: {
    person: 'binadamu|mhudumu|wakala|mtu halisi|huduma kwa wateja',
    other: 'mtu|mfanyakazi|meneja',
    talk: '(kuongea|kuzungumza|niongee|nizungumze|kuwasiliana|niunganishe(ni)?) na',
    want: 'nataka|naomba|nahitaji',
    there: 'kuna',
    not: 'sitaki',
  },
  ru: {
    person: 'человек(а|ом)?|оператор(а|ом)?|менеджер(а|ом)?|консультант(а|ом)?|сотрудник(а|ом)?',
    other: 'кем (то|нибудь)|людьми|специалист(а|ом)|администратор(а|ом)|поддержкой',
    talk: `((по)?говорить|(по)?общаться|связаться|свяжите( меня)?|соедин(и|ите)( меня)?|переключите( меня)?
      |переведите( меня)?) (с|со|на)`,
    want: 'нужен|хочу|дайте|позовите',
    there: 'есть( тут| здесь| там)?',
    after: 'с которым (можно|я могу) поговорить',
    not: 'не (хочу|надо|буду)|удалось',
  },
  uk: {
    person: 'людин(а|у|и|ою)|працівник(а|ом)?',
    other: 'кимось|адміністратор(а|ом)|підтримкою',
    talk: `((по)?говорити|(по)?спілкуватися|зв'язатис[яь]|зв'яжіть( мене)?|з'єднайте( мене)?|переключіть( мене)?) (з
      |із|зі|на)`,
    want: 'потріб(ен|на)|дайте|покличте',
    there: 'чи є( тут| там)?|є( тут| там)?',
    not: 'вдалося',
  },
  ro: {
    person: 'persoană|angajat|reprezentant|relații cu clienții',
    other: 'om|cineva|managerul|șeful',
    talk: '(să vorbesc|pot vorbi|discuta|să discut)( direct)? cu',
    pass: '(conectați mă|transferați mă) (cu|la)',
    want: 'vreau|doresc|aș vrea|îmi trebuie',
    there: 'există|este',
    after: 'cu care (pot|să pot|să) (să )?(vorbi|vorbesc)',
    not: 'nu vreau|nu doresc',
  },
  el: {
    person: 'άνθρωπο[ςσ]?|εκπρόσωπο[ςσ]?|υπάλληλο[ςσ]?|εξυπηρέτηση πελατών',
    other: 'κάποι(ον|α)( άνθρωπο| υπάλληλο)?|υπεύθυνο|(φυσικό )?πρόσωπο',
    talk: '(μιλήσω|επικοινωνήσω|συνομιλήσω|συνδέστε με|συνδεθώ)( απευθείας)? (με|σε)',
    want: 'θέλω|χρειάζομαι|θα ήθελα',
    there: 'υπάρχει',
    not: 'δεν? θέλω να',
  },
  cs: {
    person: 'člověk(a|em)?|operátor(a|em|ka|ku|kou)?|zákaznick(á|ou) (podpora|podporu|linka)|pracovník(a|em)?',
    other: 'někým|osobou|zaměstnancem|vedoucím',
    talk: '((pro)?mluvit( si)?|hovořit|spojit( se)?|spojte mě|přepojte mě) (se?|na)',
    want: 'chci|potřebuji|potřebuju|chtěla? bych',
    there: 'je (tam|tu|zde)',
    not: 'nechci|nemusím',
  },
  hu: {
    person: `ember(t|rel|hez)?|ügyintéző(t|vel|höz)?|operátor(t|ral|hoz)|munkatárs(at|sal|hoz)?
      ügyfélszolgálat(ot|tal)?`,
    other: 'valakivel|személlyel|kollégával|vezetővel',
    talk: 'beszélhet(ek|nék)|(szeretnék|akarok) beszélni',
    pass: 'kapcsolj(on|anak|a)?',
    after: '(szeretnék |akarok |lehet )?(beszélni|beszélhet(ek|nék))',
    wanted: 'szeretnék|kérek|kérnék',
    not: 'nem( akarok)?',
  },
  sv: {
    person: 'människa|medarbetare|kundtjänst|handläggare|operatör',
    other: 'någon|chefen|personal(en)?',
    talk: '(prata|tala|chatta|snacka|koppla mig|kopplas)( direkt)? (med|till)',
    want: 'vill ha|behöver',
    there: 'finns det',
    after: '(som )?jag kan prata med',
    not: 'inte|aldrig',
  },
  'da, nb': {
    person: 'menneske|medarbejder|medarbeider|kundeservice|kunderådgiver',
    other: 'nogen|noen|chefen|sjefen|ansatt?',
    talk: '(tale|snakke|chatte|prate|komme i kontakt|(stil|sæt|sett) (mig|meg)( over| om)?)( direkte)? (med|til)',
    want: 'vil (gerne |gjerne )?(have|ha)|trenger',
    there: 'er der|er det|finnes det',
    after: '(som )?jeg kan (tale|snakke|prate) med',
    not: 'ikke|aldrig|aldri',
  },
  fi: {
    person: 'ihmi(nen|sen|selle)|asiakaspalvelija(n|lle)?|asiakaspalvelu(un|n)?|edustajan?',
    other: 'jonkun|henkilön|työntekijän|päällikön',
    talk: '(puhua|jutella|keskustella)(?=( [^ ]+){1,3} kanssa)',
    pass: 'yhdistä(kää)?( minut)?',
    want: 'haluan|haluaisin|tarvitsen',
    there: 'onko( siellä| täällä)?',
    after: 'kanssa (puhua|jutella|keskustella)|jonka kanssa',
    not: 'en halua',
  },
  vi: {
    person: '(nhân viên|nhan vien)( tư vấn| hỗ trợ| tu van)?|tư vấn viên|tổng đài viên|con người|người thật|nguoi that',
    other: 'người|nguoi|ai đó|quản lý|chủ quán',
    talk: `(^|(muốn|muon|cần|can|xin|cho (tôi|mình|em|toi)|được|có thể) )(được )?(gặp|gap|((nói|trò) chuyện|noi chuyen
      |chat|trao đổi|liên hệ)( trực tiếp)? (với|voi))`,
    pass: 'chuyển( máy)?( tôi| mình| cho tôi)? (đến|cho|sang|qua)|(kết )?nối( máy)?( tôi| mình)? (với|đến)',
    want: 'cho tôi|cần',
    there: 'có',
    after: 'nào (để|có thể) (nói chuyện|tư vấn|hỗ trợ)',
    not: 'không|khong|đã|vừa',
  },
  fa: {
    person: 'اپراتور|پشتیبانی?|کارشناس|آدم واقعی',
    other: 'نفر|کسی|آدم',
    pass: '(منو|مرا|من را) (به|با)|وصل کن(ید)? به',
    after: '([^ ]+ ){0,2}(صحبت|حرف|گفتگو|چت) (کنم|بزنم|کنیم)',
    wanted: 'می ?(خوام|خواهم)|لازم دارم',
    not: 'نمی ?(خواهم|خوام) با',
  },
  fil: {
    person: 'totoong tao|ahente|tunay na tao',
    other: 'tao|staff|empleyado',
    talk: '(makausap|makipag ?usap|makachat|i ?connect)( po| ko| ba| ako| mo| sana| ang| sa| ng)*',
    want: '(gusto|kailangan) ko( po)?( ng)?',
    there: 'may',
    not: 'ayaw|ayoko',
  },
};

/** Before a person: articles, and "real". */
const ARTICLES = `an?|the|your|some|any|real|live|actual|human|un|una|el|la|algún|alguna|otra|otro|um|uma|o|a|algum
  alguma|une|le|l|votre|vraie?|(ein|kein|ihr|euer)(e|en|em|er)?|de[rnm]|die|das|(echte?|richtige|menschliche)[nmr]?|il
  uno|qualche|ver[oa]|een|de|levend|jakimś|(żyw|prawdziw)(y|ego|ym|ą)|bir|gerçek|canlı|(жив|реальн|настоящ)(ой|ого|ым
  |им|его|ий)|(жив|справжн)(а|у|ою|им|ій|ю|ього)|ένας|έναν|κάποιος|μια|ένα|τον|(αληθιν|πραγματικ)(ός|ό|ή)|(živ|skutečn
  |nějak)(ý|ého|ým)|egy|élő|igazi|valódi|en|ett|någon|riktig|et|rigtigt?|levende|ekte|oikean?|elävän?|một|یک|یه|একজন
  কোনো|আসল|कोई|किसी|एक|असली|koi|kisi|ek|asli|کوئی|کسی|ایک|اصلی|seorang|salah satu|isang|totoong`;
/** After a person: "real". */
const REAL = `real|reale|human[oa]|de verdad|de carne y hueso|uman[oaă]?|ver[oa]|réel(le)?|humaine?|reală|adevărată?
  حقيقي|بشري|אמיתית?|אנושית?|واقعی|asli|sungguhan|sebenar|thật|halisi`;
/** What may end a sentence after a person. */
const TAIL = `now|instead|there|here|available|online|ahora|ahí|aquí|disponible|agora|aí|disponível|maintenant|là
  jetzt|sofort|hier|da|adesso|ora|lì|qui|beschikbaar|teraz|الآن|هنا|متاح|עכשיו|כאן|זמין|сейчас|тут|здесь|зараз|acum
  aici|τώρα|εδώ|teď|tady|most|itt|nu|nå|här|sekarang|sasa|hapa|ba|dyan|((and|y|e|et|und|en) )?(not|no|não|pas|keine?n?
  |geen) ((an?|un|um|una) )?(bot|robot|machine|maschine)`;
/** As an answer to "for how many?" these are a number. */
const COUNTED = '(una|uma|une|eine|een|en) (persona|pessoa|personne|person|persoon)';

/**
 * Languages without spaces between words, and Korean, where particles are joined to them. `%` in `asks` is `person`.
 */
const UNSPACED: Record<string, Required<Pick<Row, 'person' | 'asks'>>> = {
  zh: {
    person: '(找|要|叫)?(人工|真人)(客服|服务|服務)?|(找|要|叫|联系|聯絡|聯繫)?客服(人员|人員)?',
    asks: `(转|轉)接?到?(人工|真人|客服)|(?<![不没沒])(想|要|请|請|能|可以|需要|帮我|幫我|麻烦|麻煩|给我|給我)(找|联系|聯繫|聯絡|叫|接|转|轉)?(一?[个個位下])?(真人|人工|活人
      |客服|经理|經理|负责人|負責人)(?![费費智说說告过過是])|(?<!不想|不要|不用)(跟|和|与|與|同|找)(你们的?|你們的?|一?[个個位])?(真?人|人工客服|客服|工作人员|工作人員|经理|經理|店员
      |店員)(直接)?(说话|說話|聊|谈|談|对话|對話|沟通|溝通|讲|講)(?![过過了])|(?<![没沒])有(没有|沒有)?(真人|人工|活人)(?![费費智])`,
  },
  ja: {
    person: '(人間|オペレーター|担当者|担当の方|係の人|スタッフ|有人(対応|チャット)?|カスタマーサポート)(の方)?[をに]?',
    asks: `((?<![大恋友一二三四五六七八九十])人|%|店員|店長|責任者|誰か)(さん)?[とに](直接)?(話したい|話しがしたい|話がしたい|話せ(ます|る)|お?話しでき|お話し?したい|話をしたい|相談したい
      |つないで|繋いで|つなげて|代わって|替わって|かわって|取り次いで)(?!わけ)|%(お願い|呼んで|希望|出して)|(話せる|相談できる)(人|方)は?(います|いません|いる)`,
  },
  ko: {
    person: '상담원|상담사|사람|직원|담당자|고객 ?센터|(상담원|사람) ?연결',
    asks: `(%|매니저|누군가|관리자|사장|점장)님?(이랑|랑|과|와|하고|한테|에게|으로)? ?(직접 )?(통화|대화|상담|얘기|이야기|연결)[을를]? ?(하고 ?싶|할 ?수|해 ?주|해 ?줘|원해
      |원합|부탁|가능|시켜)|%[을를이가]? ?(연결해|바꿔|불러|부탁)|(상담원|직원|사람) ?(있나요|있어요|있습니까)$`,
  },
  th: {
    person: '(ติดต่อ|(ขอ)?คุยกับ|ขอสาย)?(เจ้าหน้าที่|พนักงาน|แอดมิน|คนจริงๆ?|มนุษย์)',
    asks: `(?<!ไม่)(ขอ|อยาก|อยากจะ|ต้องการ|ช่วย)(คุย|พูด|ติดต่อ|แชท|โอนสาย|ต่อสาย|สาย)(กับ|ไปหา|ไปยัง|ให้|หา)?(%|คน
      |ผู้จัดการ)|(คุย|พูด|ติดต่อ)กับ(%|คน|ผู้จัดการ)(ได้ไหม|ได้มั้ย|หน่อย)|ขอ(เจ้าหน้าที่|แอดมิน|คนจริง)
      มี(เจ้าหน้าที่|แอดมิน|คนจริงๆ?)(ไหม|มั้ย|อยู่ไหม|ให้คุย)`,
  },
};

const rows = Object.values(PERSON);
const unspaced = Object.values(UNSPACED);

const PLEASES = `(?: (?:${PLEASE})| ?(?:${PLEASE_UNSPACED}))${FEW}`;
const ONLY_PLEASE = new RegExp(`^(?:(?:${PLEASE})(?: |$)|(?:${PLEASE_UNSPACED}) ?)${FEW}$`);
const NOUN = nounOf(anyOf(rows, 'person'));
const ANY_PERSON = `(?!${COUNTED}(?![^ ]))(?:${NOUN}|${anyOf(unspaced, 'person')})`;
const ALONE = new RegExp(`^(?:(?:${PLEASE}) |(?:${PLEASE_UNSPACED}) ?)${FEW}${ANY_PERSON}${PLEASES}$`);
const REQUESTS = requestsOf();

function nounOf(person: string): string {
  return `(?:(?:${patternOf(ARTICLES)}) )${FEW}${person}(?: (?:${patternOf(REAL)}))${FEW}`;
}

function requestsOf(): RegExp[] {
  const someone = nounOf(`(?:${anyOf(rows, 'person')}|${anyOf(rows, 'other')})`);
  const end = `(?=(?: (?:${patternOf(TAIL)}))${FEW}${PLEASES}$)`;
  const spaced = [
    `(?:${anyOf(rows, 'talk')}|${anyOf(rows, 'pass')}) ${someone}`,
    `(?:${anyOf(rows, 'want')}|${anyOf(rows, 'there')}) ${NOUN}${end}`,
    `${someone} ${anyOf(rows, 'after')}|${NOUN} ${anyOf(rows, 'wanted')}|${anyOf(rows, 'asks')}`,
  ].map((request) => new RegExp(`(?<![^ ])(?<!(?<![^ ])${anyOf(rows, 'not')} )(?:${request})(?![^ ])`));
  const others = unspaced.map(({ person, asks }) => new RegExp(patternOf(asks.replaceAll('%', `(?:${person})`))));
  return [...spaced, ...others];
}
