/** The conversations that events belong to, and what is counted in them. */
import { sql } from 'kysely';
import { contactIdOf, isNumber, phoneOf } from '../../contacts/addresses.ts';
import { type ConversationId, conversationOf } from '../../message.ts';
import { upsertContacts } from './contacts.ts';
import type { Writer } from './writer.ts';

/** What an event contains about a conversation. */
export interface Sighting {
  conversation: ConversationId;
  /** Unix ms. */
  at: number;
  /** The contact wrote it. */
  inbound: boolean;
  /** When they did, unix ms; left out = at `at`, when they did. */
  wroteAt?: number | undefined;
  /** The contact's address in this event; null when the event does not have it. */
  address: string | null;
  /** Further addresses of the contact. */
  aliases?: readonly string[];
  name?: string | null;
}

/** A conversation as the tables have it. */
export interface ConversationRow {
  id: string;
  /** Of the contact, as people read it. */
  phone: string;
}

/**
 * Locks the conversations that are there, before anything else is: contacts first, then conversations, each in the order of their ids.
 * Whoever changes messages of a conversation locks it first, or two transactions could wait for each other.
 */
export async function lockConversations(db: Writer, conversations: readonly ConversationId[]): Promise<void> {
  const contacts = [...new Set(conversations.map((conversation) => conversationOf(conversation).contact))];
  if (contacts.length === 0) return;
  const { rows } = await sql<{ id: string }>`
    select id from whatsapp_contacts
    where id in (select contact_id from whatsapp_contact_addresses where address in (${sql.join(contacts)}))
    order by id for no key update`.execute(db);
  if (rows.length === 0) return;
  await sql`
    select from whatsapp_conversations where contact_id in (${sql.join(rows.map(({ id }) => id))})
    order by id for no key update`.execute(db);
}

/** Makes the conversations that are not there, and locks those that are, always in the same order. */
export async function upsertConversations(
  db: Writer,
  sightings: readonly Sighting[],
): Promise<Map<ConversationId, ConversationRow>> {
  if (sightings.length === 0) return new Map();
  const contacts = await upsertContacts(db, sightings.map(personIn));
  const newest = newestOf(sightings, contacts);
  const rows = await db
    .insertInto('whatsapp_conversations')
    .values(newest.map(({ contactId, sighting }) => rowOf(contactId, sighting)))
    .onConflict((conflict) =>
      conflict.columns(['contact_id', 'channel', 'business_number']).doUpdateSet({
        contact_name: sql`coalesce(excluded.contact_name, whatsapp_conversations.contact_name)`,
        address: sql`case when excluded.last_inbound_at >= coalesce(whatsapp_conversations.last_inbound_at, '-infinity')
          then excluded.address else whatsapp_conversations.address end`,
        last_inbound_at: sql`greatest(whatsapp_conversations.last_inbound_at, excluded.last_inbound_at)`,
        phone_number: sql`case when excluded.phone_number like '+%'
          and (excluded.last_inbound_at is not null or whatsapp_conversations.phone_number not like '+%')
          then excluded.phone_number else whatsapp_conversations.phone_number end`,
      }),
    )
    .returning(['id', 'contact_id', 'channel', 'business_number', 'phone_number'])
    .execute();
  await markBlocked(db, rows);
  const found = new Map(rows.map((row) => [`${row.contact_id} ${row.channel} ${row.business_number}`, row]));
  return new Map(
    sightings.flatMap(({ conversation }) => {
      const { channel, business, contact } = conversationOf(conversation);
      const row = found.get(`${contacts.get(contact)} ${channel} ${phoneOf(business)}`);
      return row ? [[conversation, { id: row.id, phone: row.phone_number }]] : [];
    }),
  );
}

function personIn({ conversation, address, aliases = [] }: Sighting) {
  const key = conversationOf(conversation).contact;
  const addresses = [...(address === null ? [] : [address]), ...aliases].map(contactIdOf);
  return { key, addresses: addresses.filter((one) => one === key || !isNumber(one) || !isNumber(key)) };
}

