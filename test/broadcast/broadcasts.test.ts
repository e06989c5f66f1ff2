/** Bulk messages over the whole program: doubles of Meta and Twilio, a real Redis and a real archive. */
import assert from 'node:assert/strict';
import { after, afterEach, before, describe, test } from 'node:test';
import { createDatabase, type Database } from '../../app/archive/engine/database.ts';
import { createDeskWriter } from '../../app/archive/write/desk.ts';
import { query, quiet } from '../archive/engines.ts';
import { type MetaDouble, startMetaDouble, type TakenMessage } from '../doubles/meta.ts';
import { allRecorded, type Bot, type Doubles, eventually, NO_ARCHIVE, startBot, startDoubles } from '../support/bot.ts';
import { ACCESS_TOKEN, ACCOUNT_ID, batchOf, metaSettings, metaStatus, NUMBERS, postBatch } from '../support/meta.ts';
import { createTestDatabase } from '../support/postgres.ts';
import { META_TEMPLATES, TABLE_BOOKED_SID, TWILIO_TEMPLATES } from '../support/templates.ts';

const KEY = 'a-key-of-a-test-0123456789abcdef';

let doubles: Doubles;
let meta: MetaDouble;
let database: Database;
let bot: Bot;
let people = 0;

before(async () => {
  [doubles, meta] = await Promise.all([
    startDoubles(),
    startMetaDouble({ accessToken: ACCESS_TOKEN, numbers: NUMBERS, accountId: ACCOUNT_ID }),
  ]);
  meta.templates.push(...META_TEMPLATES);
  doubles.twilio.templates.push(...TWILIO_TEMPLATES);
  const url = await createTestDatabase();
  database = createDatabase({ url, log: quiet });
  await database.migrate();
  bot = await startBot(doubles, settings({ DATABASE_URL: url }));
});

after(async () => {
  await bot.stop();
  await database.close();
  await Promise.all([doubles.stop(), meta.close()]);
});

afterEach(() => {
  meta.faults.length = 0;
  meta.faultOf = () => undefined;
  meta.onSent = () => {};
});

function settings(own: Record<string, string>): Record<string, string> {
  const bulk = { BULK_TEMPLATE: 'welcome:en', BULK_PER_SECOND: '500' };
  const number = { TWILIO_WHATSAPP_NUMBER: 'whatsapp:+14155238886' };
  return { ...metaSettings(meta.url), ...number, ANALYSIS: 'off', API_KEYS: KEY, ...bulk, ...own };
}

function newPeople(count: number): string[] {
  return Array.from({ length: count }, () => `155501${String(20_000 + people++)}`);
}

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what a program gets is JSON of any shape
  body: any;
}

async function ask(path: string, body?: unknown, { url = bot.url, headers = {} as Record<string, string> } = {}) {
  const isText = typeof body === 'string';
  const response = await fetch(url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { 'x-api-key': KEY, 'Content-Type': isText ? 'text/csv' : 'application/json', ...headers },
    ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() } as Answer;
}

async function start(body: unknown, search = ''): Promise<string> {
  const made = await ask(`/api/broadcasts${search}`, body);
  assert.equal(made.status, 200, JSON.stringify(made.body));
  return made.body.id;
}

async function progressOf(id: string) {
  return (await ask(`/api/broadcasts/${id}`)).body.broadcast;
}

async function ended(id: string, state = 'done') {
  await eventually(`the broadcast is ${state}`, async () => (await progressOf(id)).state === state);
  return progressOf(id);
}

const rowsOf = async (id: string, search = '') => (await ask(`/api/broadcasts/${id}/rows${search}`)).body.rows;
const sentTo = (to: string) => meta.sent.filter((message) => message.to === to);

