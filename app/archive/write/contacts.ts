/** Contacts and their addresses: who an event is about, and contacts that turn out to be the same person. */
import { sql } from 'kysely';
import { addressOf, contactIdOf, isNumber, phoneOf } from '../../contacts/addresses.ts';
import type { ContactId } from '../../message.ts';
import { moveConsents } from './consents.ts';
import type { Writer } from './writer.ts';

/** What an event contains about a person. */
export interface Person {
  /** Names the person in the bot's memory. */
  key: ContactId;
  /** Further addresses, in their canonical spelling. */
  addresses: readonly string[];
}

/** A contact as the tables have it. */
interface Known {
  id: string;
  key: string;
}

/**
 * Makes contacts that are not there, adds addresses, and merges contacts that are the same person: an id and the number it belongs to.
 * Two numbers are two contacts; an id that belonged to another number moves to the new one.
 * @returns key → id of the row, for every person
 */
export async function upsertContacts(db: Writer, people: readonly Person[]): Promise<Map<ContactId, string>> {
  const persons = unique(people);
  const owners = await ownersOf(db, persons);
  await insertNew(db, persons, owners);
  for (const person of persons) await gather(db, person, owners);
  return new Map(persons.map(({ key }) => [key, owners.get(key)?.id ?? '']));
}

/** Each person once, with all addresses of the events. Sorted, so that transactions lock in the same order. */
function unique(people: readonly Person[]): Person[] {
  const addresses = new Map<ContactId, Set<string>>();
  for (const person of people) {
    const known = addresses.get(person.key) ?? new Set([person.key]);
    for (const address of person.addresses) known.add(address);
    addresses.set(person.key, known);
  }
  return [...addresses.keys()].sort().map((key) => ({ key, addresses: [...(addresses.get(key) ?? [])] }));
}

/** Address → the contact that has it. */
async function ownersOf(db: Writer, persons: readonly Person[]): Promise<Map<string, Known>> {
  const asked = [...new Set(persons.flatMap(({ addresses }) => addresses))];
  if (asked.length === 0) return new Map();
  const { rows } = await sql<Known & { address: string }>`
    select a.address, c.id, c.key from whatsapp_contact_addresses a join whatsapp_contacts c on c.id = a.contact_id
    where a.address in (${sql.join(asked)})`.execute(db);
  return new Map(rows.map(({ address, id, key }) => [address, { id, key }]));
}

/** The contacts of whom no address is known. */
async function insertNew(db: Writer, persons: readonly Person[], owners: Map<string, Known>): Promise<void> {
  const taken = new Set(owners.keys());
  const fresh = persons.filter(({ addresses }) => {
    if (addresses.some((address) => taken.has(address))) return false;
    for (const address of addresses) taken.add(address);
    return true;
  });
  if (fresh.length === 0) return;
  const rows = await db
    .insertInto('whatsapp_contacts')
    .values(fresh.map(({ key }) => ({ key })))
    .returning(['id', 'key'])
    .execute();
  const ids = new Map(rows.map((row) => [row.key, row.id]));
  const addresses = fresh.flatMap((person) =>
    person.addresses.map((address) => ({ address, contact_id: ids.get(person.key) ?? '' })),
  );
  await db.insertInto('whatsapp_contact_addresses').values(addresses).execute();
  for (const { key, addresses: own } of fresh) {
    for (const address of own) owners.set(address, { id: ids.get(key) ?? '', key });
  }
}

/** Brings all addresses of a person to one contact. */
async function gather(db: Writer, { key, addresses }: Person, owners: Map<string, Known>): Promise<void> {
  const contact = owners.get(key) ?? (await adopt(db, key, addresses, owners));
  for (const address of addresses) {
    const owner = owners.get(address);
    if (owner?.id === contact.id) continue;
    if (owner && isNumber(contact.key) && !isNumber(owner.key)) {
      await mergeContacts(db, owner.id, contact.id);
      for (const [other, known] of owners) if (known.id === owner.id) owners.set(other, contact);
    } else {
      await setOwner(db, address, contact.id);
      owners.set(address, contact);
    }
  }
}

