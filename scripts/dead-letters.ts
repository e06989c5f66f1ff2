/** Lists, shows, replays and drops what the bot gave up. */
import { createAliases } from '../app/memory/aliases.ts';
import { createDeadLetters, type DeadLetter } from '../app/memory/dead-letters.ts';
import { conversationOf } from '../app/message.ts';
import { fail, openStores } from './stores.ts';

const HELP = `Usage: npm run dead-letters -- COMMAND [ID]
  list          the newest 100, one a line: id, time, last digits of the contact, code, what it is
  show ID       one of them, with its texts
  replay ID     puts it back to work; "replay all" does so with every one
  drop ID       throws it away; "drop all" throws away every one
Exit code 0 when done, 1 when something was wrong.`;

const [command, id] = process.argv.slice(2);
if (!command || command === '--help' || command === '-h') {
  process.stdout.write(`${HELP}\n`);
  process.exit(command ? 0 : 1);
}

const stores = await openStores();
const tools = { ...stores, historyTtlMs: stores.config.historyTtlMs };
const letters = createDeadLetters({ ...tools, aliases: createAliases(tools) });
await act(command);
stores.redis.disconnect();

async function act(name: string): Promise<void> {
  switch (name) {
    case 'list':
      return list();
    case 'show':
      return show(await find());
    case 'replay':
      return forEach(async (one) => `${one}: ${await letters.replay(one)}`);
    case 'drop':
      return forEach(async (one) => `${one}: ${(await letters.drop(one)) ? 'dropped' : 'unknown'}`);
    default:
      fail(`There is no command "${name}".\n${HELP}`);
  }
}

async function list(): Promise<void> {
  const found = await all();
  for (const letter of found) say(lineOf(letter));
  say(found.length === 0 ? 'No dead letters.' : `${found.length} dead letter${found.length === 1 ? '' : 's'}.`);
}

/** Newest first. */
async function all(): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for (let cursor: string | undefined; ; ) {
    const { items, next } = await letters.list(1_000, cursor);
    found.push(...items);
    if (next === null) return found;
    cursor = next;
  }
}

function lineOf({ id, at, conversation, code, messages, reply }: DeadLetter): string {
  const what = reply
    ? 'an answer that was not delivered'
    : `${messages.length} message${messages.length === 1 ? '' : 's'} without an answer`;
  const { contact } = conversationOf(conversation);
  return [id, new Date(at).toISOString(), `…${contact.slice(-4)}`, code, what].join('  ');
}

function show(letter: DeadLetter): void {
  say(lineOf(letter));
  say(`why: ${letter.reason}`);
  for (const message of letter.messages)
    say(`they wrote: ${message.text || `(${message.attachments[0]?.kind ?? 'nothing'})`}`);
  if (letter.reply) say(`we answered: ${letter.reply}`);
}

async function find(): Promise<DeadLetter> {
  if (!id) fail('Which one? Give its id, from: npm run dead-letters -- list');
  const letter = await letters.find(id);
  if (!letter) fail(`There is no dead letter ${id}.`);
  return letter;
}

async function forEach(act: (id: string) => Promise<string>): Promise<void> {
  const ids = id === 'all' ? (await all()).map((letter) => letter.id) : [(await find()).id];
  for (const [i, one] of ids.entries()) say(`${ids.length > 1 ? `${i + 1}/${ids.length} ` : ''}${await act(one)}`);
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
