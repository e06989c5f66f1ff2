/** What money was spent on, whatever the engine. */
import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import type { Database } from '../../app/archive/engine/database.ts';
import { createCosts } from '../../app/archive/read/costs.ts';
import type { MessagePrice } from '../../app/archive/write/costs.ts';
import { createPricesDue } from '../../app/archive/write/prices-due.ts';
import { record } from '../../app/archive/write/record.ts';
import type { Event, EventOf, ModelUse } from '../../app/events.ts';
import type { DeliveryStatus, Pricing } from '../../app/message.ts';
import { empty, query } from './engines.ts';
import { CONTACT, CONVERSATION, delivery, made, newSid, PHONE, received, sent } from './events.ts';

const DAY_MS = 86_400_000;
/** The middle of today, so that a test a moment later is on the same day. */
const TODAY = Math.floor(Date.now() / DAY_MS) * DAY_MS + DAY_MS / 2;
const OTHER = '447700900001';

let count = 0;

export function use(overrides: Partial<ModelUse> = {}): ModelUse {
  return {
    id: `use${++count}`,
    at: TODAY,
    purpose: 'answer',
    model: 'gpt-5.4-mini',
    tokens: { prompt: 1_000, completion: 100, cached: 0 },
    cost: { billionths: 1_200_000, currency: 'USD' },
    ...overrides,
  };
}

const usd = (billionths: number): Pricing => ({ cost: { billionths, currency: 'USD' } });

