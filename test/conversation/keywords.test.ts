/** What a person's words mean, decided without a model: per language what counts, and what only sounds like it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { answerIn } from '../../app/conversation/keywords/answers.ts';
import { commandIn } from '../../app/conversation/keywords/commands.ts';
import { consentWordIn } from '../../app/conversation/keywords/consent.ts';
import { asksForPerson } from '../../app/conversation/keywords/person.ts';

/** Messages in one language, separated by `|` or line breaks. */
interface Language {
  stop: string;
  start: string;
  noConsent: string;
  person: string;
  noPerson: string;
  help: string;
  reset: string;
  export: string;
  forget: string;
  noCommand: string;
  yes: string;
  no: string;
}

const LANGUAGES: Record<string, Language> = {
  English: {
    stop: `Stop|STOPALL|unsubscribe|Unsubscribe me please|Opt-out|Please stop messaging me|Don't write to me any more
      I don’t want any more messages|stop sending me these ads|leave me alone|REVOKE|QUIT|Never text me again!
      take me off your list|I would like to unsubscribe|No more messages, please.`,
    start: 'START|Unstop|Subscribe|opt in|resume messages',
    noConsent: `don't send me|No messages received|stop by tomorrow|stop the machine|when do you start?
      can I start my order again|cancel|CANCEL|END|yes|cancel my subscription|Don't stop|bus stop|stop my order
      I don't get your messages|you can't stop me|I want to stop by|no text|start over|please|send me no onions`,
    person: `human|Agent|a real person please|Can I talk to a real person please?|I would like to talk to a person.
      speak to someone|customer service|Hi, my order never came. Can I speak with someone about it?|Is there an agent?
      is there someone I can talk to?|connect me to an agent|I want a human, not a bot|I need an agent now
      Please have someone call me|I don't want to talk to a bot|transfer me to a representative
      no I want to talk to a human|agent agent agent!!!`,
    noPerson: `the agent told me|is your agent licensed?|I am a real estate agent|the human body|table for one person
      how many people|Are you a human?|am I talking to a bot?|am I talking to a real person?
      I don't want to talk to a person|I talked to an agent yesterday|two people|Hello agent|price per person
      my agent will call you|human resources|I never want to speak to that agent again`,
    help: 'help|Help!|/help',
    reset: 'start over|Forget this conversation|/reset|clear the chat history',
    export: 'export my data|Send me my data, please|/export',
    forget: '/forget me|/forget|/forgetme|forget me|Delete my data|delete everything you know about me',
    noCommand: `help me find a table|delete my order|reset my password|don't forget me tomorrow|I forgot
      export of cars|delete my account|can you help?|forget it|/menu|1/2|send me my invoice|send data`,
    yes: 'Yes|yes please|Yeah!|OK|Sure, thanks',
    no: 'No|no thanks|nope|Cancel|never',
  },
  Spanish: {
    stop: `BAJA|Darme de baja|quiero darme de baja por favor|Parar|no me escriban más|No quiero recibir más mensajes
      dejen de mandarme publicidad|Déjenme en paz|hola, quiero darme de baja, gracias|no quiero más publicidad`,
    start: 'ALTA|quiero volver a recibir mensajes|darme de alta',
    noConsent: `No me envíen|no me escribe|no me mandes eso|cancelar|salir|la marea baja|cancelar mi suscripción
      estoy de baja médica|parar el taxi|para|mañana paro|no quiero cebolla|está en la planta baja|sí
      quiero parar en el hotel|basta|no me mandaron la factura`,
    person: `persona|Humano|Quiero hablar con una persona|¿Puedo hablar con alguien?|asesor|páseme con un agente
      necesito hablar con el encargado|Hola buenas, llevo una hora esperando. ¿Me pueden comunicar con un asesor?
      ¿hay alguna persona disponible?|quiero un agente|no quiero un bot|atención al cliente
      quisiera comunicarme con un ejecutivo|comuníqueme con una persona real por favor
      No, quiero hablar con una persona`,
    noPerson: `una persona me dijo|mesa para una persona|una persona|¿cuántas personas caben?
      no quiero hablar con nadie|el agente me dijo que sí|¿eres humano?|¿estoy hablando con un robot?
      hablé con un asesor ayer|precio por persona|¿eres una persona real?|soy agente inmobiliario
      no quiero hablar con una persona|recursos humanos`,
    help: 'ayuda|¡Ayuda!|/ayuda',
    reset: 'empezar de nuevo|olvida esta conversación|/reiniciar',
    export: 'exporta mis datos|envíame mis datos|/datos',
    forget: 'olvídame|borra mis datos|/olvidar|elimine todos mis datos por favor',
    noCommand: `ayuda con mi pedido|olvidé mi contraseña|olvidé mis datos|borra mi pedido|no me olvides
      no te olvides de mí mañana|reiniciar el router|mis datos son estos`,
    yes: 'Sí|si|sí, claro|vale|De acuerdo',
    no: 'No|no gracias|mejor no',
  },
  Portuguese: {
    stop: `PARAR|pare|descadastrar|não quero mais receber mensagens|Não me mande mais mensagens
      pare de me mandar propaganda|quero me descadastrar|me deixa em paz`,
    start: 'recadastrar|quero voltar a receber mensagens',
    noConsent: `não me envie|não me mandam nada|sair|cancelar|cancelar minha assinatura|pare o carro na porta
      quero parar de fumar|não quero cebola|vai parar de chover?|chega amanhã|não me mandaram o boleto`,
    person: `atendente|Quero falar com um atendente|posso falar com alguém?|pessoa|humano por favor
      me passa para um atendente|tem algum atendente?
      Boa tarde, minha entrega não chegou. Queria falar com uma pessoa de verdade.|preciso falar com o gerente
      não quero falar com robô`,
    noPerson: `o atendente me disse|mesa para uma pessoa|uma pessoa|quantas pessoas?|falei com um atendente ontem
      você é humano?|estou falando com um robô?|não quero falar com atendente|preço por pessoa|sou agente de viagens
      recursos humanos`,
    help: 'ajuda|Ajuda!|/ajuda',
    reset: 'começar de novo|esqueça esta conversa|/recomeçar',
    export: 'exportar meus dados|me envie meus dados|/dados',
    forget: 'me esqueça|apague meus dados|esquece de mim|/esquecer',
    noCommand: `ajuda com o pedido|esqueci minha senha|apaga meu pedido|não me esqueça amanhã|esqueci meus dados
      meus dados mudaram|começar o pedido`,
    yes: 'Sim|sim, por favor|claro|Com certeza',
    no: 'Não|nao|não, obrigado|agora não',
  },
  French: {
    stop: `ARRÊT|arret|Arrêtez|Désabonner|se désabonner|je veux me désinscrire|Arrêtez de m'écrire|Ne m'écrivez plus
      plus de messages svp|je ne veux plus recevoir vos messages|laissez-moi tranquille
      Bonjour, je souhaite me désabonner. Merci`,
    start: 'me réabonner|Réabonnement|je voudrais me réabonner',
    noConsent: `ne m'envoyez pas|ne m'envoyez plus ce plat|annuler|fin|arrêt de bus|l'arrêt du tram est loin ?
      arrêtez-vous à 18h ?|annuler mon abonnement|quel est le prix de l'abonnement ?|je veux plus de pain
      stop ou encore ?|pouvez-vous arrêter la livraison|plus de sauce|oui`,
    person: `humain|un agent|conseiller|Je voudrais parler à un conseiller|Puis-je parler à quelqu'un ?
      je veux parler avec une personne réelle|passez-moi un responsable
      Bonjour, mon colis est perdu. Est-ce que je peux parler à une vraie personne ?|j'ai besoin d'un humain
      mettez-moi en relation avec un conseiller|y a-t-il quelqu'un à qui parler ?|service client
      je ne veux pas parler à un robot`,
    noPerson: `personne|une personne|l'agent m'a dit|table pour une personne|combien de personnes ?
      je ne veux parler à personne|êtes-vous un humain ?|je parle à un robot ?|j'ai parlé à un conseiller hier
      je suis agent immobilier|le corps humain|je ne veux pas parler à un conseiller|ressources humaines
      prix par personne`,
    help: 'aide|Aide !|/aide',
    reset: 'recommencer|recommencer à zéro|oublie cette conversation|/recommencer',
    export: 'exporter mes données|envoyez-moi mes données|/données',
    forget: 'oubliez-moi|supprimez mes données|/oublier|efface toutes mes données personnelles',
    noCommand: `aide pour ma commande|j'ai oublié mon mot de passe|supprimez ma commande|ne m'oubliez pas demain
      mes données ont changé|exporter des voitures|recommencer ma commande`,
    yes: "Oui|oui merci|d'accord|bien sûr",
    no: 'Non|non merci|pas maintenant',
  },
  German: {
    stop: `STOPP|Stopp bitte|Abbestellen|Newsletter abbestellen|Newsletter abmelden|Schreibt mir nicht mehr
      Bitte schreiben Sie mir nicht mehr|Keine Nachrichten mehr|Ich möchte keine Werbung mehr|Lasst mich in Ruhe
      Hört auf mir zu schreiben|schicken Sie mir keine Werbung mehr`,
    start: 'wieder Nachrichten erhalten|Nachrichten abonnieren',
    noConsent: `Schicken Sie mir nichts|Keine SMS bekommen|keine Nachrichten erhalten|ich sende ihn|abmelden|Abmelden
      kündigen|Ende|stornieren|Mein Abo kündigen|Wo ist der nächste Stopp?|ich möchte mein Kind abmelden
      keine Zwiebeln|können Sie die Lieferung stoppen?|Wo kann ich abbestellen?|Schreibt mir bitte morgen|hör zu`,
    person: `Mitarbeiter|Mensch|ein Mitarbeiter bitte|Kann ich mit jemandem sprechen?
      Ich möchte mit einem Menschen sprechen|Kundenservice|Verbinden Sie mich mit einem Mitarbeiter
      Guten Tag, meine Bestellung fehlt. Kann ich bitte mit einem echten Menschen reden?
      Kann mich ein Mitarbeiter zurückrufen?|kann ich jemanden sprechen?|Ich will nicht mit einem Bot sprechen
      ich brauche einen Ansprechpartner|Gibt es hier einen Mitarbeiter?|gibt es jemanden, mit dem ich sprechen kann?`,
    noPerson: `ein Mitarbeiter hat gesagt|Tisch für eine Person|eine Person|wie viele Personen?|Bist du ein Mensch?
      Spreche ich mit einem Bot?|ich habe mit einem Mitarbeiter gesprochen
      ich möchte nicht mit einem Mitarbeiter sprechen|Preis pro Person|Mein Berater war nett
      Welche Mitarbeiter sprechen Englisch?|habt ihr Mitarbeiter, die Deutsch sprechen?`,
    help: 'Hilfe|Hilfe!|/hilfe',
    reset: 'von vorne anfangen|Vergiss dieses Gespräch|/neustart|neu beginnen',
    export: 'Exportiere meine Daten|Schicken Sie mir meine Daten|meine Daten herunterladen|/daten',
    forget: 'Vergiss mich|Lösche meine Daten|meine Daten löschen|/vergessen|Löschen Sie bitte alle meine Daten',
    noCommand: `Hilfe bei der Bestellung|ich habe mein Passwort vergessen|Bestellung löschen|vergiss mich nicht
      ich habe es vergessen|meine Daten haben sich geändert|Export von Autos`,
    yes: 'Ja|ja bitte|ja gerne|Klar',
    no: 'Nein|nein danke|lieber nicht',
  },
  Italian: {
    stop: `disiscrivimi|Vorrei disiscrivermi|non scrivetemi più|Basta messaggi|non voglio più ricevere pubblicità
      smettetela di scrivermi|lasciatemi in pace`,
    start: 'riattiva i messaggi|Vorrei reiscrivermi',
    noConsent: `non mandatemi|niente messaggi|annulla|esci|fermata del bus|la fermata è lontana?|non voglio cipolla
      basta|disdire il mio abbonamento|quando iniziate?`,
    person: `operatore|Vorrei parlare con una persona|posso parlare con qualcuno?|persona|passami un operatore
      c'è un operatore?|servizio clienti|Buongiorno, il mio ordine non è arrivato. Posso parlare con un operatore?`,
    noPerson: `una persona mi ha detto|tavolo per una persona|quante persone?|una persona|sei umano?
      ho parlato con un operatore ieri|parlo con un robot?|non voglio parlare con un operatore|sono agente immobiliare
      prezzo a persona`,
    help: 'aiuto|/aiuto',
    reset: 'ricominciamo da capo|dimentica questa conversazione|/ricomincia',
    export: 'mandami i miei dati|esporta i miei dati',
    forget: 'dimenticami|cancella i miei dati|elimina tutti i miei dati',
    noCommand: `aiuto per ordinare|ho dimenticato la password|cancella il mio ordine|non dimenticarmi domani
      i miei dati sono cambiati`,
    yes: 'Sì|si grazie|certo|va bene',
    no: 'No|no grazie|annulla',
  },
  Dutch: {
    stop: `uitschrijven|schrijf me uit|Stop met appen|stuur mij geen berichten meer|Ik wil geen reclame meer
      laat me met rust|nieuwsbrief afmelden`,
    start: 'weer berichten ontvangen',
    noConsent: `stuur mij niets|geen berichten ontvangen|afmelden|annuleren|einde|bushalte|ik wil geen ui
      stop bij de winkel|mijn abonnement opzeggen|wanneer beginnen jullie?`,
    person: `medewerker|Kan ik met iemand praten?|ik wil een medewerker spreken|mens|klantenservice
      verbind me met een medewerker|is er een medewerker?|Hallo, mijn pakket is weg. Mag ik met een echt mens praten?`,
    noPerson: `een medewerker zei|tafel voor een persoon|een persoon|hoeveel personen?|ben je een mens?
      ik sprak met een medewerker|ik heb met een medewerker gesproken|ik wil niet met een medewerker praten
      prijs per persoon`,
    help: 'hulp|help|/hulp',
    reset: 'opnieuw beginnen|vergeet dit gesprek',
    export: 'stuur me mijn gegevens|exporteer mijn gegevens',
    forget: 'vergeet mij|verwijder mijn gegevens|mijn gegevens wissen',
    noCommand: `hulp bij mijn bestelling|ik ben mijn wachtwoord vergeten|verwijder mijn bestelling
      vergeet me morgen niet|ik was het vergeten`,
    yes: 'Ja|ja graag|ja, alsjeblieft|zeker',
    no: 'Nee|nee dank je|liever niet',
  },
  Polish: {
    stop: `wypisz mnie|Chcę się wypisać|nie piszcie do mnie więcej|przestańcie do mnie pisać
      nie chcę więcej wiadomości|dajcie mi spokój|koniec reklam proszę`,
    start: 'chcę znowu otrzymywać wiadomości|zapiszcie mnie na listę',
    noConsent: `nie wysyłajcie mi|nie wysyłajcie|anuluj|koniec|przystanek|nie chcę cebuli|zrezygnować z zamówienia
      kiedy zaczynacie?|nie piszę po polsku`,
    person: `konsultant|Chcę porozmawiać z człowiekiem|czy mogę rozmawiać z kimś?|poproszę konsultanta
      proszę połączyć mnie z pracownikiem|człowiek|Dzień dobry, nie dostałem paczki. Proszę o kontakt z konsultantem.
      czy jest tu konsultant?`,
    noPerson: `konsultant powiedział|stolik dla jednej osoby|ile osób?|czy jesteś człowiekiem?
      rozmawiałem z konsultantem|nie chcę rozmawiać z konsultantem|czy rozmawiam z botem?|cena za osobę`,
    help: 'pomoc|/pomoc',
    reset: 'zacznij od nowa|zapomnij tę rozmowę',
    export: 'wyślij mi moje dane|eksportuj moje dane',
    forget: 'zapomnij o mnie|usuń moje dane|usuńcie wszystkie moje dane',
    noCommand: `pomoc w zamówieniu|zapomniałem hasła|usuń moje zamówienie|nie zapomnij o mnie jutro
      moje dane się zmieniły`,
    yes: 'Tak|tak, proszę|oczywiście',
    no: 'Nie|nie, dziękuję|anuluj',
  },
  Turkish: {
    stop: `DURDUR|RET|durdurun lütfen|Bana mesaj atmayın|artık mesaj göndermeyin|mesaj almak istemiyorum
      beni listeden çıkarın|BENİ RAHAT BIRAKIN`,
    start: 'başlat|BAŞLAT|tekrar mesaj almak istiyorum',
    noConsent: `bana göndermeyin|iptal|dur|çıkış|durak nerede?|soğan istemiyorum|aboneliğimi iptal et|otobüs durağı
      ne zaman başlıyor?`,
    person: `temsilci|İnsan|bir insanla konuşmak istiyorum|MÜŞTERİ TEMSİLCİSİ|biriyle görüşebilir miyim?
      beni temsilciye bağla|temsilci istiyorum|Merhaba, siparişim gelmedi. Bir yetkiliyle görüşmek istiyorum.
      insan var mı?`,
    noPerson: `temsilci bana söyledi|bir kişilik masa|kaç kişi?|sen insan mısın?|bir temsilciyle konuştum
      temsilciyle konuşmak istemiyorum|iki kişi istiyorum|bir robotla mı konuşuyorum?|kişi başı fiyat`,
    help: 'yardım|YARDIM|/yardım',
    reset: 'baştan başlayalım|bu sohbeti unut',
    export: 'verilerimi gönder|tüm verilerimi indir',
    forget: 'beni unut|verilerimi sil|kişisel verilerimi silin',
    noCommand: 'siparişim için yardım|şifremi unuttum|siparişimi sil|beni yarın unutma|unuttum',
    yes: 'Evet|evet lütfen|tamam',
    no: 'Hayır|HAYIR|istemiyorum|yok',
  },
  Arabic: {
    stop: `توقف|إيقاف|ايقاف|إلغاء الاشتراك|لا ترسلوا لي رسائل|أوقفوا الرسائل|لا أريد استقبال رسائل|تَوَقَّفْ|تـوقـف
      اتركوني وشأني`,
    start: 'إعادة الاشتراك|استئناف الرسائل',
    noConsent: `لا ترسلوا|إلغاء|محطة توقف الباص|توقف المطر؟|إلغاء اشتراكي|لا أريد بصل|متى تبدأون؟|أبداً
      لم ترسلوا الفاتورة`,
    person: `موظف|أريد التحدث مع موظف|ممكن أتكلم مع شخص؟|خدمة العملاء|حولني إلى موظف|أريد موظف|هل يوجد موظف؟
      أَتَحَدَّث مع إنسان|السلام عليكم، طلبي لم يصل. أريد التحدث إلى شخص حقيقي.`,
    noPerson: `الموظف قال لي|طاولة لشخص واحد|كم شخص؟|هل أنت إنسان؟|تحدثت مع موظف أمس|لا أريد التحدث مع موظف
      السعر للشخص|شخص واحد`,
    help: 'مساعدة|المساعدة',
    reset: 'لنبدأ من جديد|احذف هذه المحادثة',
    export: 'أرسل لي بياناتي|أريد بياناتي',
    forget: 'انسني|احذف بياناتي|امسحوا جميع بياناتي',
    noCommand: 'مساعدة في الطلب|نسيت كلمة السر|احذف طلبي|لا تنساني غدا|بياناتي تغيرت',
    yes: 'نعم|أيوه|موافق|نعم من فضلك',
    no: 'لا|لا شكرا|كلا',
  },
  Hebrew: {
    stop: `הסר|הָסֵר|הסירו אותי|תסירו אותי מהרשימה|אל תשלחו לי הודעות|תפסיקו לשלוח לי הודעות
      אני לא רוצה לקבל יותר הודעות|עצור בבקשה`,
    start: 'התחל|אני רוצה שוב לקבל הודעות',
    noConsent: 'אל תשלחו|ביטול|די|תחנת אוטובוס|לבטל את המנוי שלי|לא רוצה בצל|מתי מתחילים?|הסר את הבצל מההזמנה',
    person: `נציג|אני רוצה לדבר עם נציג|אפשר לדבר עם מישהו?|תעבירו אותי לנציג|נציג אנושי|יש נציג?
      שלום, ההזמנה לא הגיעה. אני רוצה לדבר עם בן אדם.|שירות לקוחות`,
    noPerson: 'הנציג אמר לי|שולחן לאדם אחד|כמה אנשים?|אתה בן אדם?|דיברתי עם נציג אתמול|לא רוצה לדבר עם נציג|מחיר לאדם',
    help: 'עזרה|/עזרה',
    reset: 'נתחיל מחדש|תשכח את השיחה הזאת',
    export: 'תשלחו לי את המידע שלי|שלח לי את הנתונים שלי',
    forget: 'תשכחו אותי|מחק את הנתונים שלי',
    noCommand: 'עזרה בהזמנה|שכחתי את הסיסמה|מחק את ההזמנה שלי|אל תשכחו אותי מחר',
    yes: 'כן|כן בבקשה|בסדר',
    no: 'לא|לא תודה|לֹא',
  },
  Hindi: {
    stop: `स्टॉप|मैसेज भेजना बंद करें|मुझे मैसेज मत भेजो|मुझे और संदेश नहीं चाहिए|message band karo
      mujhe message mat bhejo`,
    start: 'स्टार्ट|मैसेज फिर से शुरू करें',
    noConsent: `रुको|बंद करें|बस स्टॉप कहाँ है|दुकान कब बंद होती है|मुझे प्याज नहीं चाहिए|रद्द करें
      shop kab band hoti hai`,
    person: `एजेंट|मुझे इंसान से बात करनी है|क्या मैं किसी से बात कर सकता हूँ?|कस्टमर केयर|इंसान चाहिए
      mujhe agent se baat karni hai|नमस्ते, मेरा ऑर्डर नहीं आया। मुझे किसी एजेंट से बात करनी है।
      kisi insaan se baat karwa do`,
    noPerson: `एजेंट ने कहा|एक व्यक्ति के लिए टेबल|कितने लोग?|क्या आप इंसान हैं?|एजेंट से बात हुई थी
      मुझे एजेंट से बात नहीं करनी|agent ne bola|प्रति व्यक्ति कीमत`,
    help: 'मदद|सहायता|madad',
    reset: 'फिर से शुरू करें|इस बातचीत को भूल जाओ',
    export: 'मेरा डेटा भेजो|mera data bhejo',
    forget: 'मुझे भूल जाओ|मेरा डेटा हटा दो|mera data delete karo',
    noCommand: 'ऑर्डर में मदद करें|मैं भूल गया|मेरा ऑर्डर हटा दो|कल मुझे मत भूलना|password bhool gaya',
    yes: 'हाँ|हां|जी हाँ|haan|haan ji',
    no: 'नहीं|जी नहीं|nahi',
  },
  Urdu: {
    stop: 'اسٹاپ|پیغامات بند کریں|مجھے پیغام نہ بھیجیں|مجھے مزید پیغامات نہیں چاہیے|مجھے میسج مت بھیجو',
    start: 'اسٹارٹ|پیغامات دوبارہ شروع کریں',
    noConsent: 'بند کریں|منسوخ|دکان کب بند ہوتی ہے|مجھے پیاز نہیں چاہیے|بس اسٹاپ کہاں ہے',
    person: `انسان|مجھے نمائندے سے بات کرنی ہے|کیا میں کسی سے بات کر سکتا ہوں؟|ایجنٹ چاہیے|کسٹمر سروس
      سلام، آرڈر نہیں آیا۔ کسی انسان سے بات کروا دیں۔`,
    noPerson: `ایجنٹ نے کہا|ایک شخص کے لیے میز|کتنے لوگ؟|کیا آپ انسان ہیں؟|ایجنٹ سے بات ہوئی تھی
      مجھے ایجنٹ سے بات نہیں کرنی`,
    help: 'مدد|/مدد',
    reset: 'نئے سرے سے شروع کریں|اس گفتگو کو بھول جائیں',
    export: 'میرا ڈیٹا بھیجیں|مجھے میرا ڈیٹا دیں',
    forget: 'مجھے بھول جائیں|میرا ڈیٹا حذف کریں',
    noCommand: 'آرڈر میں مدد|میں بھول گیا|میرا آرڈر حذف کریں|کل مجھے مت بھولنا',
    yes: 'ہاں|جی ہاں|جی',
    no: 'نہیں|جی نہیں',
  },
  Bengali: {
    stop: 'স্টপ|মেসেজ পাঠানো বন্ধ করুন|আমাকে আর মেসেজ পাঠাবেন না|আর মেসেজ চাই না',
    start: 'স্টার্ট|মেসেজ আবার চালু করুন',
    noConsent: 'বন্ধ করুন|বাতিল|দোকান কখন বন্ধ হয়|পেঁয়াজ চাই না|বাস স্টপ কোথায়',
    person: `মানুষ|আমি একজন মানুষের সাথে কথা বলতে চাই|এজেন্টের সাথে কথা বলতে পারি?|এজেন্ট চাই|কাস্টমার কেয়ার
      অর্ডার আসেনি। কারও সাথে কথা বলতে চাই।`,
    noPerson: 'এজেন্ট বলেছে|একজনের টেবিল|কত জন মানুষ আসবে?|আপনি কি মানুষ?|এজেন্টের সাথে কথা বলেছি|প্রতি জনের দাম',
    help: 'সাহায্য|/সাহায্য',
    reset: 'নতুন করে শুরু করুন|এই চ্যাট মুছে ফেলুন',
    export: 'আমার তথ্য পাঠান|আমার ডেটা দিন',
    forget: 'আমাকে ভুলে যান|আমার তথ্য মুছে ফেলুন',
    noCommand: 'অর্ডারে সাহায্য করুন|আমি ভুলে গেছি|আমার অর্ডার মুছে ফেলুন|কাল আমাকে ভুলবেন না',
    yes: 'হ্যাঁ|জি|ঠিক আছে',
    no: 'না|না ধন্যবাদ',
  },
  Indonesian: {
    stop: `berhenti|UNREG|jangan kirim pesan lagi|hentikan pesan ini|saya tidak mau terima pesan lagi
      jangan hubungi saya lagi`,
    start: 'terima pesan lagi|langganan lagi',
    noConsent: `jangan kirim|jangan kirim barangnya|batal|keluar|tempat berhenti bus|jangan kirim hari ini
      tidak mau bawang|kapan mulai?|batalkan langganan saya`,
    person: `admin|CS|bisa bicara dengan orang?|saya mau bicara dengan admin|hubungkan saya dengan petugas|ada admin?
      manusia|Halo, pesanan saya belum sampai. Saya ingin bicara dengan customer service.`,
    noPerson: `admin bilang|meja untuk satu orang|berapa orang?|apakah kamu manusia?|tadi bicara dengan admin
      saya tidak mau bicara dengan admin|harga per orang|dua orang`,
    help: 'bantuan|/bantuan',
    reset: 'mulai dari awal|hapus percakapan ini',
    export: 'kirim data saya|unduh data saya',
    forget: 'lupakan saya|hapus data saya',
    noCommand: 'bantuan untuk pesanan|saya lupa|hapus pesanan saya|jangan lupakan saya besok|data saya berubah',
    yes: 'Ya|iya|setuju',
    no: 'Tidak|gak|batal',
  },
  Malay: {
    stop: 'berhenti|jangan hantar mesej lagi|saya tak mahu mesej lagi|hentikan mesej ini',
    start: 'terima mesej semula|langgan semula',
    noConsent: 'batal|perhentian bas|tak mahu bawang|bila mula?|jangan hantar esok',
    person: `ejen|boleh saya cakap dengan orang?|saya nak bercakap dengan staf|khidmat pelanggan|nak ejen
      sambungkan saya dengan pegawai`,
    noPerson: 'ejen beritahu saya|meja untuk seorang|berapa orang?|awak manusia ke?|saya tak nak cakap dengan ejen',
    help: 'bantuan|/bantuan',
    reset: 'mula semula|padam perbualan ini',
    export: 'hantar data saya|kirimkan data saya',
    forget: 'lupakan saya|padam data saya',
    noCommand: 'bantuan pesanan|saya terlupa|padam pesanan saya|jangan lupakan saya',
    yes: 'Ya|boleh',
    no: 'Tidak|tak nak',
  },
  Swahili: {
    stop: 'sitisha ujumbe|acheni kunitumia ujumbe|usinitumie meseji tena|sitaki ujumbe tena',
    start: 'nitumie ujumbe tena',
    noConsent: 'usinitumie|acha kunitumia|acha|ghairi|kituo cha basi|sitaki kitunguu|mnaanza saa ngapi?',
    person: 'mhudumu|nataka kuongea na mtu|naomba kuzungumza na mhudumu|huduma kwa wateja|nataka mhudumu|kuna mhudumu?',
    noPerson: `mhudumu aliniambia|meza ya mtu mmoja|watu wangapi?|wewe ni binadamu?|niliongea na mhudumu jana
      sitaki kuongea na mhudumu`,
    help: 'msaada|/msaada',
    reset: 'anza upya|futa mazungumzo haya',
    export: 'nitumie data yangu|nipe taarifa zangu',
    forget: 'nisahau|futa data yangu',
    noCommand: 'msaada wa oda|nimesahau|futa oda yangu|usinisahau kesho',
    yes: 'Ndiyo|ndio|sawa',
    no: 'Hapana|hapana asante',
  },
  Russian: {
    stop: `СТОП|стоп!|отписаться|Отпишите меня|не пишите мне больше|Больше не присылайте мне рекламу
      я не хочу получать сообщения|оставьте меня в покое`,
    start: 'старт|подписаться|хочу снова получать сообщения',
    noConsent: `не отправляйте|не присылайте|отмена|конец|стоп-кран|где остановка?|не хочу лук
      отменить подписку на журнал|когда начало?|не пишите на коробке цену`,
    person: `оператор|Человек|Хочу поговорить с человеком|соедините с оператором|можно поговорить с кем-нибудь?
      позовите менеджера|нужен живой человек|Здравствуйте, заказ не пришёл. Переключите меня на оператора.
      есть тут живой человек?|хочу говорить со специалистом`,
    noPerson: `оператор мне сказал|столик на одного человека|сколько человек?|вы человек?|я говорил с оператором
      не хочу говорить с человеком|я разговариваю с ботом?|цена за человека|2 человека`,
    help: 'помощь|Помощь!|/помощь',
    reset: 'начать сначала|забудь этот разговор|начнём заново',
    export: 'пришлите мне мои данные|скачать мои данные',
    forget: 'забудь меня|удалите мои данные|Забудьте обо мне',
    noCommand: 'помощь с заказом|я забыл пароль|удалите мой заказ|не забудьте обо мне завтра|мои данные изменились',
    yes: 'Да|да, пожалуйста|конечно',
    no: 'Нет|нет, спасибо|не надо',
  },
  Ukrainian: {
    stop: 'СТОП|відписатися|Відпишіть мене|не пишіть мені більше|не хочу отримувати повідомлення|дайте мені спокій',
    start: 'підписатися|хочу знову отримувати повідомлення',
    noConsent: 'не надсилайте|скасувати|кінець|де зупинка?|не хочу цибулю|скасувати підписку на журнал|коли початок?',
    person: `оператор|Хочу поговорити з людиною|з'єднайте мене з оператором|чи можна поговорити з кимось?
      потрібен оператор|жива людина|Добрий день, замовлення не прийшло. Зв’яжіть мене з менеджером.|покличте менеджера`,
    noPerson: `оператор мені сказав|столик на одну людину|скільки людей?|ви людина?|я говорив з оператором
      не хочу говорити з оператором|ціна за людину`,
    help: 'допомога|/допомога',
    reset: 'почати спочатку|забудь цю розмову',
    export: 'надішліть мої дані|завантажити мої дані',
    forget: 'забудь мене|видаліть мої дані',
    noCommand: 'допомога із замовленням|я забув пароль|видаліть моє замовлення|не забудьте мене завтра',
    yes: 'Так|так, будь ласка|звичайно',
    no: 'Ні|ні, дякую',
  },
  Romanian: {
    stop: `dezabonare|vreau să mă dezabonez|nu-mi mai scrieți|Nu îmi mai trimiteți mesaje|nu mai vreau mesaje
      opriți mesajele|lăsați-mă în pace`,
    start: 'reabonare|vreau din nou mesaje',
    noConsent: `nu scrie|nu trimiteți|anulează|sfârșit|stație de autobuz|nu vreau ceapă|anulează abonamentul meu
      când începe?|nu mi-ați trimis factura`,
    person: `operator|Vreau să vorbesc cu un om|pot vorbi cu cineva?|un agent, vă rog|există un operator?
      vreau un operator|Bună ziua, comanda nu a ajuns. Aș vrea să vorbesc cu o persoană.`,
    noPerson: `operatorul mi-a spus|masă pentru o persoană|câte persoane?|ești om?|am vorbit cu un operator ieri
      nu vreau să vorbesc cu un operator|preț pe persoană`,
    help: 'ajutor|/ajutor',
    reset: 'să începem din nou|uită această conversație',
    export: 'trimite-mi datele mele|exportă datele mele',
    forget: 'uită-mă|șterge datele mele',
    noCommand: 'ajutor cu comanda|am uitat parola|șterge comanda mea|nu mă uita mâine',
    yes: 'Da|da, vă rog|sigur',
    no: 'Nu|nu, mulțumesc',
  },
  Greek: {
    stop: `ΣΤΟΠ|στοπ|Απεγγραφή|μη μου στέλνετε μηνύματα|Δεν θέλω άλλα μηνύματα|σταματήστε να μου γράφετε
      ΔΙΑΚΟΠΗ ΜΗΝΥΜΑΤΩΝ`,
    start: 'επανεγγραφή|θέλω ξανά μηνύματα',
    noConsent: 'μη μου στέλνετε|ακύρωση|τέλος|στάση λεωφορείου|δεν θέλω κρεμμύδι|ακύρωση συνδρομής|πότε αρχίζει;',
    person: `εκπρόσωπος|Θέλω να μιλήσω με άνθρωπο|Μπορώ να μιλήσω με κάποιον;|άνθρωπος|θέλω έναν υπάλληλο
      υπάρχει κάποιος εκπρόσωπος;|Καλημέρα, η παραγγελία δεν ήρθε. Θα ήθελα να μιλήσω με έναν υπάλληλο.`,
    noPerson: `ο υπάλληλος μου είπε|τραπέζι για ένα άτομο|πόσα άτομα;|είσαι άνθρωπος;|μίλησα με έναν υπάλληλο χθες
      δεν θέλω να μιλήσω με υπάλληλο`,
    help: 'βοήθεια|ΒΟΗΘΕΙΑ',
    reset: 'πάμε από την αρχή|ξέχνα αυτή τη συνομιλία',
    export: 'στείλτε μου τα δεδομένα μου|κατέβασε τα δεδομένα μου',
    forget: 'ξέχνα με|διαγράψτε τα δεδομένα μου',
    noCommand: 'βοήθεια με την παραγγελία|ξέχασα τον κωδικό|διαγράψτε την παραγγελία μου|μη με ξεχάσετε αύριο',
    yes: 'Ναι|ΝΑΙ|ναι, παρακαλώ|εντάξει',
    no: 'Όχι|όχι, ευχαριστώ',
  },
  Czech: {
    stop: `odhlásit se z odběru|už mi nepište|Přestaňte mi psát|nechci další zprávy|neposílejte mi reklamy
      nechte mě být`,
    start: 'chci znovu dostávat zprávy|obnovit odběr',
    noConsent: 'neposílejte mi|odhlásit|zrušit|konec|zastávka autobusu|nechci cibuli|zrušit objednávku|kdy začínáte?',
    person: `operátor|Chci mluvit s člověkem|mohu mluvit s někým?|spojte mě s operátorem|chci operátora|člověk
      Dobrý den, zásilka nedorazila. Můžu mluvit s operátorem?|je tam nějaký operátor?`,
    noPerson: `operátor mi řekl|stůl pro jednu osobu|kolik lidí?|jsi člověk?|mluvil jsem s operátorem
      nechci mluvit s operátorem|cena za osobu`,
    help: 'nápověda|pomoc',
    reset: 'začněme znovu|zapomeň tuto konverzaci',
    export: 'pošlete mi moje data|exportuj moje data',
    forget: 'zapomeň na mě|smažte moje data',
    noCommand: 'pomoc s objednávkou|zapomněl jsem heslo|smažte mou objednávku|nezapomeň na mě zítra',
    yes: 'Ano|ano, prosím|jasně',
    no: 'Ne|ne, děkuji',
  },
  Hungarian: {
    stop: `leiratkozás|szeretnék leiratkozni|ne írjanak többet|Nem kérek több üzenetet|ne küldjenek nekem reklámot
      hagyjanak békén`,
    start: 'feliratkozás|szeretnék újra feliratkozni',
    noConsent: 'ne küldjenek|mégse|vége|buszmegálló|nem kérek hagymát|előfizetésem lemondása|mikor kezdődik?',
    person: `ügyintéző|Emberrel szeretnék beszélni|beszélhetek valakivel?|ügyfélszolgálat|ügyintézőt kérek
      operátorral beszélni|Jó napot, nem jött meg a csomag. Szeretnék beszélni egy munkatárssal.`,
    noPerson: `az ügyintéző azt mondta|asztal egy személyre|hány ember?|te ember vagy?
      tegnap beszéltem egy ügyintézővel|nem akarok ügyintézővel beszélni`,
    help: 'segítség|súgó',
    reset: 'kezdjük elölről|töröld ezt a beszélgetést',
    export: 'küldd el az adataimat|kérem az adataimat',
    forget: 'felejts el|töröljék az összes adatomat',
    noCommand: 'segítség a rendeléshez|elfelejtettem a jelszót|töröld a rendelésemet|ne felejts el holnap',
    yes: 'Igen|igen, kérem|persze',
    no: 'Nem|nem, köszönöm',
  },
  Swedish: {
    stop: `avregistrera mig|sluta skicka meddelanden|Skriv inte till mig mer|jag vill inte ha fler meddelanden
      lämna mig i fred|inga fler meddelanden tack`,
    start: 'prenumerera igen|jag vill ha meddelanden igen',
    noConsent: `skicka inte|inga meddelanden|avbryt|slut|busshållplats|jag vill inte ha lök|avsluta mitt abonnemang
      när börjar ni?`,
    person: `kundtjänst|Jag vill prata med en människa|kan jag prata med någon?|människa
      koppla mig till en handläggare|finns det någon jag kan prata med?
      Hej, mitt paket är borta. Kan jag få prata med en riktig person?`,
    noPerson: `en medarbetare sa|bord för en person|hur många personer?|är du en människa?
      jag pratade med kundtjänst igår|jag vill inte prata med en människa|en person`,
    help: 'hjälp|/hjälp',
    reset: 'börja om|glöm den här konversationen',
    export: 'skicka mig mina uppgifter|exportera min data',
    forget: 'glöm mig|radera mina uppgifter',
    noCommand: 'hjälp med min order|jag glömde lösenordet|radera min order|glöm mig inte imorgon',
    yes: 'Ja|ja tack|absolut',
    no: 'Nej|nej tack',
  },
  Danish: {
    stop: `afmeld beskeder|Stop med at skrive til mig|skriv ikke til mig mere|jeg vil ikke have flere beskeder
      ingen flere beskeder tak`,
    start: 'jeg vil gerne have beskeder igen',
    noConsent: 'send ikke|ingen beskeder|afmeld|annuller|slut|busstoppested|jeg vil ikke have løg|hvornår starter I?',
    person: `kundeservice|Jeg vil tale med et menneske|kan jeg tale med nogen?|medarbejder
      stil mig om til en medarbejder|er der en medarbejder?|Hej, min pakke er væk. Må jeg tale med en rigtig person?`,
    noPerson: `en medarbejder sagde|bord til en person|hvor mange personer?|er du et menneske?
      jeg talte med en medarbejder|jeg vil ikke tale med en medarbejder`,
    help: 'hjælp|/hjælp',
    reset: 'start forfra|glem denne samtale',
    export: 'send mig mine data|download mine oplysninger',
    forget: 'glem mig|slet mine data',
    noCommand: 'hjælp til min ordre|jeg glemte koden|slet min ordre|glem mig ikke i morgen',
    yes: 'Ja|ja tak|gerne',
    no: 'Nej|nej tak',
  },
  Norwegian: {
    stop: `avmeld meldinger|slutt å sende meg meldinger|ikke skriv til meg|jeg vil ikke ha flere meldinger
      la meg være i fred`,
    start: 'jeg vil gjerne ha meldinger igjen',
    noConsent: 'ikke send|avbryt|slutt|bussholdeplass|jeg vil ikke ha løk|når starter dere?',
    person: `kundeservice|Jeg vil snakke med et menneske|kan jeg få snakke med noen?|medarbeider
      sett meg over til en medarbeider|finnes det noen jeg kan snakke med?`,
    noPerson: `en medarbeider sa|bord til en person|hvor mange personer?|er du et menneske?
      jeg snakket med en medarbeider|jeg vil ikke snakke med en medarbeider`,
    help: 'hjelp|/hjelp',
    reset: 'begynn på nytt|slett denne samtalen',
    export: 'send meg dataene mine|last ned mine opplysninger',
    forget: 'glem meg|slett dataene mine',
    noCommand: 'hjelp med ordren|jeg glemte passordet|slett ordren min|ikke glem meg i morgen',
    yes: 'Ja|ja takk|gjerne',
    no: 'Nei|nei takk',
  },
  Finnish: {
    stop: 'lopeta|Lopettakaa viestit|älkää lähettäkö enää viestejä|en halua enää viestejä|jättäkää minut rauhaan',
    start: 'haluan taas viestejä|tilaa viestit uudelleen',
    noConsent: 'älkää lähettäkö|peruuta|loppu|bussipysäkki|en halua sipulia|lopeta tilaukseni|milloin alkaa?',
    person: `asiakaspalvelija|Haluan puhua ihmisen kanssa|voinko puhua jonkun kanssa?|asiakaspalvelu
      yhdistä minut asiakaspalvelijalle|haluan oikean ihmisen
      Hei, pakettini on kadonnut. Saanko puhua oikean ihmisen kanssa?`,
    noPerson: `asiakaspalvelija sanoi|pöytä yhdelle henkilölle|kuinka monta henkilöä?|oletko ihminen?
      puhuin asiakaspalvelijan kanssa|en halua puhua asiakaspalvelijan kanssa`,
    help: 'apua|ohje',
    reset: 'aloita alusta|unohda tämä keskustelu',
    export: 'lähetä minulle tietoni|lataa tietoni',
    forget: 'unohda minut|poista kaikki tietoni',
    noCommand: 'apua tilaukseen|unohdin salasanan|poista tilaukseni|älä unohda minua huomenna',
    yes: 'Kyllä|joo|kyllä kiitos',
    no: 'Ei|ei kiitos',
  },
  'Chinese, simplified': {
    stop: '退订|TD|停止|取消订阅|不要再给我发消息了|别给我发广告|请不要再联系我|我不想再收到你们的消息|退订，谢谢',
    start: '订阅|恢复订阅',
    noConsent: '不要给我发|不要发|取消|结束|停车场在哪|不要葱|不要发货|取消我的订单|什么时候开始|公交站',
    person: `人工|转人工|真人客服|我要找客服|我想和真人说话|有人工吗？|请帮我转人工客服|你好，我的订单没到。能找个人工吗？|想跟你们的经理谈`,
    noPerson: `客服说可以|一个人的位子|几个人？|你是真人吗|我跟客服聊过了|人工费多少|人工智能是什么|没有人工|不想和客服说话`,
    help: '帮助|/帮助',
    reset: '重新开始|忘记这段对话|/重置',
    export: '导出我的数据|发给我我的资料',
    forget: '忘记我|删除我的数据|请删除我的所有资料',
    noCommand: '帮助我订位|我忘记密码了|删除我的订单|别忘记我|我的数据变了',
    yes: '是|是的|好的|可以',
    no: '不|不要|不用了，谢谢',
  },
  'Chinese, traditional': {
    stop: '退訂|取消訂閱|不要再給我發訊息了|請不要再聯絡我|別再打擾我|我不想再收到你們的訊息',
    start: '訂閱|恢復訂閱|重新訂閱',
    noConsent: '不要給我發|取消|結束|停車場在哪|不要蔥|取消我的訂單',
    person: '轉人工|真人客服|我要找真人|我想跟真人說話|有真人嗎？|請幫我轉客服|想和經理談',
    noPerson: '客服說可以|一個人的位子|幾個人？|你是真人嗎|我跟客服聊過了|人工費多少',
    help: '幫助|說明',
    reset: '重新開始|刪除這個對話',
    export: '匯出我的資料|發給我我的資料',
    forget: '忘記我|刪除我的資料',
    noCommand: '幫助我訂位|我忘記密碼了|刪除我的訂單|別忘記我',
    yes: '是|好的|確認',
    no: '不|不要|否',
  },
  Japanese: {
    stop: '停止|配信停止|ストップ|ｽﾄｯﾌﾟ|メッセージを送らないでください|もう連絡しないで|広告はいりません|配信停止お願いします',
    start: 'スタート|配信を再開してください',
    noConsent: `キャンセル|終了|バス停はどこですか|停止ボタンはどこ？|玉ねぎはいりません|注文を停止したい|解除|いつ始まりますか`,
    person: `オペレーター|担当者|人と話したい|担当者に繋いでください|スタッフと話せますか？|オペレーターをお願いします|人間と話がしたいです
      こんにちは。荷物が届きません。担当者と話したいです。|話せる人はいますか`,
    noPerson: `担当者が言いました|一人です|何人まで？|あなたは人間ですか|昨日オペレーターと話しました|恋人と話したい|担当者の名前は？|スタッフ募集していますか`,
    help: 'ヘルプ|使い方|/ヘルプ',
    reset: '最初からやり直し|この会話を忘れてください|/リセット',
    export: '私のデータを送ってください|私のデータをエクスポート',
    forget: '私を忘れてください|私のデータを削除してください',
    noCommand: '注文のヘルプが必要です|パスワードを忘れました|注文を削除してください|私を忘れないで',
    yes: 'はい|はい、お願いします|うん',
    no: 'いいえ|いや|やめて',
  },
  Korean: {
    stop: '수신거부|수신 거부|중지|메시지 그만 보내세요|더 이상 연락하지 마세요|광고를 받고 싶지 않아요',
    start: '수신 동의|스타트',
    noConsent: '취소|종료|버스 정류장|양파는 빼 주세요|주문 중지해 주세요|언제 시작해요?',
    person: `상담원|상담원 연결해 주세요|사람과 이야기하고 싶어요|직원이랑 통화할 수 있나요?|고객센터|상담원 있나요?|안녕하세요. 주문이 안 왔어요. 담당자와 통화하고 싶습니다.`,
    noPerson: `상담원이 말했어요|한 사람 자리|몇 사람이에요?|당신은 사람인가요?|어제 직원과 통화했어요|1인당 가격|직원 채용하나요`,
    help: '도움말|/도움말',
    reset: '처음부터 다시 시작|이 대화를 잊어줘|/초기화',
    export: '제 데이터를 보내주세요|내 데이터 내보내기',
    forget: '저를 잊어 주세요|제 정보를 삭제해 주세요',
    noCommand: '주문 도움이 필요해요|비밀번호를 잊어버렸어요|제 주문을 삭제해 주세요|내일 저를 잊지 마세요',
    yes: '네|예|응',
    no: '아니요|아뇨|싫어요',
  },
  Thai: {
    stop: 'หยุด|หยุดส่งข้อความ|เลิกส่งข้อความครับ|ไม่ต้องการรับข้อความ|ยกเลิกรับข่าวสาร|อย่าส่งข้อความมาอีก',
    start: 'ต้องการรับข่าวสาร|ขอรับข้อความอีกครั้ง',
    noConsent: 'ยกเลิก|ป้ายรถเมล์อยู่ไหน|วันนี้ร้านหยุดไหม|ไม่เอาหัวหอม|เริ่มกี่โมง|หยุดวันไหน',
    person: 'เจ้าหน้าที่|ขอคุยกับเจ้าหน้าที่|อยากคุยกับคนจริงๆ|ติดต่อแอดมิน|มีแอดมินไหม|ขอสายเจ้าหน้าที่ค่ะ',
    noPerson: `เจ้าหน้าที่บอกว่าได้|โต๊ะสำหรับหนึ่งคน|กี่คน|คุณเป็นคนหรือเปล่า|คุยกับพนักงานแล้ว
      ไม่อยากคุยกับเจ้าหน้าที่|ราคาต่อคน`,
    help: 'ช่วยเหลือ|วิธีใช้',
    reset: 'เริ่มใหม่|ลบแชทนี้',
    export: 'ส่งข้อมูลของฉัน|ดาวน์โหลดข้อมูลของผม',
    forget: 'ลืมฉัน|ลบข้อมูลของฉัน',
    noCommand: 'ช่วยจองโต๊ะ|ลืมรหัสผ่าน|ลบออเดอร์ของฉัน|อย่าลืมฉันนะ',
    yes: 'ใช่|ใช่ครับ|ตกลงค่ะ|ครับ',
    no: 'ไม่|ไม่ครับ|ไม่เอา',
  },
  Vietnamese: {
    stop: `DỪNG|dừng lại|Ngừng gửi tin nhắn|đừng nhắn tin cho tôi nữa|tôi không muốn nhận tin nhắn nữa|hủy nhận tin
      dung gui tin nhan`,
    start: 'đăng ký nhận tin|đăng ký lại nhận tin nhắn',
    noConsent: 'hủy|đúng|đừng|dùng|kết thúc|trạm dừng xe buýt|không hành|hủy đơn hàng|khi nào bắt đầu?|dừng xe ở đâu?',
    person: `nhân viên|tôi muốn gặp nhân viên|cho tôi nói chuyện với người thật|có thể nói chuyện với ai đó không?
      toi muon gap nhan vien|tư vấn viên|Xin chào, đơn hàng chưa tới. Tôi cần gặp nhân viên hỗ trợ.`,
    noPerson: `nhân viên nói với tôi|bàn cho một người|mấy người?|bạn là người thật à?|tôi đã nói chuyện với nhân viên
      tôi không muốn gặp nhân viên|shop cần nhân viên không?|giá một người`,
    help: 'trợ giúp|tro giup',
    reset: 'bắt đầu lại|xóa cuộc trò chuyện này',
    export: 'gửi cho tôi dữ liệu của tôi|tải dữ liệu của tôi',
    forget: 'hãy quên tôi đi|xóa dữ liệu của tôi',
    noCommand: 'trợ giúp đặt bàn|tôi quên mật khẩu|xóa đơn hàng của tôi|đừng quên tôi ngày mai',
    yes: 'Có|vâng|đúng|đồng ý',
    no: 'Không|không, cảm ơn|thôi',
  },
  Persian: {
    stop: 'توقف|لغو11|لغو ۱۱|لغو پیامک|دیگر به من پیام ندهید|پیام نفرستید|دیگه پیام نمی‌خوام|مزاحم نشوید',
    start: 'استارت|دوباره پیام بفرستید',
    noConsent: 'لغو|پایان|ایستگاه اتوبوس|پیاز نمی‌خواهم|لغو سفارش من|کی شروع می‌شود؟',
    person: `اپراتور|می‌خواهم با یک انسان صحبت کنم|می‌تونم با کسی حرف بزنم؟|پشتیبانی|منو به اپراتور وصل کن
      کارشناس می‌خوام|سلام، سفارشم نرسیده. لطفا با پشتیبان صحبت کنم.`,
    noPerson: `اپراتور به من گفت|میز برای یک نفر|چند نفر؟|شما انسان هستید؟|با اپراتور صحبت کردم
      نمی‌خواهم با اپراتور صحبت کنم|قیمت هر نفر`,
    help: 'راهنما|كمك|کمک',
    reset: 'از اول شروع کنیم|این گفتگو را فراموش کن',
    export: 'اطلاعات من را بفرست|داده‌های من را بدهید',
    forget: 'مرا فراموش کن|اطلاعات من را پاک کنید',
    noCommand: 'کمک برای سفارش|رمزم را فراموش کردم|سفارش من را پاک کنید|فردا مرا فراموش نکن',
    yes: 'بله|آره|بله لطفا',
    no: 'نه|خیر|نه ممنون',
  },
  Filipino: {
    stop: `itigil|Itigil na po|huwag mo na akong i-text|itigil ang pag-text|ayoko na ng mensahe
      tigilan mo na ang pagpapadala ng mensahe`,
    start: 'mag-subscribe ulit',
    noConsent: 'tama na|kanselahin|hintuan ng bus|ayoko ng sibuyas|kailan magsisimula?',
    person: `totoong tao|gusto ko makausap ang agent|pwede ba makausap ang tao?|ahente|kailangan ko ng ahente
      may ahente ba?`,
    noPerson: `sabi ng ahente|mesa para sa isang tao|ilang tao?|tao ka ba?|nakausap ko ang agent kahapon
      ayaw makausap ang agent`,
    help: 'tulong|/tulong',
    reset: 'magsimula ulit|burahin ang usapang ito',
    export: 'ipadala mo sa akin ang data ko|ibigay ang impormasyon ko',
    forget: 'kalimutan mo na ako|burahin mo ang data ko',
    noCommand: 'tulong sa order ko|nakalimutan ko|burahin ang order ko|huwag mo akong kalimutan bukas',
    yes: 'Oo|opo|oo po',
    no: 'Hindi|hindi po|ayaw',
  },
};

