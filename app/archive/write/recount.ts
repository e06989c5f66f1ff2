/** Conversations that got messages and tasks of another archive: what is stored in them is made to agree with what they hold. */
import { sql } from 'kysely';
import type { Writer } from './writer.ts';

/** After `moved_conversations` was merged, with `moved_contact_ids` and `moved_conversation_ids`; see `mergeArchive`. */
export async function recount(db: Writer): Promise<void> {
  await takeOver(db);
  await count(db);
  await sql`
    update whatsapp_conversations c set phone_number = n.phone_number
    from (
      select contact_id, max(phone_number) as phone_number from whatsapp_conversations
      where phone_number like '+%' group by contact_id) n
    where c.contact_id = n.contact_id and c.phone_number not like '+%'
      and c.contact_id in (select new_id from moved_contact_ids)`.execute(db);
  await sql`
    update whatsapp_conversations c set conversation_status = 'blocked'
    from whatsapp_contacts p where p.id = c.contact_id and p.blocked and c.conversation_status <> 'blocked'
      and p.id in (select new_id from moved_contact_ids)`.execute(db);
}

/** What is known of the conversation itself: the earlier first, the later last, and what is missing here. */
async function takeOver(db: Writer): Promise<void> {
  await sql`
    update whatsapp_conversations c set
      contact_name = coalesce(c.contact_name, o.contact_name),
      prospect_id = coalesce(c.prospect_id, o.prospect_id),
      phone_number = case when o.phone_number like '+%' and c.phone_number not like '+%' then o.phone_number else c.phone_number end,
      address = case when o.last_inbound_at > coalesce(c.last_inbound_at, '-infinity') then o.address else c.address end,
      first_message_at = least(c.first_message_at, o.first_message_at),
      last_message_at = greatest(c.last_message_at, o.last_message_at),
      last_inbound_at = greatest(c.last_inbound_at, o.last_inbound_at),
      takeover_until = greatest(c.takeover_until, o.takeover_until),
      takeover_ms = greatest(c.takeover_ms, o.takeover_ms),
      last_sentiment = coalesce(c.last_sentiment, o.last_sentiment)
    from (
      select i.new_id,
        (array_agg(contact_name order by last_message_at desc) filter (where contact_name is not null))[1] as contact_name,
        (array_agg(prospect_id order by last_message_at desc) filter (where prospect_id is not null))[1] as prospect_id,
        (array_agg(phone_number order by phone_number like '+%' desc, last_message_at desc))[1] as phone_number,
        (array_agg(address order by last_inbound_at desc nulls last))[1] as address,
        (array_agg(last_sentiment order by last_message_at desc) filter (where last_sentiment is not null))[1] as last_sentiment,
        min(first_message_at) as first_message_at, max(last_message_at) as last_message_at,
        max(last_inbound_at) as last_inbound_at, max(takeover_until) as takeover_until, max(takeover_ms) as takeover_ms
      from moved_conversations m join moved_conversation_ids i on i.id = m.id group by i.new_id) o
    where c.id = o.new_id`.execute(db);
}

/** As `countIn`, `countTasks` and the analysis would have left it. A conversation without messages keeps what it says of its last one. */
async function count(db: Writer): Promise<void> {
  await sql`
    with theirs as (select distinct new_id as id from moved_conversation_ids),
    held as (
      select conversation_id, id, direction, message_type, author, seen_at, received_at, ai_sentiment,
        left(coalesce(nullif(message_body, ''), transcription, ''), 200) as text
      from whatsapp_messages where conversation_id in (select id from theirs)),
    counts as (
      select conversation_id, count(*) as total,
        count(*) filter (where direction = 'inbound' and seen_at is null) as unread,
        count(*) filter (where direction = 'inbound' and message_type = 'audio') as voice,
        count(*) filter (where direction = 'inbound' and message_type = 'image') as pictures,
        count(*) filter (where direction = 'inbound' and message_type = 'text') as texts
      from held group by conversation_id),
    newest as (
      select distinct on (conversation_id) conversation_id, id, message_type, author, text
      from held order by conversation_id, received_at desc, id desc),
    analysed as (
      select distinct on (conversation_id) conversation_id, ai_sentiment
      from held where ai_sentiment is not null order by conversation_id, received_at desc, id desc),
    work as (
      select conversation_id, count(*) as tasks, count(*) filter (where status in ('pending', 'in_progress')) as open
      from sales_tasks where conversation_id in (select id from theirs) group by conversation_id)
    update whatsapp_conversations c set
      total_messages = coalesce(n.total, 0), unread_count = coalesce(n.unread, 0),
      voice_messages = coalesce(n.voice, 0), picture_messages = coalesce(n.pictures, 0), text_messages = coalesce(n.texts, 0),
      tasks = coalesce(w.tasks, 0), open_tasks = coalesce(w.open, 0),
      last_message_id = coalesce(l.id, c.last_message_id),
      last_message_text = coalesce(l.text, c.last_message_text),
      last_message_type = coalesce(l.message_type, c.last_message_type),
      last_message_author = coalesce(l.author, c.last_message_author),
      last_sentiment = coalesce(a.ai_sentiment, c.last_sentiment)
    from theirs t left join counts n on n.conversation_id = t.id left join newest l on l.conversation_id = t.id
      left join analysed a on a.conversation_id = t.id left join work w on w.conversation_id = t.id
    where c.id = t.id`.execute(db);
}
