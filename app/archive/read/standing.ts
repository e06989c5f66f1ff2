/** What the archive knows of contacts that the bot's memory has a copy of: block, opt-out, takeovers, last messages. */
import { sql } from 'kysely';
import { addressOf } from '../../contacts/addresses.ts';
import type { Standing } from '../../contacts/confirm.ts';
import type { ContactId } from '../../message.ts';
import type { Database } from '../engine/database.ts';
import { optedOutAt } from './conversations.ts';

export interface Standings {
  /** By any address of a contact; a contact that is not known is missing. Rejects with `archive.unavailable`. */
  of(contacts: readonly ContactId[]): Promise<Map<ContactId, Standing>>;
}

interface Row {
  asked: string;
  key: string;
  blocked: boolean;
  opted_out_at: Date | null;
  excused_until: Date | null;
  channel: string | null;
  business_number: string | null;
  address: string | null;
  last_inbound_at: Date | null;
  takeover_until: Date | null;
  handoff_at: Date | null;
  handoff_until: Date | null;
  takeover_ms: number | null;
}

export function createStandings(database: Database): Standings {
  return { of };

  function of(contacts: readonly ContactId[]): Promise<Map<ContactId, Standing>> {
    return database.run(async (db) => {
      const standings = new Map<ContactId, Standing>();
      if (contacts.length === 0) return standings;
      const { rows } = await sql<Row>`
        select a.address as asked, p.key, p.blocked, ${optedOutAt} as opted_out_at, p.excused_until, c.channel, c.business_number, c.address,
          c.last_inbound_at, c.takeover_until, c.takeover_ms, c.handoff_at, c.handoff_until
        from whatsapp_contact_addresses a join whatsapp_contacts p on p.id = a.contact_id
        left join whatsapp_conversations c on c.contact_id = p.id
        where a.address in (${sql.join(contacts)})`.execute(db);
      for (const row of rows) {
        const standing = standings.get(row.asked) ?? standingIn(row);
        standings.set(row.asked, standing);
        const conversation = conversationIn(row);
        if (conversation) standing.conversations.push(conversation);
      }
      return standings;
    });
  }
}

function standingIn({ key, blocked, opted_out_at, excused_until }: Row): Standing {
  return {
    contact: key,
    blocked,
    optedOutAt: opted_out_at?.getTime() ?? 0,
    excusedUntil: excused_until?.getTime() ?? 0,
    conversations: [],
  };
}

function conversationIn(row: Row): Standing['conversations'][number] | null {
  const { channel, business_number, address } = row;
  if (channel === null || business_number === null || address === null) return null;
  const handoffUntil = (row.handoff_at && row.handoff_until?.getTime()) || 0;
  return {
    channel,
    business: addressOf(business_number),
    address,
    lastInboundAt: row.last_inbound_at?.getTime() ?? 0,
    takeoverUntil: Math.max(row.takeover_until?.getTime() ?? 0, handoffUntil),
    handoffUntil,
    takeoverMs: row.takeover_ms ?? 0,
  };
}