/** What customers write every day: none is an opt-out, a request for a person or a command. */
const EVERYDAY: Record<string, string> = {
  English: `please stop my subscription box this month|Don't message my husband, it's a surprise
    please don't contact my insurance|Can I get a human-sized teddy bear?|Do you need a person to sign for the parcel?
    The person who called me was rude|Just one person|I spoke to someone yesterday about a refund
    My travel agent booked this|Does the cream contain a bleaching agent?|The manager promised me a free dessert
    I want to speak Spanish at the hotel, is that ok?|Let me talk to my husband first
    I'll talk to my wife and let you know|Can someone bring towels to room 12?|Is there someone at the front desk?
    I was able to talk to an agent, all good|connect me to the wifi|Forget the fries, just the burger
    Quit smoking clinic appointment please|Unsubscribe button on your site is broken
    I want to stop receiving late deliveries`,
  Spanish: `¿La habitación está en la planta baja?|Me dieron de alta ayer en la clínica|¿temporada alta o baja?
    Para dos personas|No me manden cebolla|no me han enviado la factura|No quiero más, gracias|No más por hoy
    La persona que me atendió fue muy amable|Una persona me llamó de este número|Mi agente de viajes hizo la reserva
    Ya hablé con el gerente|Tengo que hablar con mi marido primero|Necesito una persona para limpiar la casa
    Hay una persona alérgica al gluten|Quiero una persona más en la reserva|Pude hablar con una persona ayer, gracias
    Voy a hablar con alguien de mi familia|Olvida las papas, solo la hamburguesa|Olvídalo|Mis datos son Calle Mayor 3
    Quiero un plan de datos|¿Pueden parar el envío?`,
  Portuguese: `Pode parar o carro na frente?|Vocês param de servir às 10?|Pare na esquina por favor
    Não quero mais o pedido|Não quero mais, obrigado|Não me mandaram a nota|só uma pessoa
    A pessoa que me atendeu foi ótima|O gerente prometeu desconto|O atendente disse que estava pronto
    Já falei com o gerente|Preciso falar com meu marido primeiro|Vou falar com alguém da família
    Preciso de uma pessoa para limpar a casa|Há uma pessoa alérgica|Passa para amanhã|Me tire uma dúvida
    Esquece a batata, só o hambúrguer|Esquece|Chega de espera, cadê meu pedido|Quero voltar a receber a cesta
    Qual atendente me atendeu ontem?`,
  French: `Où est l'arrêt de bus ?|Arrêtez la livraison s'il vous plaît|L'arrêt maladie est envoyé
    Je ne veux plus la commande|Plus de pain svp|Ne m'envoyez pas la commande aujourd'hui|Vous ne m'avez pas écrit
    une seule personne|Personne ne répond|La personne qui m'a reçu était charmante
    Le responsable m'a promis une remise|Je suis agent d'assurance|J'ai déjà parlé au responsable
    Je dois parler à mon mari d'abord|Je vais parler à quelqu'un de ma famille
    J'ai besoin d'une personne pour le ménage|Je veux une personne de plus|Oubliez les frites|Laissez-moi réfléchir
    Je veux me désinscrire du cours de yoga|Résilier mon abonnement|Recommencer la commande svp`,
  German: `Wir machen einen Stopp bei Ihnen|Keine Sauce bitte|Keine Ahnung|Ich möchte nichts mehr, danke
    Schicken Sie mir heute nichts|Schreiben Sie mir eine Rechnung|Ich bekomme keine Nachrichten
    Eine Person hat mich angerufen|Der Mitarbeiter spricht gut Englisch|Suchen Sie noch Mitarbeiter?
    Ich habe gestern mit jemandem gesprochen|Mit dem Chef habe ich schon gesprochen
    Ich muss erst mit meinem Mann sprechen|Vergiss es|Ich konnte gestern mit einer Person reden
    Ich brauche eine Person zum Putzen|Kann mir jemand beim Tragen helfen?|Ist jemand an der Rezeption?
    Vergiss die Pommes|Lassen Sie mich kurz überlegen|Ich möchte mein Kind vom Kurs abmelden
    Ich möchte die Zeitung abbestellen|Hör mal, geht es auch um 8?`,
};

