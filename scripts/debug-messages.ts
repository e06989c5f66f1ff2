/** Shows what a model would be sent for a contact, with token counts and the leak check. Reads only. */
import { parseArgs } from 'node:util';
import { contactIdOf } from '../app/contacts/addresses.ts';
import type { Fresh } from '../app/conversation/attachments.ts';
import { promptFor } from '../app/conversation/context.ts';
import type { ContentPart, ModelMessage } from '../app/llm/model.ts';
import { countMessageTokens, countTokens } from '../app/llm/tokens.ts';
import { createAliases } from '../app/memory/aliases.ts';
import { createSummaryStore } from '../app/memory/summary.ts';
import type { ContactId } from '../app/message.ts';
import { findLeaks, scrub } from '../app/privacy/scrub.ts';
import { buildPurpose } from '../app/wire/purpose.ts';
import { fail, openStores, type Stores } from './stores.ts';

const HELP = `Usage: npm run debug-messages -- CONTACT [--text WORDS]
  CONTACT       a number such as 15550100123, or a username id such as US.1A2B3C
  --text WORDS  what they would write next (default: "…")
Prints each message with its role, tokens and text. Exit code 0, 1 when nothing is known of the contact, 2 when a leak is left.`;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { text: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
});
const address = positionals[0]?.replace(/^whatsapp:/, '').replace(/^\+/, '');
if (values.help || !address) {
  process.stdout.write(`${HELP}\n`);
  process.exit(values.help ? 0 : 1);
}

const stores = await openStores();
const messages = await promptOf(await contactOf(address, stores), stores);
stores.redis.disconnect();
process.exit(show(messages));

/** The contact of an address, should it be an alias of another one. Ends the script when nothing is remembered. */
async function contactOf(address: string, { redis, run, keys, config }: Stores): Promise<ContactId> {
  const aliases = createAliases({ redis, run, keys, historyTtlMs: config.historyTtlMs });
  const root = await aliases.rootOf(contactIdOf(address));
  if ((await redis.exists(keys.of(root).state)) === 0) fail(`Nothing is remembered of ${address}.`);
  return root;
}

async function promptOf(id: ContactId, { redis, run, keys, config }: Stores): Promise<ModelMessage[]> {
  const store = createSummaryStore({ redis, run, keys, historyTtlMs: config.historyTtlMs });
  const { summary, version, history } = await store.load(id);
  const profile = await redis.hget(keys.of(id).state, 'profile');
  const text = scrub(values.text ?? '…');
  const line = { role: 'user' as const, text, at: Date.now(), id: 'next', tokens: countTokens(text) };
  const next: Fresh = { line, hint: null, pictures: [] };
  const held = { summary, version, history, profileName: profile === null ? null : scrub(profile) };
  const { template } = buildPurpose(config);
  const context = { template, timeZone: config.timeZone, historyTokens: config.historyTokens };
  return promptFor(held, [next], { ...context, now: Date.now }).messages;
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
