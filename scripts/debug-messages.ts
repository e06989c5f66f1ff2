/** Shows what a model would be sent for a contact, with token counts and the leak check. Reads only. */
import { parseArgs } from 'node:util';
import type { Fresh } from '../app/conversation/attachments.ts';
import { promptFor } from '../app/conversation/context.ts';
import type { ContentPart, ModelMessage } from '../app/llm/model.ts';
import { countMessageTokens, countTokens } from '../app/llm/tokens.ts';
import { createSummaryStore } from '../app/memory/summary.ts';
import { addressesOf, type ConversationId } from '../app/message.ts';
import { findLeaks, scrub } from '../app/privacy/scrub.ts';
import { fail, openStores, type Stores } from './stores.ts';

const HELP = `Usage: npm run debug-messages -- CONTACT [--business NUMBER] [--text WORDS]
  CONTACT            a number such as 15550100123, or a username id such as US.1A2B3C
  --business NUMBER  the number they wrote to, when they wrote to several
  --text WORDS       what they would write next (default: "…")
Prints each message with its role, tokens and text. Exit code 0, 1 when nothing is known of the contact, 2 when a leak is left.`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { business: { type: 'string' }, text: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
const contact = positionals[0]?.replace(/^whatsapp:/, '').replace(/^\+/, '');
if (values.help || !contact) {
  process.stdout.write(`${HELP}\n`);
  process.exit(values.help ? 0 : 1);
}

const stores = await openStores();
const conversation = await conversationWith(contact, stores);
const messages = await promptOf(conversation, stores);
stores.redis.disconnect();
process.exit(show(messages));

async function conversationWith(who: string, { redis, keys }: Stores): Promise<ConversationId> {
  if (values.business) return `${values.business.replace(/^\+/, '')}:${who}`;
  const found = new Set<ConversationId>();
  for (const { events } of keys.shards) {
    const prefix = `${events.slice(0, -'events'.length)}c:`;
    for (const name of await redis.keys(`${prefix}*:${who}:state`))
      found.add(name.slice(prefix.length, -':state'.length));
  }
  const [only, ...others] = found;
  if (!only) fail(`Nothing is remembered of ${who}.`);
  if (others.length > 0) {
    fail(
      `They wrote to several numbers; name one with --business: ${[...found].map((id) => addressesOf(id).business).join(', ')}`,
    );
  }
  return only;
}

async function promptOf(id: ConversationId, { redis, run, keys, config }: Stores): Promise<ModelMessage[]> {
  const store = createSummaryStore({ redis, run, keys, historyTtlMs: config.historyTtlMs });
  const { summary, version, history } = await store.load(id);
  const profile = await redis.hget(keys.of(id).state, 'profile');
  const text = scrub(values.text ?? '…');
  const line = { role: 'user' as const, text, at: Date.now(), id: 'next', tokens: countTokens(text) };
  const next: Fresh = { line, hint: null, pictures: [] };
  const held = { summary, version, history, profileName: profile === null ? null : scrub(profile) };
  const context = { template: config.systemPrompt, timeZone: config.timeZone, historyTokens: config.historyTokens };
  return promptFor(held, [next], { ...context, now: Date.now });
}

function show(prompt: ModelMessage[]): number {
  let leaks = 0;
  for (const message of prompt) {
    const text = typeof message.content === 'string' ? message.content : message.content.map(wordsOf).join('\n');
    leaks += findLeaks(text).length;
    process.stdout.write(`--- ${message.role}, ${countTokens(text)} tokens\n${text}\n`);
  }
  process.stdout.write(`--- ${prompt.length} messages, ${countMessageTokens(prompt)} tokens in all\n`);
  process.stdout.write(leaks === 0 ? 'No Twilio URLs found in the final messages\n' : `${leaks} leaks are left\n`);
  return leaks === 0 ? 0 : 2;
}

function wordsOf(part: ContentPart): string {
  return part.kind === 'text' ? part.text : '[picture]';
}
