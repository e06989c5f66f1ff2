/** What is said in the bench: webhooks as Twilio posts and signs them, and the words in them. */
import { createHmac } from 'node:crypto';

export const ACCOUNT_SID = 'AC00000000000000000000000000000000';
export const AUTH_TOKEN = 'bench-auth-token-0123456789abcdef';
export const PUBLIC_URL = 'https://bot.example.com';
export const PATH = '/whatsapp';

/** The names that the bot calls its models by, so that the model server can tell what a call is for. They have prices. */
export const ANSWER_MODEL = 'gpt-5.4-mini';
export const SUMMARY_MODEL = 'gpt-5.4-nano';
export const ANALYSIS_MODEL = 'gpt-5.4';

/** A person is a number, their messages are counted from 1. */
export interface Writing {
  person: number;
  turn: number;
  text: string;
}

/** A whole HTTP request, ready to be written to a socket. `run` makes its id unlike those of other runs. */
export function signedRequest({ person, turn, text }: Writing, run: string): Buffer {
  const contact = contactOf(person);
  const sid = `SM${run}${person.toString(16).padStart(12, '0')}${turn.toString(16).padStart(12, '0')}`;
  const profile = { ProfileName: 'Sheena Nelson', WaId: contact };
  const fields: Record<string, string> = {
    SmsMessageSid: sid,
    NumMedia: '0',
    ...profile,
    MessageType: 'text',
    SmsSid: sid,
    SmsStatus: 'received',
    Body: text,
    To: 'whatsapp:+14155238886',
    NumSegments: '1',
    ReferralNumMedia: '0',
    MessageSid: sid,
    AccountSid: ACCOUNT_SID,
    ChannelMetadata: JSON.stringify({ type: 'whatsapp', data: { context: profile } }),
    From: addressOf(person),
    ApiVersion: '2010-04-01',
  };
  const body = new URLSearchParams(fields).toString();
  const head = [
    `POST ${PATH} HTTP/1.1`,
    'Host: bot.example.com',
    'User-Agent: TwilioProxy/1.1',
    'Accept: */*',
    'Content-Type: application/x-www-form-urlencoded; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `I-Twilio-Idempotency-Token: ${sid}`,
    `X-Twilio-Signature: ${sign(fields)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** Eight hex digits for `signedRequest`, another at every call. */
export function newRun(): string {
  runs++;
  return ((Date.now() + runs) % 2 ** 32).toString(16).padStart(8, '0');
}
let runs = 0;

/** As Twilio writes it. */
export function addressOf(person: number): string {
  return `whatsapp:+${contactOf(person)}`;
}

/** Made-up numbers, +1 555 01…: a hundred thousand people. */
function contactOf(person: number): string {
  return `155501${person.toString().padStart(5, '0')}`;
}

function sign(fields: Record<string, string>): string {
  const pairs = Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHmac('sha1', AUTH_TOKEN)
    .update(PUBLIC_URL + PATH + pairs.flat().join(''))
    .digest('base64');
}

const WORDS = `the we to you and tomorrow morning a train in it that is for on please with at me hotel my have can be
breakfast this are not from do if about ticket will what would there my sister which or Lisbon one all time our so
remember up out who when more some price them station than now over only after also back table two how first because
change any these give day most us doctor Thursday invoice colour again garden quarter garage coffee recipe`.split(
  /\s+/,
);

/** So many words that no two people and turns share in full. What makes it unique comes first. */
export function textOf(person: number, turn: number, words: number): string {
  let state = (person * 7_919 + turn * 104_729 + 1) >>> 0;
  const chosen = [`Number ${turn} from p${person}:`];
  for (let i = 0; i < words; i++) {
    // Numerical Recipes' generator: cheap, and the same everywhere.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    chosen.push(WORDS[(state >>> 8) % WORDS.length] ?? '');
  }
  return chosen.join(' ');
}

/** What the model says to a text, with so many words behind the echo. */
export function echo(text: string, words: number): string {
  return words === 0 ? `You said: ${text}` : `You said: ${text} ${textOf(0, text.length, words)}`;
}