/** Message → what the function says of it, to compare a whole list at once. */
function said<Meaning>(list: string, meaningOf: (text: string) => Meaning): Record<string, Meaning> {
  return Object.fromEntries(messagesOf(list).map((text) => [text, meaningOf(text)]));
}

/** The same with one meaning for all. */
function all<Meaning>(list: string, meaning: Meaning): Record<string, Meaning> {
  return Object.fromEntries(messagesOf(list).map((text) => [text, meaning]));
}

function messagesOf(list: string): string[] {
  return list.split(/\||\n\s*/);
}

for (const [name, language] of Object.entries(LANGUAGES)) {
  describe(name, () => {
    test('says stop and start', () => {
      assert.deepEqual(said(language.stop, consentWordIn), all(language.stop, 'stop'));
      assert.deepEqual(said(language.start, consentWordIn), all(language.start, 'start'));
      assert.deepEqual(said(language.noConsent, consentWordIn), all(language.noConsent, null));
    });

    test('asks for a person', () => {
      assert.deepEqual(said(language.person, asksForPerson), all(language.person, true));
      assert.deepEqual(said(language.noPerson, asksForPerson), all(language.noPerson, false));
    });

    test('gives commands', () => {
      for (const command of ['help', 'reset', 'export', 'forget'] as const)
        assert.deepEqual(said(language[command], commandIn), all(language[command], command));
      assert.deepEqual(said(language.noCommand, commandIn), all(language.noCommand, null));
    });

    test('answers', () => {
      assert.deepEqual(said(language.yes, answerIn), all(language.yes, 'yes'));
      assert.deepEqual(said(language.no, answerIn), all(language.no, 'no'));
    });

    test('means one thing by a message', () => {
      const consent = [language.stop, language.start].join('|');
      const commands = [language.help, language.reset, language.export, language.forget].join('|');
      const [words, people, rest] = [
        [language.person, commands].join('|'),
        [consent, commands].join('|'),
        [consent, language.person].join('|'),
      ];
      assert.deepEqual(said(words, consentWordIn), all(words, null));
      assert.deepEqual(said(people, asksForPerson), all(people, false));
      assert.deepEqual(said(rest, commandIn), all(rest, null));
    });
  });
}

