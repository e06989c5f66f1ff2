/** Who a contact is, whatever the engine: several addresses, several numbers of ours. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import type { Database } from '../../app/archive/engine/database.ts';
import { createConversations } from '../../app/archive/read/conversations.ts';
import { createMessages } from '../../app/archive/read/messages.ts';
import { createStandings } from '../../app/archive/read/standing.ts';
import { createDeskWriter } from '../../app/archive/write/desk.ts';
import { record } from '../../app/archive/write/record.ts';
import { createTasks } from '../../app/archive/write/tasks.ts';
import type { Event } from '../../app/events.ts';
import { empty, query } from './engines.ts';
import { BUSINESS, CONTACT, CONVERSATION, made, NOON, PHONE, received } from './events.ts';

const OTHER = '447700900001';
const ID = `US.${'a'.repeat(128)}`;

export function contactsSuite(open: () => Database): void {
  const write = (...events: Event[]) => open().transaction((db) => record(db, events, true));
  const find = (phone: string, business?: string) => createConversations(open()).find({ phone, business });
  const all = async () => (await createConversations(open()).list({ limit: 50 })).items;

  beforeEach(() => empty(open()));

  describe('two numbers of ours', () => {
    test('are two conversations of one contact, each with its own messages', async () => {
      const [one, two] = [received({ text: 'one' }), received({ text: 'two', business: OTHER, receivedAt: NOON + 1 })];
      await write(one, two, made([two], 'answer', { at: NOON + 2 }));
      assert.equal((await all()).length, 2);
      assert.equal((await find(PHONE))?.business, OTHER, 'the one that was active last');
      const bodies = async (business?: string) =>
        (await createMessages(open()).thread({ phone: PHONE, business }, { limit: 9, order: 'oldest' })).items.map(
          ({ body }) => body,
        );
      assert.deepEqual(await bodies(BUSINESS), ['one']);
      assert.deepEqual(await bodies(`+${OTHER}`), ['two', 'answer']);
      assert.deepEqual(await bodies(), ['one', 'two', 'answer']);
      const listed = await createConversations(open()).list({ limit: 9, business: `+${OTHER}` });
      assert.deepEqual(
        listed.items.map(({ business }) => business),
        [OTHER],
      );
      assert.deepEqual(
        (await createMessages(open()).inbox({ limit: 9, business: BUSINESS })).items.map(({ body }) => body),
        ['one'],
      );
      assert.deepEqual(await createConversations(open()).numbers(), [
        { channel: 'twilio', business: `+${BUSINESS}`, conversations: 1 },
        { channel: 'twilio', business: `+${OTHER}`, conversations: 1 },
      ]);
    });

    test('share a block, also with a conversation that comes later', async () => {
      await write(received());
      const writer = createDeskWriter(open());
      await writer.block(CONTACT, true);
      await write(received({ business: OTHER }));
      assert.deepEqual(
        (await all()).map(({ status }) => status),
        ['blocked', 'blocked'],
      );
      await writer.block(CONTACT, false);
      assert.deepEqual(
        (await all()).map(({ status }) => status),
        ['active', 'active'],
      );
    });

    test('are marked as read together or one by one', async () => {
      await write(received(), received({ business: OTHER }));
      const { markRead } = createDeskWriter(open());
      assert.equal(await markRead({ phone: PHONE, business: OTHER }), 1);
      assert.equal(await markRead({ phone: PHONE }), 1);
    });
  });

  describe('several addresses', () => {
    test('lead to the same contact: number, username id of 131 characters, both spellings', async () => {
      const number = '5215512345678';
      await write(received({ from: number, aliases: [ID] }));
      for (const address of [`+${number}`, '525512345678', ID]) {
        const found = await find(address);
        assert.equal(found?.phone, `+${number}`, address);
        assert.deepEqual(found?.addresses, ['+525512345678', ID]);
      }
    });

    test('keep the number that people know, and answers go to the address that was used last', async () => {
      await write(received({ aliases: [ID] }));
      await write(received({ from: ID, contact: CONTACT, receivedAt: NOON + 1 }));
      const [conversation] = await all();
      assert.deepEqual([conversation?.phone, conversation?.totalMessages], [PHONE, 2]);
      const standing = (await createStandings(open()).of([ID])).get(ID);
      assert.equal(standing?.conversations[0]?.address, ID);
    });

    test('that were two contacts become one, and nothing is lost', async () => {
      const early = received({ from: ID, text: 'early', receivedAt: NOON - 2 });
      await write(early, made([early], 'yes', { at: NOON - 1 }), received({ from: ID, business: OTHER }));
      await createTasks(open()).create({ title: 'Call' }, { phone: ID });
      await createDeskWriter(open()).block(ID, true);
      await write(received({ text: 'late' }));
      assert.equal((await find(PHONE))?.status, 'active');

      await write(received({ text: 'both', aliases: [ID], receivedAt: NOON + 1 }));
      const conversations = await all();
      assert.deepEqual(
        conversations.map(({ phone, contact, business, totalMessages, status }) => [
          phone,
          contact,
          business,
          totalMessages,
          status,
        ]),
        [
          [PHONE, CONTACT, BUSINESS, 4, 'blocked'],
          [PHONE, CONTACT, OTHER, 1, 'blocked'],
        ],
      );
      const { items } = await createMessages(open()).thread(
        { phone: ID, business: BUSINESS },
        { limit: 9, order: 'oldest' },
      );
      assert.deepEqual(
        items.map(({ body }) => body),
        ['early', 'yes', 'late', 'both'],
      );
      assert.equal((await createTasks(open()).list({ limit: 9, phone: PHONE })).items.length, 1);
      assert.deepEqual(await query(open(), 'select count(*) as contacts from whatsapp_contacts'), [{ contacts: 1 }]);
    });

    test('of two numbers stay two contacts; an id that changes its number goes with it', async () => {
      const next = '15550100124';
      await write(received({ aliases: ['US.1'] }), received({ from: next, aliases: ['US.1'], receivedAt: NOON + 1 }));
      assert.equal((await all()).length, 2);
      assert.equal((await find('US.1'))?.phone, `+${next}`);
      assert.deepEqual((await find(PHONE))?.addresses, [PHONE]);
    });

    test('end in one contact in every order of events', async () => {
      const parent = 'US.ENT.1';
      const events = [
        received({ text: 'a' }),
        received({ text: 'b', from: ID, aliases: [parent] }),
        received({ text: 'c', from: parent, contact: ID, aliases: [ID], business: OTHER }),
        received({ text: 'd', aliases: [ID, parent], business: OTHER }),
        received({ text: 'e', from: ID, contact: CONTACT, aliases: [parent] }),
      ].map((event, i) => ({ ...event, message: { ...event.message, receivedAt: NOON + i } }));
      await fc.assert(
        fc.asyncProperty(fc.shuffledSubarray(events, { minLength: 5 }), fc.nat(4), async (order, cut) => {
          await empty(open());
          await write(...order.slice(0, cut));
          await write(...order.slice(cut));
          await write(...order);
          const conversations = await all();
          const facts = conversations.map(({ phone, business, totalMessages, unreadCount }) =>
            [phone, business, totalMessages, unreadCount].join(),
          );
          assert.deepEqual(facts.sort(), [`${PHONE},${BUSINESS},3,3`, `${PHONE},${OTHER},2,2`]);
          assert.deepEqual(await query(open(), 'select key from whatsapp_contacts'), [{ key: CONTACT }]);
        }),
        { numRuns: 25 },
      );
    });
  });

  test('what the memory has a copy of is found by any address', async () => {
    await write(received({ aliases: [ID] }), received({ business: OTHER, receivedAt: NOON + 5 }));
    const writer = createDeskWriter(open());
    await writer.block(ID, true);
    await writer.takeOver(CONVERSATION, NOON + 600_000, 60_000);
    const standings = await createStandings(open()).of([ID, CONTACT, '15550100199']);
    assert.deepEqual([...standings.keys()].sort(), [CONTACT, ID].sort());
    const { contact, blocked, conversations } = standings.get(ID) ?? assert.fail('not found');
    assert.deepEqual([contact, blocked], [CONTACT, true]);
    const facts = { channel: 'twilio', address: CONTACT };
    assert.deepEqual(
      conversations.sort((a, b) => a.business.localeCompare(b.business)),
      [
        {
          ...facts,
          business: BUSINESS,
          lastInboundAt: NOON,
          takeoverUntil: NOON + 600_000,
          takeoverMs: 60_000,
          handoffUntil: 0,
        },
        { ...facts, business: OTHER, lastInboundAt: NOON + 5, takeoverUntil: 0, takeoverMs: 0, handoffUntil: 0 },
      ],
    );
  });
}
