/**
 * A conversation with the running bot in a terminal: every line goes to its webhook, signed as Twilio signs, and what
 * comes back is shown as it comes.
 */
import { loadEnvFile } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { fromAddress, toAddress } from '../app/channels/twilio/address.ts';
import {
  isChannelAddress,
  SIMULATED_ACCOUNT_SID,
  SIMULATED_AUTH_TOKEN,
  SIMULATED_NUMBER,
} from '../app/simulator/account.ts';
import { type Listening, listen } from '../app/simulator/listen.ts';
import { createPhone, type Exchange, type Phone } from '../app/simulator/phone.ts';
import { createScreen, type Screen } from './chat-screen.ts';

const HELP = `Usage: npm run chat [-- OPTIONS]
Talk to the running bot as a person on WhatsApp would. Ctrl-D or /quit ends. Lines may be piped in:
  echo hello | npm run -s chat

  --url URL      where the bot listens         (default http://localhost:3002, or PORT)
  --from NUMBER  who writes: a number or a username id such as US.1A2B
                                               (default +15550100123, a number that is reserved for examples)
  --name NAME    what that person is called    (default Guest)
  --token TOKEN  the auth token that signs     (default the simulator's; TWILIO_AUTH_TOKEN when the bot has a real account)
  --help

PUBLIC_URL, when the bot has it set, must be set here too: signatures are made over it. A .env file is read.
Exit code 0, or 1 when the bot was not there, refused, or did not answer.
`;

/** How long a piped line waits for its answer: the model's own deadline (60 s), and some time to deliver it. */
const ANSWER_WAIT_MS = 90_000;
/** After an answer by the API, further parts follow closely or not at all. */
const MORE_PARTS_MS = 1_000;
/** Lines that are pasted together keep their order when their webhooks start this much apart. */
const BETWEEN_LINES_MS = 20;

interface Options {
  origin: string;
  contact: string;
  name: string;
  token: string | undefined;
  /** What the environment says of the bot's own settings. */
  env: NodeJS.ProcessEnv;
}

/** Something the person at the terminal can mend: shown without a stack trace. */
class Trouble extends Error {}

async function main(): Promise<number> {
  readEnvFile();
  const options = readOptions();
  if (!options) {
    process.stdout.write(HELP);
    return 0;
  }
  const listening = await findBot(options);
  const phone = phoneFor(options, listening !== null);
  const talk = {
    phone,
    screen: createScreen(options.name),
    answers: createAnswers(),
    options,
    live: listening !== null,
  };
  greet(talk);
  if (listening) void follow(listening, talk);
  return talk.screen.interactive ? converse(talk) : recite(talk);
}

