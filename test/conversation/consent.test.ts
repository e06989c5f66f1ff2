/** STOP and START: after one confirmation nothing goes out by any path until they agree again, and the ledger has every word of it. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import fc from 'fast-check';
import { sql } from 'kysely';
import { createDatabase, type Database } from '../../app/archive/engine/database.ts';
import { createConsents } from '../../app/archive/read/consents.ts';
import { DEFAULT_START_REPLY, DEFAULT_STOP_REPLY } from '../../app/config.ts';
import { allRecorded, type Bot, type Doubles, eventually, startBot, startDoubles } from '../support/bot.ts';
import { createTestDatabase } from '../support/postgres.ts';

const NUMBERS = ['14155238886', '447700900001'] as const;
const KEY = 'a-key-of-a-test-0123456789abcdef';
const STOP = DEFAULT_STOP_REPLY.replace('{business_name}', 'Bakery Aurora');
const START = DEFAULT_START_REPLY.replace('{business_name}', 'Bakery Aurora');

let doubles: Doubles;
let database: Database;
let databaseUrl: string;
let bots: [Bot, Bot];
let people = 0;

before(async () => {
  doubles = await startDoubles();
  for (const one of NUMBERS) doubles.twilio.senders.add(`whatsapp:+${one}`);
  databaseUrl = await createTestDatabase();
  database = createDatabase({
    url: databaseUrl,
    log: { debug() {}, info() {}, warn() {}, error() {}, child: () => assert.fail() },
  });
  await database.migrate();
  const settings = { DATABASE_URL: databaseUrl, API_KEYS: KEY, ANALYSIS: 'off' };
  bots = [await startBot(doubles, settings), await startBot(doubles, settings)];
});

after(async () => {
  for (const bot of bots) await bot.stop();
  await database.close();
  await doubles.stop();
});

let phone: string;
beforeEach(() => {
  phone = newPhone();
});

function newPhone(): string {
  return `155501${String(20_000 + people++).slice(-5)}`;
}

describe('STOP', () => {
  test('is confirmed once, and then nothing goes out; what they write is kept', async () => {
    await bots[0].say(phone, 'Do you have bread?');
    assert.deepEqual((await bots[0].say(phone, 'Stop!')).texts, [STOP]);
    assert.deepEqual((await bots[1].say(phone, 'STOP')).texts, [], 'no second confirmation');
    assert.deepEqual((await bots[1].say(phone, 'Are you there?')).texts, []);
    await allRecorded(doubles.redis.client());
    const { body } = await ask(bots[0], 'GET', `conversation/${phone}`);
    assert.ok(body.conversation.opted_out_at, 'the inbox shows it');
    assert.ok(body.messages.some((message: { message_body: string }) => message.message_body === 'Are you there?'));
    assert.deepEqual((await bots[0].say(phone, 'START')).texts, [START]);
    const again = await bots[0].say(phone, 'Do you have bread now?');
    assert.equal(again.texts.length, 1);
    await allRecorded(doubles.redis.client());
    assert.equal((await ask(bots[0], 'GET', `conversation/${phone}`)).body.conversation.opted_out_at, null);
  });

  test('while the model works: its answer is not sent', async () => {
    doubles.model.delayMs = 500;
    const asked = bots[0].say(phone, 'A long question');
    await eventually('the model works', async () => (await doubles.redis.client().exists(key('lease'))) === 1);
    doubles.twilio.sent.length = 0;
    const stopped = await bots[1].say(phone, 'STOP');
    doubles.model.delayMs = 0;
    assert.deepEqual([...(await asked).texts, ...stopped.texts], []);
    await allRecorded(doubles.redis.client());
    assert.deepEqual(sentTo(phone), [STOP], 'confirmed once, by a call');
  });

  test('while sending is tried again: the answer is not sent any more', async () => {
    const caller = await startBot(doubles, { TWIML_DEADLINE_MS: '0', DATABASE_URL: databaseUrl });
    doubles.twilio.faults.push({ kind: 'rate-limited', on: 'create' });
    await caller.say(phone, 'A question');
    await eventually('it is refused once', async () => doubles.twilio.faults.length === 0);
    await bots[0].say(phone, 'STOP');
    await allRecorded(doubles.redis.client());
    await caller.stop();
    assert.deepEqual(sentTo(phone), [STOP]);
    const { items } = await letters();
    assert.ok(items.some(({ phone_number, code }) => phone_number === `+${phone}` && code === 'channel.opted_out'));
  });

  test('between the parts of a long answer: the rest is not sent', async () => {
    const caller = await startBot(doubles, { TWIML_DEADLINE_MS: '0', DATABASE_URL: databaseUrl });
    doubles.model.queue.push('word '.repeat(700));
    doubles.twilio.faults.push({ kind: 'delay', ms: 400, on: 'create' });
    const asked = caller.say(phone, 'Tell me everything');
    await eventually('the first part is under way', () => doubles.twilio.faults.length === 0);
    await bots[0].say(phone, 'STOP');
    await asked;
    await allRecorded(doubles.redis.client());
    await caller.stop();
    assert.deepEqual(
      sentTo(phone).map((body) => body.slice(0, 4)),
      ['word', STOP.slice(0, 4)],
    );
  });

  test('while somebody of the team writes: nothing is sent that was not sent before', async () => {
    await bots[0].say(phone, 'Hello');
    await allRecorded(doubles.redis.client());
    const redis = doubles.redis.client();
    const [sent] = await Promise.all([
      ask(bots[0], 'POST', 'send', { to_number: phone, message: 'A word' }),
      redis.hset(key('state'), 'optedOut', Date.now()),
    ]);
    assert.ok([200, 422].includes(sent.status));
    const again = await ask(bots[0], 'POST', 'send', { to_number: phone, message: 'Another word' });
    assert.equal(again.status, 422);
    assert.ok(!sentTo(phone).includes('Another word'));
  });

  test('takes effect for the desk, too, unless somebody says so explicitly', async () => {
    await bots[0].say(phone, 'Hello');
    await bots[0].say(phone, 'STOP');
    await allRecorded(doubles.redis.client());
    const refused = await ask(bots[0], 'POST', 'send', { to_number: phone, message: 'A word' });
    assert.deepEqual([refused.status, refused.body.code], [422, 'channel.opted_out']);
    const sent = await ask(bots[0], 'POST', 'send', {
      to_number: phone,
      message: 'Your order is ready',
      despite_opt_out: true,
    });
    assert.equal(sent.status, 200);
    assert.deepEqual(sentTo(phone), ['Your order is ready']);
  });

  test('goes on when Redis has lost everything: the archive knows it', async () => {
    await bots[0].say(phone, 'Hello');
    await bots[0].say(phone, 'STOP');
    await allRecorded(doubles.redis.client());
    await doubles.redis.client().flushall();
    assert.deepEqual((await bots[1].say(phone, 'Hello again')).texts, []);
    await allRecorded(doubles.redis.client());
    assert.deepEqual((await bots[1].say(phone, 'START')).texts, [START]);
  });

  test('said again when Redis has lost everything is not confirmed again, at once or later', async () => {
    await bots[0].say(phone, 'Hello');
    assert.deepEqual((await bots[0].say(phone, 'STOP')).texts, [STOP]);
    for (const bot of bots) {
      await allRecorded(doubles.redis.client());
      await doubles.redis.client().flushall();
      assert.deepEqual((await bot.say(phone, 'STOP')).texts, []);
      assert.deepEqual((await bot.say(phone, 'Hello again')).texts, []);
    }
    assert.deepEqual((await bots[0].say(phone, 'START')).texts, [START]);
    assert.deepEqual((await bots[0].say(phone, 'STOP')).texts, [STOP]);
  });

  test('said again from an address that Redis knows no more is not confirmed again', async () => {
    await bots[0].say(phone, 'Hello');
    assert.deepEqual((await bots[0].say(phone, 'STOP')).texts, [STOP]);
    await allRecorded(doubles.redis.client());
    const aliases = await doubles.redis.client().keys('*:alias');
    assert.ok(aliases.length > 0);
    await doubles.redis.client().del(aliases);
    doubles.twilio.sent.length = 0;
    const { texts } = await bots[1].say(phone, 'STOP', { From: `whatsapp:US.id${phone}`, WaId: '' });
    await allRecorded(doubles.redis.client());
    assert.deepEqual([...texts, ...doubles.twilio.sent], []);
  });

  test('of a person who then agrees while Redis is new counts as agreed, whatever the archive said before', async () => {
    await bots[0].say(phone, 'Hello');
    await bots[0].say(phone, 'STOP');
    await allRecorded(doubles.redis.client());
    await doubles.redis.client().flushall();
    assert.equal((await bots[1].say(phone, 'START')).texts.length, 1);
    assert.equal((await bots[1].say(phone, 'Hello again')).texts.length, 1);
  });

  test('that Twilio answered itself is recorded, and not answered again', async () => {
    const optOut = (OptOutType: string, body: string) => bots[0].say(phone, body, { OptOutType });
    await bots[0].say(phone, 'Hello');
    assert.deepEqual((await optOut('STOP', 'quiero salir')).texts, []);
    assert.deepEqual((await bots[0].say(phone, 'Hello')).texts, []);
    assert.deepEqual((await optOut('HELP', 'HELP')).texts, []);
    assert.deepEqual((await optOut('START', 'volver')).texts, []);
    assert.equal((await bots[0].say(phone, 'Hello')).texts.length, 1);
    await allRecorded(doubles.redis.client());
    const ledger = await createConsents(database).of(phone);
    assert.deepEqual(
      ledger.map(({ consent, cause, source }) => [consent, cause, source]),
      [
        ['opt-in', 'provider', 'volver'],
        ['opt-out', 'provider', 'quiero salir'],
      ],
    );
  });

  test('does not expire with the memory', async () => {
    await bots[0].say(phone, 'STOP');
    await allRecorded(doubles.redis.client());
    assert.equal(await doubles.redis.client().pttl(key('state')), -1);
    await bots[0].say(phone, 'START');
    await allRecorded(doubles.redis.client());
    assert.ok((await doubles.redis.client().pttl(key('state'))) > 0);
  });
});

describe('the ledger', () => {
  test('has every word with its time, and is never changed', async () => {
    for (const word of ['STOP', 'START', 'STOP']) await bots[0].say(phone, word);
    await allRecorded(doubles.redis.client());
    const ledger = await createConsents(database).of(phone);
    assert.deepEqual(
      ledger.map(({ consent, cause, source }) => [consent, cause, source]),
      [
        ['opt-out', 'word', 'STOP'],
        ['opt-in', 'word', 'START'],
        ['opt-out', 'word', 'STOP'],
      ],
    );
    assert.ok(ledger.every(({ at }) => Math.abs(at - Date.now()) < 600_000));
    await assert.rejects(
      database.run((db) => sql`update whatsapp_consents set source = 'nothing'`.execute(db)),
      /never changed/,
    );
  });

  test('takes what the team or a program knows, also before they have written', async () => {
    const given = { phone_number: phone, consent: 'opt-in', source: 'form on our page' };
    assert.equal((await ask(bots[0], 'POST', 'consent', given)).status, 200);
    assert.deepEqual((await ask(bots[0], 'POST', 'consent', { ...given, source: ' ' })).status, 400);
    const out = { phone_number: phone, consent: 'opt-out', source: 'told us by telephone' };
    await ask(bots[1], 'POST', 'consent', out);
    assert.deepEqual((await bots[0].say(phone, 'Hello')).texts, []);
    const { body } = await ask(bots[0], 'GET', `consent/${phone}`);
    assert.deepEqual(
      body.consents.map(({ consent, cause, source }: Record<string, string>) => [consent, cause, source]),
      [
        ['opt-out', 'api', 'told us by telephone'],
        ['opt-in', 'api', 'form on our page'],
      ],
    );
    await ask(bots[0], 'POST', 'consent', { ...given, source: 'signed today' });
    assert.equal((await bots[0].say(phone, 'Hello')).texts.length, 1);
  });
});

type Step =
  | { kind: 'write' | 'stop' | 'start'; bot: number; number: number; waits: boolean }
  | { kind: 'desk'; bot: number; despite: boolean }
  | { kind: 'crash' | 'replay' | 'refuse' | 'lose Redis' };

const step: fc.Arbitrary<Step> = fc.oneof(
  ...(['write', 'write', 'stop', 'start'] as const).map((kind) =>
    fc.record({ kind: fc.constant(kind), bot: fc.nat(1), number: fc.nat(1), waits: fc.boolean() }),
  ),
  fc.record({ kind: fc.constant('desk' as const), bot: fc.nat(1), despite: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('crash' as const, 'replay' as const, 'refuse' as const) }),
  fc.record({ kind: fc.constant('lose Redis' as const) }),
);

test('after STOP nothing goes out by any path until START, in every order', { timeout: 240_000 }, async () => {
  doubles.model.delayMs = 30;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 16 }), async (steps) => {
      phone = newPhone();
      const scene = new Scene();
      // Every run has an answer on its way when they write STOP.
      const all: Step[] = [
        { kind: 'write', bot: 0, number: 0, waits: false },
        { kind: 'stop', bot: 1, number: 0, waits: true },
        ...steps,
      ];
      for (const [i, one] of all.entries()) await scene.run(one, `text ${i} of ${phone}`);
      await scene.check();
    }),
    { numRuns: 12, endOnFailure: true },
  );
  doubles.model.delayMs = 0;
});

/** What happens to one person, and what may have been sent to them. */
class Scene {
  private readonly underWay: Promise<unknown>[] = [];
  private readonly despite: string[] = [];
  /** Since when they have opted out, for certain, unix ms; null when that is not certain. */
  private outSince: number | null = null;