describe('POST /initiate-bulk', () => {
  test('answers what the documented client expects, with the provider’s own body', async () => {
    const [ana = '', ben = ''] = newPeople(2);
    const { status, body } = await ask('/initiate-bulk', { numbers: [ana, `+${ben}`, 'nobody', '123'] });
    assert.equal(status, 200);
    const responseTo = (to: string) => ({
      messaging_product: 'whatsapp',
      contacts: [{ input: to, wa_id: to }],
      messages: [{ id: sentTo(to)[0]?.id }],
    });
    assert.deepEqual(body, {
      total: 4,
      successful: 2,
      failed: 2,
      results: [
        { number: ana, success: true, response: responseTo(ana) },
        { number: ben, success: true, response: responseTo(ben) },
        { number: 'nobody', success: false, error: 'Invalid phone number' },
        { number: '123', success: false, error: 'Invalid phone number' },
      ],
    });
    assert.deepEqual(sentTo(ana)[0]?.template?.name, 'welcome');
  });

  test('wants a key', async () => {
    const [ana = ''] = newPeople(1);
    const refused = await ask('/initiate-bulk', { numbers: [ana] }, { headers: { 'x-api-key': '' } });
    assert.equal(refused.status, 401);
    assert.deepEqual(sentTo(ana), []);
  });

  test('writes once to who is in the list twice, and not to who is blocked', async () => {
    const [ana = '', ben = ''] = newPeople(2);
    await ask('/initiate-bulk', { numbers: [ben] });
    await allRecorded(doubles.redis.client());
    assert.equal(
      (await ask('/api/whatsapp/conversation-status', { phone_number: ben, status: 'blocked' })).status,
      200,
    );
    const { body } = await ask('/initiate-bulk', { numbers: [ana, `+${ana}`, ben] });
    assert.deepEqual([body.total, body.successful, sentTo(ana).length, sentTo(ben).length], [3, 2, 1, 1]);
    assert.deepEqual(body.results[0], body.results[1]);
    assert.match(body.results[2].error, /blocked/);
  });

  test('says what the provider said of one number', async () => {
    const [ana = '', ben = ''] = newPeople(2);
    meta.faultOf = (to) => (to === ana ? { kind: 'status', status: 400, code: 131_026 } : undefined);
    const { body } = await ask('/initiate-bulk', { numbers: [ana, ben] });
    assert.deepEqual([body.successful, body.failed], [1, 1]);
    assert.match(body.results[0].error, /not on WhatsApp/);
  });

  test('takes a template and its variables, Twilio’s too', async () => {
    const [ana = '', ben = ''] = newPeople(2);
    const variables = { '1': 'Ana', '2': '1 May' };
    await ask('/initiate-bulk', { numbers: [ana], template: 'table_booked:en', variables });
    assert.equal(sentTo(ana)[0]?.template?.name, 'table_booked');
    const { body } = await ask('/initiate-bulk', { numbers: [ben], template: TABLE_BOOKED_SID, variables });
    assert.equal(body.successful, 1, JSON.stringify(body));
    assert.match(body.results[0].response.sid, /^SM/);
  });

  test('takes no more than 100, and names the way for more', async () => {
    const { status, body } = await ask('/initiate-bulk', { numbers: newPeople(101) });
    assert.equal(status, 413);
    assert.match(body.error, /POST \/api\/broadcasts/);
  });

  test('writes to nobody whose opt-out nobody can look up, and without a template says what to set', async () => {
    const own = settings({ DATABASE_URL: NO_ARCHIVE, BULK_TEMPLATE: '' });
    const another = await startBot(doubles, own);
    try {
      const [ana = ''] = newPeople(1);
      const refused = await ask('/initiate-bulk', { numbers: [ana] }, another);
      assert.equal(refused.status, 422);
      assert.match(refused.body.error, /BULK_TEMPLATE/);
      const { body } = await ask('/initiate-bulk', { numbers: [ana], template: 'welcome:en' }, another);
      assert.deepEqual([body.total, body.successful], [1, 0]);
      assert.match(body.results[0].error, /archive/);
      assert.equal(sentTo(ana).length, 0);
    } finally {
      await another.stop();
    }
  });
});