/** The contact of a key that is new. A number takes over a contact that was known by an id only. */
async function adopt(
  db: Writer,
  key: ContactId,
  addresses: readonly string[],
  owners: Map<string, Known>,
): Promise<Known> {
  const owner = addresses
    .map((address) => owners.get(address))
    .find((one) => one && !(isNumber(one.key) && isNumber(key)));
  if (!owner) {
    const row = await db.insertInto('whatsapp_contacts').values({ key }).returning('id').executeTakeFirstOrThrow();
    await setOwner(db, key, row.id);
    owners.set(key, { id: row.id, key });
    return { id: row.id, key };
  }
  await setOwner(db, key, owner.id);
  const renamed = isNumber(key) ? { id: owner.id, key } : owner;
  if (renamed.key !== owner.key) {
    await db.updateTable('whatsapp_contacts').set({ key }).where('id', '=', owner.id).execute();
  }
  for (const [other, known] of owners) if (known.id === owner.id) owners.set(other, renamed);
  owners.set(key, renamed);
  return renamed;
}

/**
 * A contact has another number now. They stay the same contact, with all that they wrote; with what they wrote under the new number
 * meanwhile. The old number is nobody's: whoever writes from it later is somebody else.
 */
export async function renumberContact(
  db: Writer,
  { from, to, at }: { from: ContactId; to: ContactId; at: number },
): Promise<void> {
  // Told again later, when the old number may have its next owner, it changes nothing: they wrote for the first time after it.
  const { rows } = await sql<{ id: string }>`
    select c.id from whatsapp_contact_addresses a join whatsapp_contacts c on c.id = a.contact_id
    where a.address = ${from} and not (exists (select from whatsapp_conversations v where v.contact_id = c.id)
      and not exists (select from whatsapp_conversations v where v.contact_id = c.id and v.first_message_at <= ${new Date(at)}))`.execute(
    db,
  );
  const old = rows[0]?.id;
  if (old === undefined) return;
  const contact = (await upsertContacts(db, [{ key: to, addresses: [] }])).get(to) ?? '';
  if (contact !== old) await mergeContacts(db, old, contact);
  await sql`delete from whatsapp_contact_addresses where address = ${from} and contact_id = ${contact}`.execute(db);
  await writeTo(db, contact, to);
}

/** The conversations of a contact whose only number is this one. Whatever spelling of it they wrote from stays. */
async function writeTo(db: Writer, contact: string, number: ContactId): Promise<void> {
  const conversations = await db
    .selectFrom('whatsapp_conversations')
    .select(['id', 'phone_number', 'address'])
    .where('contact_id', '=', contact)
    .execute();
  for (const { id, phone_number: phone, address } of conversations) {
    const isOld = (written: string) => isNumber(written) && contactIdOf(written) !== number;
    const changes = {
      ...(isOld(addressOf(phone)) && { phone_number: phoneOf(number) }),
      ...(isOld(address) && { address: number }),
    };
    if (Object.keys(changes).length === 0) continue;
    await db.updateTable('whatsapp_conversations').set(changes).where('id', '=', id).execute();
  }
}

async function setOwner(db: Writer, address: string, contactId: string): Promise<void> {
  await db
    .insertInto('whatsapp_contact_addresses')
    .values({ address, contact_id: contactId })
    .onConflict((conflict) => conflict.column('address').doUpdateSet({ contact_id: contactId }))
    .execute();
}

