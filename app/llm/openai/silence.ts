/**
 * What transcription servers write when nothing was said. Whisper and its relatives were trained with subtitles: in silence and noise
 * they hear notes on sounds and the last words of videos. https://github.com/openai/whisper/discussions/679
 */

/** Did nobody say anything? True only when the whole transcript is of that kind, however often it is repeated. */
export function isNothing(transcript: string): boolean {
  const words = transcript.normalize('NFKC').replace(NOTES, ' ');
  if (!/[\p{L}\p{N}]/u.test(words)) return true;
  const bare = words
    .toLowerCase()
    .replace(/[^\p{L}\p{M}\p{N}]+/gu, ' ')
    .trim();
  return LAST_WORDS.test(bare);
}

/** `[BLANK_AUDIO]`, `( silence )`, `*music*`, `♪ la la ♪`: notes on what was heard, not words. */
const NOTES = /\[[^\][]{0,60}\]|\([^()]{0,60}\)|【[^】]{0,60}】|\*[^*\n]{1,60}\*|♪[^♪]{0,200}♪/gu;

/** In lower case, without punctuation. */
const PHRASES = [
  '(?:thanks|thank you)(?: so much| very much)? for (?:watching|listening)(?: (?:and )?(?:please )?(?:like and )?subscribe(?: to my channel)?)?',
  '(?:please )?(?:like and subscribe(?: to my channel)?|subscribe to my channel)',
  '(?:i ll )?see you in the next (?:video|one)',
  '(?:subtitles|captions|transcription) (?:by|made by|provided by|created by)(?: the)? (?:amara org(?: community)?|castingwords|rev)',
  'subtitles by the amara org community',
  '(?:muchas )?gracias por ver(?: el v[ií]deo)?',
  'subt[ií]tulos (?:realizados )?por la comunidad de amara org',
  'obrigad[oa] por assistir',
  'legendas? (?:pela|da) comunidade (?:de )?amara org',
  'merci d avoir regard[eé](?: cette)?(?: vid[eé]o)?',
  'sous titres r[eé]alis[eé]s par(?: la communaut[eé] d)? amara org',
  'sous titrage (?:st 501|soci[eé]t[eé] radio canada)',
  'untertitel(?:ung)? (?:im auftrag des zdf(?: für funk)?(?: \\d{4})?|der amara org community|von stephanie geiges|des zdf(?: \\d{4})?)',
  'vielen dank f[uü]rs (?:zuschauen|zusehen)',
  'grazie per (?:aver guardato|la visione)(?: il video)?',
  'sottotitoli (?:e revisione a cura di qtss|creati dalla comunit[aà] amara org)',
  'ご視聴ありがとうございました',
  '시청해 ?주셔서 감사합니다',
  '(?:谢谢|感谢)(?:大家)?(?:观看|收看|收听)',
  '請不吝點贊 訂閱 轉發 打賞支持明鏡與點點欄目|请不吝点赞 订阅 转发 打赏支持明镜与点点栏目',
  '字幕由? ?amara org社[区區]提供',
  'субтитры (?:сделал|создавал|делал) dimatorzok',
  'продолжение следует',
  'спасибо за (?:просмотр|внимание к просмотру)',
  'ترجمة نانسي قنقر',
  'شكرا (?:لكم )?على المشاهدة',
  'izlediğiniz için teşekkür(?:ler| ederim| ederiz)',
  'terima kasih (?:telah|sudah) menonton',
  'देखने के लिए धन्यवाद',
];

const LAST_WORDS = new RegExp(`^(?:(?:${PHRASES.join('|')})(?: |$))+$`, 'u');