/** The newest sighting of each conversation, with the name of any of them. */
function newestOf(sightings: readonly Sighting[], contacts: ReadonlyMap<string, string>) {
  const newest = new Map<string, { contactId: string; sighting: Sighting }>();
  for (const sighting of sightings) {
    const { channel, business, contact } = conversationOf(sighting.conversation);
    const contactId = contacts.get(contact) ?? '';
    const place = `${contactId} ${channel} ${business}`;
    const known = newest.get(place)?.sighting;
    const inbound = sighting.inbound || known?.inbound === true;
    const wroteAt = latest(wroteAtOf(known), wroteAtOf(sighting));
    if (!known || known.at <= sighting.at) {
      const name = sighting.name ?? known?.name ?? null;
      const address = sighting.inbound || !known?.address ? sighting.address : known.address;
      newest.set(place, { contactId, sighting: { ...sighting, name, address, inbound, wroteAt } });
    } else known.wroteAt = wroteAt;
  }
  return [...newest.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

function wroteAtOf(sighting: Sighting | undefined): number | undefined {
  return sighting?.inbound ? (sighting.wroteAt ?? sighting.at) : undefined;
}

function latest(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? (one ?? other) : Math.max(one, other);
}

function rowOf(contactId: string, { conversation, at, inbound, wroteAt = at, address, name }: Sighting) {
  const { channel, business, contact } = conversationOf(conversation);
  const written = address ?? contact;
  return {
    contact_id: contactId,
    channel,
    business_number: phoneOf(business),
    phone_number: phoneOf(isNumber(written) || !isNumber(contact) ? written : contact),
    address: written,
    contact_name: name ?? null,
    first_message_at: new Date(at),
    last_message_at: new Date(at),
    last_inbound_at: inbound ? new Date(wroteAt) : null,
  };
}

/** A new conversation of a blocked contact is blocked. */
async function markBlocked(db: Writer, rows: readonly { contact_id: string }[]): Promise<void> {
  const ids = [...new Set(rows.map((row) => row.contact_id))];
  await sql`update whatsapp_conversations c set conversation_status = 'blocked'
    from whatsapp_contacts p where p.id = c.contact_id and p.blocked and p.id in (${sql.join(ids)})
      and c.conversation_status <> 'blocked'`.execute(db);
}

/** Brings the conversations' counts up to date with messages that were just inserted. */
export async function countIn(db: Writer, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await sql`
    with new as (select * from whatsapp_messages where id in (${sql.join(ids)})),
    counts as (
      select conversation_id, count(*) as total,
        count(*) filter (where direction = 'inbound' and seen_at is null) as unseen,
        count(*) filter (where direction = 'inbound' and message_type = 'audio') as voice,
        count(*) filter (where direction = 'inbound' and message_type = 'image') as pictures,
        count(*) filter (where direction = 'inbound' and message_type = 'text') as texts,
        min(received_at) as first_at, max(received_at) as last_at
      from new group by conversation_id),
    newest as (
      select distinct on (conversation_id) conversation_id, id, received_at, message_type, author,
        left(coalesce(nullif(message_body, ''), transcription, ''), 200) as text
      from new order by conversation_id, received_at desc, id desc)
    update whatsapp_conversations c set
      total_messages = c.total_messages + n.total,
      unread_count = c.unread_count + n.unseen,
      voice_messages = c.voice_messages + n.voice,
      picture_messages = c.picture_messages + n.pictures,
      text_messages = c.text_messages + n.texts,
      first_message_at = least(c.first_message_at, n.first_at),
      last_message_at = greatest(c.last_message_at, n.last_at),
      last_message_id = case when ${LATER} then l.id else c.last_message_id end,
      last_message_text = case when ${LATER} then l.text else c.last_message_text end,
      last_message_type = case when ${LATER} then l.message_type else c.last_message_type end,
      last_message_author = case when ${LATER} then l.author else c.last_message_author end,
      conversation_status = case when c.conversation_status = 'archived' and n.unseen > 0
        then 'active' else c.conversation_status end
    from counts n join newest l using (conversation_id)
    where c.id = n.conversation_id`.execute(db);
}

const LATER = sql`(c.last_message_id is null or l.received_at >= c.last_message_at)`;