/** Moves everything of one contact to another. Contacts are locked before conversations, conversations before messages. */
async function mergeContacts(db: Writer, from: string, to: string): Promise<void> {
  await sql`select from whatsapp_contacts where id in (${from}, ${to}) order by id for update`.execute(db);
  await sql`select from whatsapp_conversations where contact_id in (${from}, ${to}) order by id for update`.execute(db);
  const { rows: twins } = await sql<{ gone: string; kept: string }>`
    select g.id as gone, k.id as kept from whatsapp_conversations g
    join whatsapp_conversations k on k.channel = g.channel and k.business_number = g.business_number
    where g.contact_id = ${from} and k.contact_id = ${to}`.execute(db);
  for (const { gone, kept } of twins) await mergeConversations(db, gone, kept);
  await sql`update whatsapp_conversations set contact_id = ${to} where contact_id = ${from}`.execute(db);
  await sql`update whatsapp_contact_addresses set contact_id = ${to} where contact_id = ${from}`.execute(db);
  await moveConsents(db, from, to);
  await sql`update whatsapp_contacts p set blocked = p.blocked or g.blocked,
      spam_score = greatest(p.spam_score, g.spam_score), spam_at = greatest(p.spam_at, g.spam_at),
      spam_reasons = case when g.spam_score > p.spam_score then g.spam_reasons else p.spam_reasons end,
      throttled_until = greatest(p.throttled_until, g.throttled_until),
      excused_until = greatest(p.excused_until, g.excused_until)
    from whatsapp_contacts g where p.id = ${to} and g.id = ${from}`.execute(db);
  await sql`update whatsapp_conversations c set conversation_status = 'blocked'
    from whatsapp_contacts p where c.contact_id = ${to} and p.id = ${to} and p.blocked`.execute(db);
  await sql`update whatsapp_conversations c set phone_number = n.phone_number
    from (select phone_number from whatsapp_conversations where contact_id = ${to} and phone_number like '+%' limit 1) n
    where c.contact_id = ${to} and c.phone_number not like '+%'`.execute(db);
  await sql`delete from whatsapp_contacts where id = ${from}`.execute(db);
}

/** Why and since when a conversation waits for a person: all of one, or all of the other. */
const HANDOFF = ['handoff_at', 'handoff_until', 'handoff_turn', 'handoff_reason', 'handoff_note', 'handoff_summary'];

async function mergeConversations(db: Writer, gone: string, kept: string): Promise<void> {
  await sql`update whatsapp_messages set conversation_id = ${kept} where conversation_id = ${gone}`.execute(db);
  await sql`update sales_tasks set conversation_id = ${kept} where conversation_id = ${gone}`.execute(db);
  await sql`update whatsapp_costs set conversation_id = ${kept} where conversation_id = ${gone}`.execute(db);
  const isLater = sql`(g.last_message_at > k.last_message_at)`;
  await sql`
    update whatsapp_conversations k set
      contact_name = coalesce(k.contact_name, g.contact_name),
      prospect_id = coalesce(k.prospect_id, g.prospect_id),
      address = case when g.last_inbound_at > coalesce(k.last_inbound_at, '-infinity') then g.address else k.address end,
      first_message_at = least(k.first_message_at, g.first_message_at),
      last_message_at = greatest(k.last_message_at, g.last_message_at),
      last_inbound_at = greatest(k.last_inbound_at, g.last_inbound_at),
      total_messages = k.total_messages + g.total_messages,
      unread_count = k.unread_count + g.unread_count,
      voice_messages = k.voice_messages + g.voice_messages,
      picture_messages = k.picture_messages + g.picture_messages,
      text_messages = k.text_messages + g.text_messages,
      tasks = k.tasks + g.tasks,
      open_tasks = k.open_tasks + g.open_tasks,
      takeover_until = greatest(k.takeover_until, g.takeover_until),
      takeover_ms = greatest(k.takeover_ms, g.takeover_ms),
      ${sql.raw(HANDOFF.map((column) => `${column} = case when k.handoff_at is null then g.${column} else k.${column} end`).join(',\n      '))},
      last_message_id = case when ${isLater} then g.last_message_id else k.last_message_id end,
      last_message_text = case when ${isLater} then g.last_message_text else k.last_message_text end,
      last_message_type = case when ${isLater} then g.last_message_type else k.last_message_type end,
      last_message_author = case when ${isLater} then g.last_message_author else k.last_message_author end,
      last_sentiment = case when ${isLater} then coalesce(g.last_sentiment, k.last_sentiment)
        else coalesce(k.last_sentiment, g.last_sentiment) end
    from whatsapp_conversations g where k.id = ${kept} and g.id = ${gone}`.execute(db);
  await sql`delete from whatsapp_conversations where id = ${gone}`.execute(db);
}
