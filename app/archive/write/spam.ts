/** Contacts whose messages look like spam. */
import { sql } from 'kysely';
import type { EventOf } from '../../events.ts';
import { conversationOf } from '../../message.ts';
import type { Writer } from './writer.ts';

/**
 * The newest word on a contact stays; nothing is written of one that the team excused.
 * @returns the contacts, as people read their address.
 */
export async function recordSuspected(db: Writer, events: readonly EventOf<'contact.suspected'>[]): Promise<string[]> {
  if (events.length === 0) return [];
  const suspected = events.map(({ conversation, at, score, reasons, until }) => ({
    address: conversationOf(conversation).contact,
    at: new Date(at).toISOString(),
    score,
    reasons,
    until: until > 0 ? new Date(until).toISOString() : null,
  }));
  const { rows } = await sql<{ phone: string }>`
    with told as (
      select distinct on (a.contact_id) a.contact_id, t.*
      from json_to_recordset(${JSON.stringify(suspected)}::json)
        as t(address text, at timestamptz, score smallint, reasons varchar[], until timestamptz)
      join whatsapp_contact_addresses a on a.address = t.address
      order by a.contact_id, t.at desc),
    noted as (
      update whatsapp_contacts p set spam_score = t.score, spam_reasons = t.reasons, spam_at = t.at,
        throttled_until = greatest(p.throttled_until, t.until)
      from told t
      where p.id = t.contact_id and (p.spam_at is null or p.spam_at <= t.at)
        and (p.excused_until is null or p.excused_until <= t.at)
      returning p.id)
    select distinct c.phone_number as phone from whatsapp_conversations c where c.contact_id in (select id from noted)`.execute(
    db,
  );
  return rows.map(({ phone }) => phone);
}