describe('a broadcast', () => {
  test('sends to each once, and each row tells what became of its message', async () => {
    const [ana = '', ben = '', cleo = '', dora = ''] = newPeople(4);
    meta.faultOf = (to) => (to === dora ? { kind: 'status', status: 400, code: 131_049 } : undefined);
    const id = await start({ numbers: [ana, ben, cleo, dora, `+${ana}`, 'nobody'], name: 'May' });
    const { counts, total, skipped_reasons } = await ended(id);
    assert.equal(total, 6);
    assert.deepEqual([counts.sent, counts.failed, counts.skipped], [3, 1, 2]);
    assert.deepEqual(skipped_reasons, { double: 1, invalid: 1 });
    await report(ana, 'read');
    await report(ben, 'failed', { errors: [{ code: 131_026 }] });
    await allRecorded(doubles.redis.client());
    const rows = await rowsOf(id);
    assert.deepEqual(
      rows.map(({ number, state }: { number: string; state: string }) => [number, state]),
      [
        [ana, 'read'],
        [ben, 'failed'],
        [cleo, 'sent'],
        [dora, 'failed'],
        [ana, 'skipped'],
        ['nobody', 'skipped'],
      ],
    );
    assert.match(rows[1].note, /not on WhatsApp/);
    assert.match(rows[3].note, /24 hours/);
    assert.equal(rows[0].message_sid, sentTo(ana)[0]?.id);
    assert.deepEqual(await numbersIn(await rowsOf(id, '?state=failed')), [ben, dora]);
    assert.deepEqual(await numbersIn(await rowsOf(id, '?limit=2&cursor=2')), [cleo, dora]);
    const thread = await ask(`/api/whatsapp/conversation/${cleo}`);
    assert.match(thread.body.messages[0].message_body, /Welcome!/);
  });

  test('does not go to somebody to whom WhatsApp has held marketing back within a day', async () => {
    const [ana = '', ben = ''] = newPeople(2);
    await ended(await start({ numbers: [ana, ben] }));
    await report(ana, 'failed', { errors: [{ code: 131_049 }] });
    await report(ben, 'failed', { errors: [{ code: 131_026 }] });
    await allRecorded(doubles.redis.client());
    const { skipped_reasons, counts } = await ended(await start({ numbers: [ana, ben] }));
    assert.deepEqual([skipped_reasons, counts.sent], [{ held: 1 }, 1]);
    const other = { numbers: [ana], template: 'table_booked:en', variables: { '1': 'Ana', '2': 'May' } };
    assert.equal((await ended(await start(other))).counts.sent, 1, 'it is about marketing alone');
  });

  test('comes as CSV, with values of its own for each', async () => {
    const [ana = '', ben = '', cleo = ''] = newPeople(3);
    const csv = `phone;1;2\r\n+${ana};Ana;1 May\r\n${ben};"Ben; junior";2 May\r\n${cleo};Cleo;\r\n`;
    const id = await start(csv, '?template=table_booked:en&name=Tables');
    const { counts, name } = await ended(id);
    assert.deepEqual([name, counts.sent, counts.skipped], ['Tables', 2, 1]);
    assert.match(JSON.stringify(sentTo(ben)[0]?.template), /Ben; junior.*2 May/);
    assert.equal((await rowsOf(id))[2].note, 'No value for 2.');
    const exported = await fetch(`${bot.url}/api/broadcasts/${id}/export.csv`, { headers: { 'x-api-key': KEY } });
    assert.match(exported.headers.get('content-type') ?? '', /^text\/csv/);
    const lines = (await exported.text()).split('\r\n');
    assert.match(lines[0] ?? '', /^position,number,state,/);
    assert.match(lines[1] ?? '', new RegExp(`^1,${ana},(sent|delivered),`));
    assert.equal(lines.length, 5);
  });

  test('of 20,000 rows is taken in one upload; more than 10 MB is refused', async () => {
    const csv = `number\n${newPeople(20_000).join('\n')}`;
    const { body } = await ask('/api/broadcasts?dry_run=true', csv);
    assert.deepEqual([body.total, body.counts.waiting], [20_000, 20_000]);
    const large = await ask('/api/broadcasts?dry_run=true', `number\n${'1'.repeat(10 * 1024 * 1024)}`);
    assert.equal(large.status, 413);
    assert.match(large.body.error, /10 MB/);
  });

  test('is tried out without anything being stored or sent', async () => {
    const [ana = ''] = newPeople(1);
    const before = await query(database, 'select count(*) as count from broadcasts');
    const { status, body } = await ask('/api/broadcasts', { numbers: [ana, 'nobody'], dry_run: true });
    assert.equal(status, 200);
    assert.deepEqual([body.id, body.state, body.total, body.counts.waiting], [null, 'dry_run', 2, 1]);
    assert.deepEqual(body.skipped_rows[0].reason, 'invalid');
    assert.equal(body.estimated_cost, null);
    assert.deepEqual(await query(database, 'select count(*) as count from broadcasts'), before);
    assert.deepEqual(sentTo(ana), []);
  });

  test('is refused with a sentence when its template, a variable, the number of ours, the time or the list is wrong', async () => {
    const numbers = newPeople(1);
    const refused = async (body: unknown, status: number, words: RegExp, search = '') => {
      const answer = await ask(`/api/broadcasts${search}`, body);
      assert.equal(answer.status, status, JSON.stringify(answer.body));
      assert.match(answer.body.error, words);
    };
    await refused({ numbers, template: 'nothing:en' }, 422, /no template nothing:en/);
    await refused({ numbers, template: 'offer:en' }, 422, /paused/);
    await refused(
      `number,city\n${numbers[0]},Leeds`,
      422,
      /no variable city. It has: 1, 2/,
      '?template=table_booked:en',
    );
    await refused({ numbers, business_number: '+15550100999' }, 400, /none of our numbers/);
    await refused({ numbers, schedule_at: 'tomorrow' }, 400, /schedule_at/);
    await refused({ numbers: [] }, 400, /empty/);
    await refused({}, 400, /numbers or rows/);
    await refused('name\nAna', 400, /first line/);
    await refused({ numbers, template: 'no name' }, 400, /template/);
    const xml = await ask('/api/broadcasts', '<a/>', { headers: { 'Content-Type': 'text/xml' } });
    assert.equal(xml.status, 415);
  });

  test('waits for its time, is paused, resumed and cancelled', async () => {
    const [ana = '', ben = ''] = newPeople(2);
    const at = new Date(Date.now() + 86_400_000).toISOString();
    const id = await start({ numbers: [ana, ben], schedule_at: at });
    const scheduled = await progressOf(id);
    assert.deepEqual([scheduled.state, scheduled.waits_for, scheduled.starts_at], ['scheduled', 'schedule', at]);
    const step = async (name: string) => (await ask(`/api/broadcasts/${id}/${name}`, {})).body.broadcast?.state;
    assert.equal(await step('pause'), 'paused');
    assert.equal(await step('resume'), 'scheduled');
    assert.equal(await step('cancel'), 'cancelled');
    const again = await ask(`/api/broadcasts/${id}/resume`, {});
    assert.equal(again.status, 400);
    assert.match(again.body.error, /is cancelled/);
    assert.deepEqual((await progressOf(id)).counts.skipped, 2);
    assert.deepEqual([sentTo(ana), sentTo(ben)], [[], []]);
    assert.equal((await ask('/api/broadcasts/00000000-0000-4000-8000-000000000000')).status, 404);
  });

  test('stops by itself when the account is at fault, says so, and goes on when it is told to', async () => {
    const numbers = newPeople(30);
    meta.faultOf = () => ({ kind: 'status', status: 401, code: 190 });
    const id = await start({ numbers, name: 'Stopping' });
    const stopped = await ended(id, 'stopped');
    assert.equal(stopped.reason_code, 'channel.credentials');
    assert.match(stopped.reason, /ACCESS_TOKEN/);
    await eventually('what was being sent waits again', async () => (await progressOf(id)).counts.sending === 0);
    assert.deepEqual((await progressOf(id)).counts.waiting, 30);
    const notices = (await ask('/api/whatsapp/notices')).body.items;
    assert.ok(
      notices.some(({ text }: { text: string }) => /Stopping.*stopped/.test(text)),
      JSON.stringify(notices),
    );
    meta.faultOf = () => undefined;
    await ask(`/api/broadcasts/${id}/resume`, {});
    assert.equal((await ended(id)).counts.sent, 30);
    assert.ok(numbers.every((to) => sentTo(to).length === 1));
  });

  test('stops when the provider has paused its template', async () => {
    meta.faultOf = () => ({ kind: 'status', status: 400, code: 132_015 });
    const id = await start({ numbers: newPeople(3) });
    const stopped = await ended(id, 'stopped');
    assert.equal(stopped.reason_code, 'channel.template');
    assert.match(stopped.reason, /paused/);
    await ask(`/api/broadcasts/${id}/cancel`, {});
  });

  test('stops when message after message is refused alike', async () => {
    meta.faultOf = () => ({ kind: 'status', status: 400, code: 131_009 });
    const id = await start({ numbers: newPeople(200) });
    const stopped = await ended(id, 'stopped');
    assert.match(stopped.reason, /failed alike/);
    assert.ok(stopped.counts.failed < 150, JSON.stringify(stopped.counts));
    await ask(`/api/broadcasts/${id}/cancel`, {});
  });

  test('says of a message whose sending nobody can tell that it is uncertain, unless a report tells', async () => {
    const [ana = '', ben = ''] = newPeople(2);
    meta.faultOf = (to) => (to === ana ? { kind: 'reset', done: true } : undefined);
    meta.onSent = (message) => {
      if (message.to === ana) void postBatch(bot.url, batchOf({ statuses: [metaStatus(message, 'sent')] }));
    };
    const id = await start({ numbers: [ana, ben] });
    assert.equal((await ended(id)).counts.sent, 2);
    assert.equal(sentTo(ana).length, 1);
  });
});