for (const [name, messages] of Object.entries(EVERYDAY))
  test(`everyday messages in ${name} are for the model`, () => {
    assert.deepEqual(said(messages, consentWordIn), all(messages, null));
    assert.deepEqual(said(messages, asksForPerson), all(messages, false));
    assert.deepEqual(said(messages, commandIn), all(messages, null));
    assert.deepEqual(said(messages, answerIn), all(messages, null));
  });

describe('however it is written', () => {
  test('a word is the same in any letters, with any signs around it', () => {
    for (const text of [
      'stop',
      'STOP.',
      'stop!!!',
      'Stop 🛑',
      '"STOP"',
      '*STOP*',
      '«stop»',
      'ＳＴＯＰ',
      '𝗦𝗧𝗢𝗣',
      'ⓢⓣⓞⓟ',
      ' \n stop \t ',
      'sto\u200bp',
    ])
      assert.equal(consentWordIn(text), 'stop', text);
    for (const text of ['\u200fתסירו אותי\u200e', '\u202aSTOP\u202c', 'S\u00adTOP', '/stop', 'STOP\0'])
      assert.equal(consentWordIn(text), 'stop', text);
    assert.equal(commandIn('／ｈｅｌｐ'), 'help');
    assert.equal(commandIn('"/forget me"'), 'forget');
    assert.equal(asksForPerson('HUMAN 🙏🏽'), true);
  });

  test('a word that is repeated counts once, in one sentence or several', () => {
    for (const text of ['stop stop stop', 'STOP. STOP!', 'Stop\nstop', 'Stop. Unsubscribe me, please.'])
      assert.equal(consentWordIn(text), 'stop', text);
    assert.equal(answerIn('yes yes yes'), 'yes');
    assert.equal(asksForPerson('agent\nagent\nagent'), true);
  });

  test('anything else in the message, and it is no word', () => {
    for (const text of [
      'S T O P',
      'STOP\nMaria Lopez',
      'STOP [MEDIA_CONTENT]',
      '[MEDIA_CONTENT]',
      'stop1',
      'stop, start',
      'nonstop',
      '',
      ' ',
      '🛑',
      '!',
    ])
      assert.equal(consentWordIn(text), null, text);
    assert.equal(answerIn('yes, no'), null);
    assert.equal(commandIn('/forget me not'), null);
    assert.equal(commandIn('help\nforget me'), null);
    assert.equal(commandIn('https://a.example/help'), null);
    assert.equal(commandIn('/'), null);
    assert.equal(asksForPerson('please'), false);
    assert.equal(asksForPerson('agent\nMaria Lopez'), false);
  });

  test('letters that are typed for each other are one', () => {
    assert.equal(consentWordIn('durdur'), 'stop');
    assert.equal(answerIn('HAYIR'), 'no');
    assert.equal(answerIn('hayir'), 'no');
    assert.equal(commandIn('alles loschen'), null);
    assert.equal(commandIn('Alles was du über mich weisst löschen'), 'forget');
    assert.equal(commandIn('كمك'), 'help');
    assert.equal(commandIn('کمک'), 'help');
    assert.equal(consentWordIn('תַּסִּירוּ אוֹתִי'.normalize('NFC')), consentWordIn('תסירו אותי'));
    assert.equal(consentWordIn('إيـقـاف'), 'stop');
    assert.equal(consentWordIn('dừng'.normalize('NFD')), 'stop');
  });

  test('voice notes are read as they are written down', () => {
    assert.equal(consentWordIn('Stop.'), 'stop');
    assert.equal(asksForPerson('I would like to talk to a person.'), true);
    assert.equal(
      asksForPerson('Um, hello. Yes, so my order is late, and, uh, I would like to talk to a person. Thanks, bye.'),
      true,
    );
    assert.equal(commandIn('Help.'), 'help');
    assert.equal(answerIn('Yes, please.'), 'yes');
  });

  test('an answer is no question', () => {
    for (const text of ['Yes?', 'OK??', 'Sicher?', 'はい？', 'نعم؟']) assert.equal(answerIn(text), null, text);
  });

  test('thumbs and ticks answer', () => {
    for (const text of ['👍', '👍🏽', '👍👍', '✅', '✔️ ']) assert.equal(answerIn(text), 'yes', text);
    for (const text of ['👎', '👎🏿', '❌']) assert.equal(answerIn(text), 'no', text);
    for (const text of ['👍👎', '🙏', '😀', '']) assert.equal(answerIn(text), null, text);
  });
});

