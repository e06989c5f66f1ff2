/** How fast the inbox is when it is full: loads an archive with made-up conversations and measures what the page asks for. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { createAnalytics } from '../app/archive/analytics.ts';
import { createConversations } from '../app/archive/conversations.ts';
import { createDatabase, type Database } from '../app/archive/database.ts';
import { createMessages } from '../app/archive/messages.ts';
import { record } from '../app/archive/record.ts';
import { createTasks } from '../app/archive/tasks.ts';
import type { Event } from '../app/events.ts';
import { createLogger } from '../app/ops/logger.ts';
import { scrub } from '../app/privacy/scrub.ts';

const HELP = `npm run bench:inbox [-- options]: how long does the page of a full inbox wait for its answers?

Loads an archive of its own with made-up conversations, the way the bot writes them, and asks what the page asks. The
table shows the median and the 95th percentile of each question. Without --database the embedded PGlite is measured, in
a temporary folder that is removed afterwards.

  --messages N        Default: 200000, half of them answers
  --contacts N        Default: 5000
  --asks N            how often each question is asked. Default: 40
  --database URL      an empty database, postgres://…
  --help`;

const options = {
  messages: { type: 'string', default: '200000' },
  contacts: { type: 'string', default: '5000' },
  asks: { type: 'string', default: '40' },
  database: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const;

const BUSINESS = '14155238886';
const BATCH = 2_000;
const DAYS_MS = 90 * 86_400_000;

async function main(): Promise<void> {
  const { values } = parseArgs({ options });
  if (values.help) return console.log(HELP);
  const [messages, contacts, asks] = [values.messages, values.contacts, values.asks].map(Number);
  if (!messages || !contacts || !asks) throw new RangeError(`numbers above 0 are expected\n\n${HELP}`);
  const folder = mkdtempSync(join(tmpdir(), 'recado-bench-inbox-'));
  const log = createLogger({ level: 'error', format: 'text', write: (line) => process.stderr.write(line) });
  const claim = async () => ({ folder, release: async () => {} });
  const database = createDatabase(values.database ? { url: values.database, log } : { claim, log });
  try {
    await load(database, messages, contacts);
    await measure(database, contacts, asks);
  } finally {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function load(database: Database, messages: number, contacts: number): Promise<void> {
  await database.migrate();
  const began = performance.now();
  const turns = Math.ceil(messages / 2);
  for (let from = 0; from < turns; from += BATCH / 2) {
    const events = Array.from({ length: Math.min(BATCH / 2, turns - from) }, (_, i) =>
      exchange(from + i, turns, contacts),
    );
    await database.transaction((db) => record(db, events.flat(), false));
    const done = Math.min(turns, from + BATCH / 2) * 2;
    if (done % 20_000 === 0 || done >= messages)
      console.log(`${done.toLocaleString('en')} of ${messages.toLocaleString('en')} messages`);
  }
  await database.tidy();
  const seconds = (performance.now() - began) / 1_000;
  console.log(
    `Loaded in ${seconds.toFixed(0)} s: ${Math.round(messages / seconds).toLocaleString('en')} messages a second\n`,
  );
}

const WORDS =
  'delivery invoice table chair lamp garden colour tomorrow morning price address order number question'.split(' ');

/** What one contact wrote and what was answered, the same at every run. */
function exchange(n: number, turns: number, contacts: number): Event[] {
  const contact = `1555${String((n * 7_919) % contacts).padStart(7, '0')}`;
  const conversation = `${BUSINESS}:${contact}`;
  const at = Date.now() - DAYS_MS + Math.floor((n / turns) * DAYS_MS);
  const word = (k: number) => WORDS[(n * 31 + k * 17) % WORDS.length] ?? '';
  const [turn, id] = [`bench-${n}`, `SMbench${n}`];
  const text = scrub(`${word(1)} ${word(2)} ${word(3)}, ${n % 997 === 0 ? 'elephant' : word(4)} ${word(5)}?`);
  const answer = scrub(`About your ${word(1)}: the ${word(6)} and the ${word(7)} are as you wished.`);
  const person = {
    channel: 'twilio' as const,
    business: BUSINESS,
    contact,
    profileName: scrub(`Person ${contact.slice(4)}`),
  };
  return [
    { type: 'message.received', message: { id, ...person, receivedAt: at, text, attachments: [], requestId: turn } },
    {
      type: 'reply.made',
      conversation,
      turn,
      at: at + 1_500 + (n % 3_000),
      answers: [id],
      lines: [
        { role: 'user', text, at, id, tokens: 10 },
        { role: 'assistant', text: answer, at: at + 1_500, id: turn, tokens: 20 },
      ],
      via: 'twiml',
      usage: { prompt: 900, completion: 60, cached: 600 },
    },
  ];
}

async function measure(database: Database, contacts: number, asks: number): Promise<void> {
  const conversations = createConversations(database);
  const messages = createMessages(database);
  const analytics = createAnalytics(database);
  const tasks = createTasks(database);
  const phone = (n: number) => `+1555${String((n * 37) % contacts).padStart(7, '0')}`;
  const deep = await conversations.list({ limit: 200 });
  const cursor = deep.next ?? undefined;
  const questions: Record<string, (n: number) => Promise<unknown>> = {
    'list, first page': () => conversations.list({ limit: 30 }),
    'list, further down': () => conversations.list({ limit: 30, cursor }),
    'list, unread': () => conversations.list({ limit: 30, filter: 'unread' }),
    'list, search by name': (n) => conversations.list({ limit: 30, search: `Person ${phone(n).slice(5)}` }),
    'list, search a rare word': () => conversations.list({ limit: 30, search: 'elephant' }),
    'list, search usual words': () => conversations.list({ limit: 30, search: 'delivery tomorrow' }),
    'thread, newest 40': (n) => messages.thread(phone(n), { limit: 40 }),
    'messages, first page': () => messages.inbox({ limit: 50 }),
    'messages, search a rare word': () => messages.inbox({ limit: 50, search: 'elephant' }),
    'open tasks': () => tasks.list({ limit: 30, status: 'open' }),
    'the eight numbers': () => analytics.totals(),
    'charts of 90 days': () => analytics.series({ days: 90, timeZone: 'UTC' }),
  };
  const width = Math.max(...Object.keys(questions).map((name) => name.length));
  console.log(`${''.padEnd(width)}   p50 ms   p95 ms`);
  for (const [name, ask] of Object.entries(questions)) {
    const took: number[] = [];
    await ask(0);
    for (let n = 0; n < asks; n++) {
      const began = performance.now();
      await ask(n);
      took.push(performance.now() - began);
    }
    took.sort((a, b) => a - b);
    const at = (share: number) => (took[Math.ceil(took.length * share) - 1] ?? 0).toFixed(1).padStart(8);
    console.log(`${name.padEnd(width)} ${at(0.5)} ${at(0.95)}`);
  }
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