  async run(one: Step, text: string): Promise<void> {
    switch (one.kind) {
      case 'write':
      case 'stop':
      case 'start':
        return this.write(one, { write: text, stop: 'STOP', start: 'START' }[one.kind]);
      case 'desk':
        return this.desk(one, text);
      case 'crash':
        return leaveReply(text);
      case 'replay':
        for (const { id } of (await letters()).items) await ask(bots[0], 'POST', `dead-letters/${id}/replay`);
        return;
      case 'refuse':
        // What is sent by a call next is refused for good, and becomes a dead letter.
        doubles.twilio.faults.push({ kind: 'status', status: 400, code: 63016, on: 'create' });
        return;
      case 'lose Redis':
        await this.check();
        await doubles.redis.client().flushall();
    }
  }

  private async write({ kind, bot, number, waits }: Extract<Step, { bot: number; number: number }>, body: string) {
    if (kind === 'start') this.endOfSilence();
    const To = `whatsapp:+${NUMBERS[number]}`;
    const said = (bots[bot] ?? bots[0]).say(phone, body, { To });
    if (!waits && kind === 'write') {
      this.underWay.push(said);
      return;
    }
    const { texts } = await said;
    if (kind === 'stop') {
      assert.deepEqual(
        texts.filter((words) => words !== STOP),
        [],
      );
      this.outSince ??= Date.now();
    } else if (this.outSince !== null) assert.deepEqual(texts, [], 'nothing is answered after STOP');
  }