/** Settings of the environment win over those in the file; a missing file is no problem. */
function readEnvFile(): void {
  try {
    loadEnvFile('.env');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

/** @returns null when help is asked for */
function readOptions(): Options | null {
  const { env } = process;
  const { values } = parsedArgs();
  if (values.help) return null;
  const contact = contactOf(values.from ?? '+15550100123');
  if (!isChannelAddress(toAddress(contact))) {
    throw new Trouble('--from: expected a number such as +15550100123, or a username id such as US.1A2B');
  }
  const url = values.url ?? `http://localhost:${env.PORT || 3002}`;
  if (!/^https?:/.test(url) || !URL.canParse(url))
    throw new Trouble(`--url: expected an address such as http://localhost:3002`);
  return { origin: new URL(url).origin, contact, name: values.name || 'Guest', token: values.token, env };
}

/** A number may be typed as people write it: `+44 7700 900123`, `+1 (555) 010-0123`. */
function contactOf(typed: string): string {
  const address = fromAddress(typed);
  return /^[\d ().-]+$/.test(address) ? address.replace(/\D/g, '') : address;
}

function parsedArgs() {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      options: { url: text, from: text, name: text, token: text, help: { type: 'boolean', short: 'h' } },
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('. ')[0] : String(error);
    throw new Trouble(`${reason}. All options: npm run chat -- --help`);
  }
}

/** Opens the simulator's stream; null when the bot has a real account instead. */
async function findBot({ origin, contact }: Options): Promise<Listening | null> {
  try {
    const listening = await listen(origin, contact);
    if (listening) return listening;
    const health = await fetch(`${origin}/healthz`);
    if (health.ok) return null;
  } catch (error) {
    if (!(error instanceof TypeError))
      throw new Trouble(`The bot at ${origin} cannot be listened to: ${String(error)}`);
    throw new Trouble(
      `No bot answers at ${origin}. Start it in another terminal with "npm start" (or "docker-compose up -d"), ` +
        'or say where it is with --url.',
    );
  }
  throw new Trouble(`What answers at ${origin} is not Recado. Say where it is with --url.`);
}

/** The phone of a person who writes to the simulated account, or to the real one that the environment names. */
function phoneFor({ origin, token, env }: Options, simulated: boolean): Phone {
  const authToken = token ?? (simulated ? SIMULATED_AUTH_TOKEN : env.TWILIO_AUTH_TOKEN);
  if (!authToken) {
    throw new Trouble(
      `The bot at ${origin} has a real Twilio account: give its auth token with --token or TWILIO_AUTH_TOKEN, ` +
        'or start the bot with SIMULATOR=on.',
    );
  }
  const publicUrl = env.PUBLIC_URL?.replace(/\/+$/, '');
  return createPhone({
    webhookUrl: `${origin}/whatsapp`,
    ...(publicUrl ? { signedUrl: `${publicUrl}/whatsapp` } : {}),
    authToken,
    accountSid: (!simulated && env.TWILIO_ACCOUNT_SID) || SIMULATED_ACCOUNT_SID,
    businessNumber: fromAddress((!simulated && env.TWILIO_WHATSAPP_NUMBER) || SIMULATED_NUMBER),
  });
}

function greet({ options: { origin, contact, name }, live, screen }: Talk): void {
  screen.note(`You are ${name} (${shown(contact)}), writing to the bot at ${origin}. Ctrl-D or /quit ends.`);
  if (!live) {
    screen.note(
      'It has a real Twilio account. Only answers in the response to the webhook can be shown here; ' +
        `a slow one goes through Twilio to ${shown(contact)}.`,
    );
  }
}

/** `+` before a number, nothing before a username id. */
function shown(contact: string): string {
  return toAddress(contact).replace('whatsapp:', '');
}

interface Talk {
  phone: Phone;
  screen: Screen;
  answers: Answers;
  options: Options;
  /** Answers by the API can be seen, too. */
  live: boolean;
}

/** A person types: every line goes out at once, as on a phone, also while an answer is being made. */
async function converse(talk: Talk): Promise<number> {
  let refused = false;
  for await (const text of talk.screen.lines()) {
    void write(talk, text).then((exchange) => {
      if (exchange.response?.status !== 403) return;
      refused = true;
      talk.screen.close();
    });
    await sleep(BETWEEN_LINES_MS);
  }
  return refused ? 1 : 0;
}

/** Lines from a pipe: one after the other, each with its answer. */
async function recite(talk: Talk): Promise<number> {
  let code = 0;
  for await (const text of talk.screen.lines()) {
    const before = talk.answers.count();
    const exchange = await write(talk, text);
    if (exchange.response?.status === 403) return 1;
    if (!(await answered(talk, exchange, before))) code = 1;
  }
  return code;
}

async function answered({ live, screen, answers }: Talk, exchange: Exchange, before: number): Promise<boolean> {
  if (exchange.messages.length > 0) return true;
  const underway = exchange.response?.status === 200 || exchange.failure === 'timeout';
  if (!underway) return false;
  if (!live) {
    screen.trouble('The answer is slow: it goes through Twilio and cannot be shown here.');
    return true;
  }
  if (!(await answers.moreThan(before, ANSWER_WAIT_MS))) {
    screen.trouble(`No answer within ${ANSWER_WAIT_MS / 1000} s.`);
    return false;
  }
  while (await answers.moreThan(answers.count(), MORE_PARTS_MS));
  return true;
}

async function write({ phone, screen, options }: Talk, text: string): Promise<Exchange> {
  const exchange = await phone.write({ contact: options.contact, profileName: options.name }, text);
  for (const { text: answer, mediaUrls } of exchange.messages) screen.answer([answer, ...mediaUrls].join('\n'));
  const trouble = troubleWith(exchange, options);
  if (trouble) screen.trouble(trouble);
  return exchange;
}

/** What a response means, and what to do about it; null when all is well. */
function troubleWith({ response, failure, signedUrl }: Exchange, { origin, token }: Options): string | null {
  if (failure === 'timeout') return 'No response within 15 s, when Twilio gives up. The answer may still come.';
  if (failure === 'lost')
    return 'The connection broke. If the message was stored, the answer comes when the bot is back.';
  if (failure) return `The bot at ${origin} is not there any more, so the message is lost. Start it with "npm start".`;
  switch (response?.status) {
    case 200:
      return null;
    case 400:
      return 'The bot found nothing to answer in that (400).';
    case 403:
      return (
        `The bot refused the signature (403), made over ${signedUrl} with ${token ? 'the --token' : 'the default token'}. ` +
        'TWILIO_AUTH_TOKEN (or --token) and PUBLIC_URL must be the same here as for the bot.'
      );
    case 502:
      return 'The model failed and FAILURE_REPLY is empty (502). The bot’s log says why; check OPENAI_API_KEY and OPENAI_MODEL.';
    case 503:
      return `The bot cannot keep messages right now (503): Redis is down, or it is stopping. See ${origin}/readyz`;
    default:
      return `The bot answered ${response?.status}. Its log says why.`;
  }
}

/** Shows what goes out by the API, and finds the bot again when it was started anew. Runs until the process ends. */
async function follow(first: Listening, { options, screen, answers }: Talk): Promise<never> {
  let { lastId } = first;
  let listening: Listening | null = first;
  for (;;) {
    if (listening) {
      await showEvents(listening, screen, answers);
      lastId = listening.lastId;
      screen.note('The bot has stopped. Waiting for it to come back…');
    }
    await sleep(500);
    listening = await listen(options.origin, options.contact, lastId).catch(() => null);
    if (listening) screen.note('The bot is back.');
  }
}

async function showEvents({ events }: Listening, screen: Screen, answers: Answers): Promise<void> {
  try {
    for await (const event of events) {
      if (event.type === 'typing') screen.typing();
      if (event.type !== 'message') continue;
      screen.answer(event.text);
      answers.add();
    }
  } catch {
    // The connection broke: the same as its end.
  }
}

interface Answers {
  add(): void;
  count(): number;
  /** Waits until there are more than that; false when there are not in time. */
  moreThan(count: number, timeoutMs: number): Promise<boolean>;
}

/** Counts the answers that came by the API, for those who wait for one. */
function createAnswers(): Answers {
  let count = 0;
  let wake = () => {};
  return {
    add() {
      count += 1;
      wake();
    },
    count: () => count,
    async moreThan(least, timeoutMs) {
      if (count > least) return true;
      const added = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([added, sleep(timeoutMs)]);
      return count > least;
    },
  };
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Trouble ? error.message : String(error)}\n`);
    process.exit(1);
  },
);