export function costsSuite(open: () => Database): void {
  let prices: MessagePrice[] = [];
  const write = (...events: Event[]) => open().transaction((db) => record(db, events, true, prices));
  const report = (options: { days?: number; timeZone?: string; phone?: string; business?: string } = {}) => {
    const { days = 7, timeZone = 'UTC', phone, business } = options;
    const place = phone === undefined ? undefined : { phone, business };
    return createCosts(open()).report({ days, timeZone, currency: 'USD', place });
  };
  /** Purpose → what it cost in one currency, and how many entries have no price. */
  const spent = async (currency = 'USD') =>
    Object.fromEntries(
      (await report()).purposes.map(({ purpose, sums, unpriced }) => [
        purpose,
        [sums.find((sum) => sum.currency === currency)?.billionths ?? 0n, unpriced],
      ]),
    );
  const messages = async () => (await spent()).message;
  const ledger = () => query(open(), 'select * from whatsapp_costs order by name');

  beforeEach(async () => {
    prices = [];
    await empty(open());
  });

  /** A reply, and that it was sent. */
  function said(parts: string[], overrides: Partial<EventOf<'reply.sent'>> = {}) {
    const reply = made([], parts.join('\n'), { parts, at: TODAY });
    return { reply, left: sent(reply, { via: 'call', ...overrides }) };
  }

  function reported(sid: string, state: DeliveryStatus['state'], reply?: string): EventOf<'delivery.changed'> {
    return { ...delivery(sid, state, reply), at: TODAY + 9_000 };
  }

  function priced(sid: string, pricing: Pricing, reply?: string, at = TODAY + 60_000): EventOf<'delivery.changed'> {
    const event = delivery(sid, 'delivered', reply);
    return { ...event, at, status: { ...event.status, part: 0, pricing } };
  }

  describe('the ledger', () => {
    test('has every call of a model, with the turn and the conversation', async () => {
      const question = received({ receivedAt: TODAY });
      const uses = [use(), use(), use({ purpose: 'transcription', audioMs: 9_000, cost: null })];
      const answer = made([question], 'Yes', { at: TODAY, spent: uses });
      const analysis = use({ purpose: 'analysis' });
      await write(question, answer, {
        type: 'models.used',
        conversation: CONVERSATION,
        turn: answer.turn,
        at: TODAY,
        uses: [analysis],
      });
      assert.deepEqual(await spent(), {
        analysis: [1_200_000n, 0],
        answer: [2_400_000n, 0],
        transcription: [0n, 1],
      });
      const rows = await query(
        open(),
        `select c.turn_id, v.phone_number, count(*) as entries, sum(c.prompt_tokens) as prompt, max(c.audio_ms) as audio
         from whatsapp_costs c join whatsapp_conversations v on v.id = c.conversation_id group by 1, 2`,
      );
      assert.deepEqual(rows, [{ turn_id: answer.turn, phone_number: PHONE, entries: 4, prompt: 4_000, audio: 9_000 }]);
    });

    test('is the same however often an event is recorded', async () => {
      const { reply, left } = said(['One', 'Two'], { sids: ['SMa', 'SMb'] });
      const events: Event[] = [{ ...reply, spent: [use()] }, left, priced('SMa', usd(5_000_000), reply.turn)];
      await write(...events);
      const before = await ledger();
      for (const event of events) await write(event);
      await write(...events, ...events);
      assert.deepEqual(await ledger(), before);
    });

    test('knows of a model that was used before it knows the contact', async () => {
      const conversation = `twilio:14155238886:${OTHER}`;
      await write({ type: 'models.used', conversation, turn: 't', at: TODAY, uses: [use()] });
      assert.deepEqual((await report({ phone: OTHER })).purposes[0]?.sums, [
        { currency: 'USD', billionths: 1_200_000n },
      ]);
    });

    test('moves with contacts that turn out to be one person', async () => {
      const id = 'US.1A2b';
      await write(received({ from: id }), {
        type: 'models.used',
        conversation: `twilio:14155238886:${id}`,
        turn: 't',
        at: TODAY,
        uses: [use()],
      });
      await write(received(), received({ from: CONTACT, aliases: [id] }));
      assert.equal((await report({ phone: CONTACT })).purposes.length, 1);
    });
  });

  describe('a message that was sent', () => {
    test('has no price until somebody says one, and is counted as such', async () => {
      const { reply, left } = said(['One', 'Two'], { sids: ['SMa', 'SMb'] });
      await write(reply, left);
      assert.deepEqual(await messages(), [0n, 2]);
      await write(priced('SMa', usd(5_000_000)));
      assert.deepEqual(await messages(), [5_000_000n, 1]);
      await write(priced('SMb', usd(7_500_000)));
      assert.deepEqual(await messages(), [12_500_000n, 0]);
    });

    test('in a webhook’s response counts by its parts until their ids are known', async () => {
      const { reply, left } = said(['One', 'Two', 'Three'], { via: 'response', sids: [] });
      await write(reply, left);
      assert.deepEqual(await messages(), [0n, 3]);
      await write(priced('SMa', usd(5_000_000), reply.turn));
      assert.deepEqual(await messages(), [5_000_000n, 2]);
    });

    test('is found also when its status comes before the reply', async () => {
      const { reply, left } = said(['One'], { via: 'response', sids: [] });
      await write(priced('SMa', usd(5_000_000), reply.turn));
      assert.deepEqual(await messages(), [5_000_000n, 0]);
      await write(reply, left);
      assert.deepEqual(await messages(), [5_000_000n, 0]);
      const [entry] = await ledger();
      assert.equal(entry?.turn_id, reply.turn);
    });

    test('has the newest price, in whatever order they come', async () => {
      const { reply, left } = said(['One'], { sids: ['SMa'] });
      const [early, late] = [priced('SMa', usd(5), undefined, TODAY), priced('SMa', usd(6), undefined, TODAY + 1)];
      await write(reply, left, late);
      await write(early);
      assert.deepEqual(await messages(), [6n, 0]);
      await write(late, early);
      assert.deepEqual(await messages(), [6n, 0]);
    });

    test('that the provider does not charge for costs nothing, and that is known', async () => {
      const { reply, left } = said(['One'], { sids: ['SMa'] });
      await write(reply, left, priced('SMa', { free: true, category: 'service' }));
      assert.deepEqual(await messages(), [0n, 0]);
      assert.equal((await ledger())[0]?.category, 'service');
    });

    test('that failed is not waited for, but has the price that the provider says', async () => {
      const { reply, left } = said(['One'], { sids: ['SMa'] });
      await write(reply, left, reported('SMa', 'failed', reply.turn));
      assert.deepEqual(await messages(), [0n, 0]);
      await write(priced('SMa', usd(1_000_000)));
      assert.deepEqual(await messages(), [1_000_000n, 0]);
    });

    test('a second time, because the first one failed, may cost twice', async () => {
      const { reply, left } = said(['One'], { sids: ['SMb'] });
      await write(reply, priced('SMa', usd(1_000_000), reply.turn), left, priced('SMb', usd(5_000_000), reply.turn));
      assert.deepEqual(await messages(), [6_000_000n, 0]);
    });

    test('counts for the day on which it was first heard of', async () => {
      const { reply, left } = said(['One'], { sids: ['SMa'], at: TODAY - DAY_MS });
      await write(reply, left, priced('SMa', usd(5_000_000), reply.turn, TODAY));
      const { days } = await report({ days: 2 });
      assert.deepEqual(
        days.map(({ purposes }) => purposes[0]?.sums[0]?.billionths ?? null),
        [5_000_000n, null],
      );
    });
  });

  describe('the operator’s price of a message', () => {
    const cost = { billionths: 5_000_000, currency: 'USD' };

    test('counts while the provider says nothing', async () => {
      prices = [{ channel: 'twilio', category: null, cost }];
      const { reply, left } = said(['One', 'Two'], { via: 'response', sids: [] });
      await write(reply, left);
      assert.deepEqual(await messages(), [10_000_000n, 0]);
      await write(priced('SMa', usd(9_000_000), reply.turn));
      assert.deepEqual(await messages(), [14_000_000n, 0], 'the provider’s word counts');
    });

    test('may depend on the category, the particular before the general', async () => {
      prices = [
        { channel: 'twilio', category: null, cost },
        { channel: 'twilio', category: 'utility', cost: { ...cost, billionths: 8_500_000 } },
        { channel: 'courier', category: null, cost: { ...cost, billionths: 1 } },
      ];
      const { reply, left } = said(['One'], { sids: ['SMa'] });
      await write(reply, left);
      assert.deepEqual(await messages(), [5_000_000n, 0]);
      await write(priced('SMa', { category: 'utility' }));
      assert.deepEqual(await messages(), [8_500_000n, 0]);
    });

    test('of that day stays, whatever the table says later', async () => {
      prices = [{ channel: 'twilio', category: null, cost }];
      const { reply, left } = said(['One'], { sids: ['SMa'] });
      await write(reply, left);
      prices = [{ channel: 'twilio', category: null, cost: { ...cost, billionths: 9 } }];
      await write(reported('SMa', 'read', reply.turn));
      assert.deepEqual(await messages(), [5_000_000n, 0]);
      prices = [];
      await write(reported('SMa', 'read', reply.turn));
      assert.deepEqual(await messages(), [5_000_000n, 0]);
      await write(reported('SMa', 'failed', reply.turn), priced('SMa', { free: true }));
      assert.deepEqual(await messages(), [0n, 0]);
    });

    test('is not taken for a message that failed', async () => {
      prices = [{ channel: 'twilio', category: null, cost }];
      const { reply, left } = said(['One'], { sids: ['SMa'] });
      await write(reply, left, reported('SMa', 'failed', reply.turn));
      assert.deepEqual(await messages(), [0n, 0]);
    });
  });

  describe('the report', () => {
    test('has every day, in the time zone that is asked for', async () => {
      const evening = Math.floor(TODAY / DAY_MS) * DAY_MS - 3_600_000; // yesterday, 23:00 UTC
      await write({
        type: 'models.used',
        conversation: CONVERSATION,
        turn: 't',
        at: evening,
        uses: [use({ at: evening })],
      });
      const spentOn = async (timeZone: string) =>
        (await report({ days: 3, timeZone })).days.filter(({ purposes }) => purposes.length > 0).map(({ day }) => day);
      const day = (at: number) => new Date(at).toISOString().slice(0, 10);
      assert.deepEqual(await spentOn('UTC'), [day(evening)]);
      assert.deepEqual((await report({ days: 3 })).total, {
        sums: [{ currency: 'USD', billionths: 1_200_000n }],
        entries: 1,
        unpriced: 0,
      });
      assert.deepEqual(await spentOn('Europe/Madrid'), [day(TODAY)]);
      assert.equal((await report({ days: 3 })).days.length, 3);
    });

    test('names the conversations that cost most, and may be of one alone', async () => {
      const turn = 't';
      const other = `twilio:14155238886:${OTHER}`;
      const elsewhere = `twilio:14155238887:${CONTACT}`;
      await write(
        received(),
        { type: 'models.used', conversation: CONVERSATION, turn, at: TODAY, uses: [use()] },
        { type: 'models.used', conversation: other, turn, at: TODAY, uses: [use(), use({ cost: null })] },
        { type: 'models.used', conversation: other, turn, at: TODAY, uses: [use()] },
        { type: 'models.used', conversation: elsewhere, turn, at: TODAY, uses: [use(), use(), use()] },
      );
      const { conversations } = await report();
      assert.deepEqual(
        conversations.map(({ phone, contactName, business, sums, unpriced }) => [
          phone,
          contactName,
          business,
          sums[0]?.billionths,
          unpriced,
        ]),
        [
          [PHONE, null, '14155238887', 3_600_000n, 0],
          [`+${OTHER}`, null, '14155238886', 2_400_000n, 1],
          [PHONE, 'Ana', '14155238886', 1_200_000n, 0],
        ],
      );
      const of = async (options: Parameters<typeof report>[0]) =>
        (await report(options)).purposes[0]?.sums[0]?.billionths;
      assert.equal(await of({ phone: CONTACT }), 4_800_000n);
      assert.equal(await of({ phone: PHONE, business: '+14155238887' }), 3_600_000n);
      assert.equal(await of({ phone: '447700900999' }), undefined);
    });

    test('keeps currencies apart, and what has no price out of the sums', async () => {
      const uses = [
        use({ cost: { billionths: 1, currency: 'USD' } }),
        use({ cost: { billionths: 2, currency: 'EUR' } }),
        use({ cost: null }),
      ];
      await write({ type: 'models.used', conversation: CONVERSATION, turn: 't', at: TODAY, uses });
      const [answers] = (await report()).purposes;
      assert.deepEqual(answers, {
        purpose: 'answer',
        sums: [
          { currency: 'EUR', billionths: 2n },
          { currency: 'USD', billionths: 1n },
        ],
        entries: 3,
        unpriced: 1,
      });
    });

    test('adds exactly what no number of JavaScript holds', async () => {
      const most = Number.MAX_SAFE_INTEGER;
      const uses = Array.from({ length: 3 }, () => use({ cost: { billionths: most, currency: 'USD' } }));
      await write({ type: 'models.used', conversation: CONVERSATION, turn: 't', at: TODAY, uses });
      assert.equal((await report()).purposes[0]?.sums[0]?.billionths, 3n * BigInt(most));
    });
  });

  describe('a month', () => {
    const spentAt = (at: number, cost: ModelUse['cost'] = { billionths: 1, currency: 'USD' }): Event => ({
      type: 'models.used',
      conversation: CONVERSATION,
      turn: 't',
      at,
      uses: [use({ at, cost, model: cost ? 'gpt-5.4-mini' : 'llama3' })],
    });

    test('begins and ends at midnight of the time zone', async () => {
      const begin = Date.parse('2026-10-31T23:00:00Z');
      const end = Date.parse('2026-11-30T23:00:00Z');
      await write(spentAt(begin - 1), spentAt(begin), spentAt(end - 1), spentAt(end), spentAt(end));
      const { month } = createCosts(open());
      const entries = async (name: string, timeZone: string) => (await month(name, timeZone)).entries;
      assert.deepEqual([await entries('2026-10', 'Europe/Madrid'), await entries('2026-11', 'Europe/Madrid')], [1, 2]);
      assert.deepEqual([await entries('2026-12', 'Europe/Madrid'), await entries('2026-11', 'UTC')], [2, 3]);
    });

    test('names the models without a price', async () => {
      const at = Date.parse('2026-11-15T12:00:00Z');
      await write(spentAt(at, null), spentAt(at, null), spentAt(at));
      assert.deepEqual(await createCosts(open()).unpricedModels('2026-11', 'UTC'), ['llama3']);
      assert.deepEqual(await createCosts(open()).unpricedModels('2026-12', 'UTC'), []);
    });
  });

  describe('the price of a message is asked for', () => {
    const due = (sid: string) =>
      query(
        open(),
        `update whatsapp_deliveries set price_due_at = now() - interval '1 second' where sid = '${sid}' and price_due_at is not null`,
      );
    const take = (channels = ['twilio']) => createPricesDue(open()).take(10, channels);

    test('two minutes after it was sent, and later and later, for two days', async () => {
      const sid = newSid();
      const { reply, left } = said(['One'], { sids: [sid] });
      await write(reply, left);
      assert.deepEqual(await take(), [], 'not at once');
      const waits: unknown[] = [];
      for (let asks = 0; asks < 6; asks++) {
        await due(sid);
        assert.deepEqual(await take(), [{ channel: 'twilio', sid }]);
        const [row] = await query(
          open(),
          'select round(extract(epoch from price_due_at - now()) / 60) as minutes from whatsapp_deliveries',
        );
        waits.push(row?.minutes);
      }
      assert.deepEqual(waits, [10, 60, 360, 1_080, 1_440, null]);
      await due(sid);
      assert.deepEqual(await take(), []);
    });

    test('no more once the provider has said it', async () => {
      const sid = newSid();
      const { reply, left } = said(['One'], { sids: [sid] });
      await write(reply, left, priced(sid, usd(1)));
      await due(sid);
      assert.deepEqual(await take(), []);
      await write(priced('SMalone', usd(1)));
      await due('SMalone');
      assert.deepEqual(await take(), []);
    });

    test('of a channel alone that can be asked', async () => {
      const sid = newSid();
      const { reply, left } = said(['One'], { sids: [sid] });
      await write(reply, left);
      await due(sid);
      assert.deepEqual(await take([]), []);
      await due(sid);
      assert.deepEqual(await take(), [], 'it is not due any more');
    });
  });
}