  private async desk({ bot, despite }: Extract<Step, { kind: 'desk' }>, message: string) {
    const body = { to_number: phone, message, despite_opt_out: despite };
    if (despite) this.despite.push(message);
    const { status } = await ask(bots[bot] ?? bots[0], 'POST', 'send', body);
    if (this.outSince !== null && !despite) assert.ok([409, 422].includes(status), `the desk got ${status}`);
  }

  /** From here on answers are allowed: what was sent until now is looked at. */
  private endOfSilence(): void {
    if (this.outSince === null) return;
    const from = this.outSince;
    this.outSince = null;
    const sent = doubles.twilio.sent.filter(({ to, createdAt }) => to === `whatsapp:+${phone}` && createdAt > from);
    const forbidden = sent.map(({ body }) => body).filter((body) => body !== STOP && !this.despite.includes(body));
    assert.deepEqual(forbidden, [], 'sent by a call after STOP');
  }

  /** When all is quiet: the events say in which order things became final. */
  async check(): Promise<void> {
    await Promise.all(this.underWay);
    await allRecorded(doubles.redis.client());
    const since = this.outSince;
    this.endOfSilence();
    this.outSince = since;
    let isOut = false;
    let confirmations = 0;
    for (const [, [, json]] of await doubles.redis.client().xrange('recado:{0}:events', '-', '+')) {
      const event = JSON.parse(json ?? '');
      if (!JSON.stringify(event).includes(phone)) continue;
      if (event.message?.consent === 'opt-out' && !isOut) {
        isOut = true;
        confirmations++;
      }
      if (event.message?.consent === 'opt-in') isOut = false;
      const parts: string[] = event.type === 'reply.made' && isOut ? (event.reply?.parts ?? []) : [];
      confirmations -= parts.length;
      assert.deepEqual(parts, parts.length > 0 ? [STOP] : [], 'made final after STOP');
      assert.ok(confirmations >= 0, 'confirmed once');
    }
  }
}