describe('any text at all', () => {
  const functions = [consentWordIn, asksForPerson, commandIn, answerIn];

  test('is read without an error', () => {
    const anything = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 700 }),
      fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 700 }).map((units) => String.fromCharCode(...units)),
    );
    fc.assert(
      fc.property(anything, (text) => {
        for (const read of functions) read(text);
      }),
    );
    for (const text of ['\ud83d', '\udc4d stop', '\0\u0007', '\u202e\u2066', '﷽'.repeat(200)])
      for (const read of functions) assert.doesNotThrow(() => read(text));
  });

  test('has a longest length, whatever it says', () => {
    const padding = fc.string({ unit: fc.constantFrom(' ', '!', '\n', '🛑'), minLength: 200, maxLength: 400 });
    fc.assert(
      fc.property(
        fc.constantFrom('STOP', 'BAJA', 'start'),
        padding,
        (word, rest) => consentWordIn(word + rest) === null,
      ),
    );
    assert.equal(consentWordIn(`STOP${' '.repeat(196)}`), 'stop');
    assert.equal(asksForPerson(`agent${' '.repeat(595)}`), true);
    assert.equal(asksForPerson(`agent${' '.repeat(596)}`), false);
    assert.equal(commandIn(`/help${' '.repeat(196)}`), null);
    assert.equal(answerIn(`yes${' '.repeat(98)}`), null);
  });

  test('does not take for ever, even if it is made of the words that the tables repeat', () => {
    // Without a bound for what is repeated, the first of these takes longer than anybody waits.
    const parts = [
      ...[
        'an a',
        'please',
        'no more',
        'stop',
        'more any',
        'por favor',
        'real una',
        'mit',
        'i want',
        'talk to',
        'de la le',
        'nu',
        'me mi',
        'can i',
      ],
      ...['不', '请', '人', 'ขอ', 'お願いします', '사람', 'से', 'با', 'a', '\u0301', '/'],
    ];
    for (const part of parts)
      for (const separator of [' ', '', ', '])
        for (const length of [99, 199, 599]) {
          const text = `${part}${separator}`.repeat(length).slice(0, length);
          for (const read of functions) assert.doesNotThrow(() => read(text));
        }
  });
});