describe('consent', () => {
  test('is asked for where that is set; who opted out gets nothing', async () => {
    const [ana = '', ben = '', cleo = ''] = newPeople(3);
    const writer = createDeskWriter(database);
    await writer.consent(ana, { consent: 'opt-in', source: 'a form', cause: 'desk' }, Date.now());
    await writer.consent(cleo, { consent: 'opt-out', source: 'told us', cause: 'desk' }, Date.now());
    const url = await createUrl();
    const strict = await startBot(doubles, settings({ DATABASE_URL: url, BULK_REQUIRES_OPT_IN: 'true' }));
    try {
      const { body } = await ask('/api/broadcasts', { numbers: [ana, ben, cleo], dry_run: true }, strict);
      assert.deepEqual([body.counts.waiting, body.skipped_reasons], [1, { no_opt_in: 1, opted_out: 1 }]);
      const initiated = await ask('/initiate-bulk', { numbers: [ana, ben] }, strict);
      assert.deepEqual([initiated.body.successful, initiated.body.failed], [1, 1]);
      assert.match(initiated.body.results[1].error, /no record/);
    } finally {
      await strict.stop();
    }
  });
});

/** Of the archive that the bot has. */
async function createUrl(): Promise<string> {
  const [row] = await query(database, 'select current_database() as name, inet_server_port() as port');
  return `postgres://recado@127.0.0.1:${row?.port}/${row?.name}`;
}

async function report(to: string, status: string, overrides: Record<string, unknown> = {}): Promise<void> {
  const message: TakenMessage = sentTo(to)[0] ?? assert.fail(`nothing was sent to ${to}`);
  await postBatch(bot.url, batchOf({ statuses: [metaStatus(message, status, overrides)] }));
}

function numbersIn(rows: { number: string }[]): string[] {
  return rows.map(({ number }) => number);
}