/** As a process leaves it that ends between making a reply final and sending it. */
async function leaveReply(text: string): Promise<void> {
  await allRecorded(doubles.redis.client());
  const conversation = `twilio:14155238886:${phone}`;
  const reply = { id: text, conversation, to: phone, parts: JSON.stringify([text]), via: 'call', at: Date.now() };
  await doubles.redis.client().multi().hset(key('reply'), reply).zadd('recado:{0}:due', Date.now(), phone).exec();
}

function letters(): Promise<{ items: { id: string; phone_number: string; code: string }[] }> {
  return ask(bots[0], 'GET', 'dead-letters?limit=200').then(({ body }) => ({ items: body.dead_letters }));
}

function key(part: string): string {
  return `recado:{0}:c:${phone}:${part}`;
}

function sentTo(to: string): string[] {
  return doubles.twilio.sent.filter((message) => message.to === `whatsapp:+${to}`).map(({ body }) => body);
}

// biome-ignore lint/suspicious/noExplicitAny: the bodies are checked by what the tests compare.
async function ask(bot: Bot, method: string, path: string, body?: object): Promise<{ status: number; body: any }> {
  const response = await fetch(`${bot.url}/api/whatsapp/${path}`, {
    method,
    headers: { 'Content-Type': 'application/json', 'x-api-key': KEY },
    ...(body && { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}
