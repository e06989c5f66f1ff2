/** Contacts whose messages look like spam, whatever the engine. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Database } from '../../app/archive/engine/database.ts';
import { createConversations } from '../../app/archive/read/conversations.ts';
import { createMessages } from '../../app/archive/read/messages.ts';
import { createStandings } from '../../app/archive/read/standing.ts';
import { createDeskWriter } from '../../app/archive/write/desk.ts';
import { record } from '../../app/archive/write/record.ts';
import type { Event, EventOf } from '../../app/events.ts';
import { empty, query } from './engines.ts';
import { CONTACT, CONVERSATION, made, PHONE, received } from './events.ts';

const OTHER = '447700900001';

export function spamSuite(open: () => Database): void {
  const write = (...events: Event[]) => open().transaction((db) => record(db, events, true));
  const find = async (phone = PHONE) => createConversations(open()).find({ phone });
  const suspected = (overrides: Partial<EventOf<'contact.suspected'>> = {}): EventOf<'contact.suspected'> => ({
    type: 'contact.suspected',
    conversation: CONVERSATION,
    at: Date.now(),
    score: 100,
    reasons: ['repeats', 'links'],
    until: Date.now() + 1_800_000,
    ...overrides,
  });

  beforeEach(() => empty(open()));

  describe('a contact that looks like spam', () => {
    test('is shown with score and reasons, and found among the others', async () => {
      await write(received(), received({ from: OTHER }));
      assert.equal((await find())?.spam, null);
      const event = suspected();
      assert.deepEqual((await write(event)).phones, [PHONE]);
      assert.deepEqual((await find())?.spam, {
        score: 100,
        reasons: ['repeats', 'links'],
        throttledUntil: event.until,
      });
      const { list } = createConversations(open());
      const found = await list({ limit: 9, spam: true });
      assert.deepEqual(
        found.items.map(({ phone }) => phone),
        [PHONE],
      );
      assert.equal((await list({ limit: 9 })).items.length, 2);
    });

    test('that is answered is shown, too; the newest word counts, in any order', async () => {
      const newest = suspected({ score: 60, reasons: ['flood'], until: 0 });
      await write(received(), newest, suspected({ at: newest.at - 5_000, until: 0 }));
      assert.deepEqual((await find())?.spam, { score: 60, reasons: ['flood'], throttledUntil: null });
      await write(suspected({ at: newest.at - 9_000, until: 0 }));
      assert.equal((await find())?.spam?.score, 60);
    });

    test('is none any more when the team says so; the archive tells the memory, for as long as it holds', async () => {
      await write(received(), suspected());
      const until = Date.now() + 600_000;
      await createDeskWriter(open()).excuse(CONTACT, until);
      assert.equal((await find())?.spam, null);
      await write(suspected({ at: Date.now() + 1_000 }));
      assert.equal((await find())?.spam, null, 'the team is not asked again');
      const standing = (await createStandings(open()).of([CONTACT])).get(CONTACT);
      assert.equal(standing?.excusedUntil, until);
      await write(suspected({ at: until + 1 }));
      assert.equal((await find())?.spam?.score, 100, 'when that is over it may be shown again');
    });

    test('is not shown when it is blocked, nor after a week', async () => {
      await write(received(), suspected({ at: Date.now() - 8 * 86_400_000 }));
      assert.equal((await find())?.spam, null);
      await write(suspected());
      assert.equal((await find())?.spam?.score, 100);
      await createDeskWriter(open()).block(CONTACT, true);
      assert.equal((await find())?.spam, null);
    });

    test('keeps what is known when two of its addresses turn out to be one person', async () => {
      await write(received({ from: 'US.1A2B' }), suspected({ conversation: CONVERSATION.replace(CONTACT, 'US.1A2B') }));
      await write(received({ aliases: ['US.1A2B'] }));
      assert.equal((await find())?.spam?.score, 100);
    });

    test('that nobody knows changes nothing', async () => {
      assert.deepEqual(await write(suspected()), { phones: [], turns: [] });
    });
  });

  test('a message that was not answered for that says so, and waits for no analysis', async () => {
    const question = received();
    await write(question, made([question], '', { failure: 'turn.throttled' }));
    const { items } = await createMessages(open()).thread({ phone: PHONE }, { limit: 9 });
    const [message] = items;
    assert.equal(message?.failure?.code, 'turn.throttled');
    assert.equal(message?.analysis?.status ?? 'skipped', 'skipped');
    assert.equal(message?.status, 'received');
    assert.deepEqual(await query(open(), 'select analysis_status, processed from whatsapp_messages'), [
      { analysis_status: 'skipped', processed: true },
    ]);
  });
}
