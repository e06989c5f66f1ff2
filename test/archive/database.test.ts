import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Migrator, sql } from 'kysely';
import { createDatabase } from '../../app/archive/engine/database.ts';
import { MIGRATIONS } from '../../app/archive/engine/migrations/list.ts';
import { isOutage } from '../../app/archive/engine/outage.ts';
import { withSsl } from '../../app/archive/engine/postgres.ts';
import { createConversations } from '../../app/archive/read/conversations.ts';
import { createMessages } from '../../app/archive/read/messages.ts';
import { record } from '../../app/archive/write/record.ts';

import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { query, quiet } from './engines.ts';
import { delivery, made, PHONE, received, sent } from './events.ts';

describe('PostgreSQL', () => {
  let server: TestPostgres;
  before(async () => {
    server = await startTestPostgres();
  });
  after(() => server.stop());

  test('is migrated once when several processes start at the same time', async () => {
    const url = await server.createDatabase();
    const processes = Array.from({ length: 6 }, () => createDatabase({ url, log: quiet }));
    await Promise.all(processes.map((database) => database.migrate()));
    const [database] = processes;
    assert.ok(database);
    assert.deepEqual(await query(database, 'select name from kysely_migration'), [
      { name: '0001-start' },
      { name: '0002-referral' },
      { name: '0003-protect' },
      { name: '0004-search' },
      { name: '0005-failed-analyses' },
      { name: '0006-analytics' },
      { name: '0007-sentiments' },
      { name: '0008-consent-and-handoff' },
      { name: '0009-costs' },
      { name: '0010-spam' },
      { name: '0011-original' },
      { name: '0012-beside-messages' },
      { name: '0013-templates' },
      { name: '0014-broadcasts' },
    ]);
    await Promise.all(processes.map((one) => one.ping()));
    await Promise.all(processes.map((one) => one.close()));
  });

  test('finds by parts of words what was written before the update that allows it', async () => {
    const database = createDatabase({ url: await server.createDatabase(), log: quiet, patienceMs: 0 });
    await database.run(async (db) => {
      const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
      const { error } = await migrator.migrateTo('0003-protect');
      assert.equal(error, undefined);
    });
    await query(database, MANY);
    await query(database, MANY_MESSAGES);
    await query(database, "update whatsapp_messages set message_body = 'Uma reunião' where message_body = 'hello 77'");
    await database.migrate();
    const { items } = await createMessages(database).inbox({ limit: 9, search: 'REUNIAO' });
    assert.deepEqual([...new Set(items.map(({ body }) => body))], ['Uma reunião']);
    await database.close();
  });

  test('keeps what was sent before the update with the ledger, which begins empty', async () => {
    const database = createDatabase({ url: await server.createDatabase(), log: quiet, patienceMs: 0 });
    await database.run(async (db) => {
      const migrator = new Migrator({ db, provider: { getMigrations: async () => MIGRATIONS } });
      const { error } = await migrator.migrateTo('0007-sentiments');
      assert.equal(error, undefined);
    });
    await query(database, MANY);
    await query(database, MANY_MESSAGES);
    await query(
      database,
      `insert into whatsapp_deliveries (channel, sid, state, changed_at)
       select 'twilio', 'SM' || n, 'read', '2026-01-01'::timestamptz + n * interval '1 minute' from generate_series(1, 500) n`,
    );
    await database.migrate();
    const kept =
      'select count(*) as count from whatsapp_deliveries where first_at = changed_at and price_due_at is null';
    assert.deepEqual(await query(database, kept), [{ count: 500 }]);
    assert.deepEqual(await query(database, 'select count(*) as count from whatsapp_costs'), [{ count: 0 }]);

    const question = received({ from: '15550100007' });
    const answer = made([question], 'Yes', { parts: ['Yes'] });
    const known = delivery('SM7', 'read');
    const events = [question, answer, sent(answer, { sids: ['SMnew'] }), known];
    await database.transaction((db) => record(db, events, false));
    const due = await query(database, 'select sid from whatsapp_deliveries where price_due_at is not null');
    assert.deepEqual(due, [{ sid: 'SMnew' }], 'nobody asks for what was sent before');
    await database.close();
  });

  test('searches without the extension for trigrams, too', async () => {
    const database = createDatabase({ url: await server.createDatabase(), log: quiet, patienceMs: 0 });
    await database.migrate();
    await query(database, MANY);
    await query(database, MANY_MESSAGES);
    await query(database, 'drop extension pg_trgm cascade');
    const { items } = await createMessages(database).inbox({ limit: 5, search: 'ell' });
    assert.equal(items.length, 5);
    await database.close();
  });

  test('hides the tables from the public key of a Supabase project', async () => {
    const url = await server.createDatabase();
    const database = createDatabase({ url, log: quiet });
    await query(database, 'create role anon');
    await database.migrate();
    const open = await query(
      database,
      `select relname from pg_class join pg_namespace n on n.oid = relnamespace
       where nspname = 'public' and relkind = 'r' and not relrowsecurity`,
    );
    assert.deepEqual(open, []);
    assert.equal((await query(database, 'select * from whatsapp_inbox_view')).length, 0);
    await query(database, 'drop role anon');
    await database.close();
  });

  test('is unavailable, in words and for a while, when it is away or has no tables', async () => {
    const url = await server.createDatabase();
    const database = createDatabase({ url, log: quiet });
    await assert.rejects(database.ping(), { code: 'archive.unavailable' });
    await database.migrate();
    await server.halt();
    await assert.rejects(createConversations(database).find({ phone: PHONE }), {
      code: 'archive.unavailable',
      retryable: true,
      status: 503,
    });
    await server.resume();
    assert.equal(await createConversations(database).find({ phone: PHONE }), null);
    await database.close();
  });

  test('finds pages by their index, however many messages there are', async () => {
    const database = createDatabase({ url: await server.createDatabase(), log: quiet, patienceMs: 0 });
    await database.migrate();
    await database.run((db) => sql.raw(MANY).execute(db));
    await database.run((db) => sql.raw(MANY_MESSAGES).execute(db));
    await query(
      database,
      "insert into sales_tasks (title, due_date) select 'x', '2026-01-01'::date + n from generate_series(1, 2000) n",
    );
    await query(database, 'analyze');
    const [one] = await query(database, "select id from whatsapp_conversations where phone_number = '+15550100007'");
    const pages = [
      `select * from whatsapp_inbox_view where direction = 'inbound'
       and (received_at, id) < ('2026-01-01T05:00:00Z', '80000000-0000-0000-0000-000000000000') order by received_at desc, id desc limit 51`,
      `select * from whatsapp_inbox_view where conversation_id = '${one?.id}'
       order by received_at desc, id desc limit 51`,
      `select * from whatsapp_inbox_view where direction = 'inbound' and message_type = 'audio' order by received_at desc, id desc limit 51`,
      `select * from whatsapp_conversations where conversation_status = 'active' and (last_message_at, id) < (now(), '80000000-0000-0000-0000-000000000000')
       order by last_message_at desc, id desc limit 51`,
      `select * from whatsapp_conversations where unread_count > 0 order by last_message_at desc, id desc limit 51`,
      `select * from sales_tasks order by coalesce(due_date, 'infinity'), priority, id limit 51`,
    ];
    for (const page of pages) {
      const plan = await query(database, `explain ${page}`);
      const text = plan.map((row) => row['QUERY PLAN']).join('\n');
      assert.doesNotMatch(text, /Seq Scan on (whatsapp_messages|whatsapp_conversations)|Sort/, `${page}\n${text}`);
    }

    const messages = createMessages(database);
    const first = await messages.inbox({ limit: 30, search: 'hello' });
    const second = await messages.inbox({ limit: 30, search: 'hello', cursor: first.next ?? '' });
    const both = await messages.inbox({ limit: 60 });
    assert.deepEqual([...first.items, ...second.items], both.items, 'a word that all of them have');
    const rare = await messages.inbox({ limit: 600, search: 'hello 39' });
    assert.equal(rare.items.length, 510, '39 in every thread, 390 to 399 in the long one');
    await database.close();
  });
});

const MANY = `
  with contacts as (
    insert into whatsapp_contacts (key) select '155501' || lpad(i::text, 5, '0') from generate_series(1, 500) i returning id, key),
  addresses as (
    insert into whatsapp_contact_addresses (address, contact_id) select key, id from contacts)
  insert into whatsapp_conversations (contact_id, channel, phone_number, address, business_number, first_message_at, last_message_at, unread_count)
  select id, 'twilio', '+' || key, key, '+14155238886', '2026-01-01', '2026-01-01'::timestamptz + right(key, 5)::int * interval '1 second',
    right(key, 5)::int % 2 from contacts`;
const MANY_MESSAGES = `
  insert into whatsapp_messages (conversation_id, channel, from_number, to_number, direction, author, message_body, message_type, received_at)
  select c.id, 'twilio', c.phone_number, c.business_number, 'inbound', 'contact', 'hello ' || n, case when n % 20 = 0 then 'audio' else 'text' end,
    '2026-01-01'::timestamptz + n * interval '1 minute'
  from whatsapp_conversations c, generate_series(1, case c.phone_number when '+15550100007' then 3000 else 40 end) n`;

test('sslmode means what it means to psql, and Supabase is never spoken to in the clear', () => {
  const modeOf = (url: string) => new URL(withSsl(url)).searchParams.toString();
  assert.equal(modeOf('postgres://u:p@localhost:5432/recado'), '');
  assert.equal(modeOf('postgres://u:p@db.abc.supabase.co:5432/postgres'), 'sslmode=require&uselibpqcompat=true');
  assert.equal(
    modeOf('postgres://u:p@aws-0.pooler.supabase.com:6543/postgres?sslmode=disable'),
    'sslmode=disable&uselibpqcompat=true',
  );
  assert.equal(
    modeOf('postgres://u:p@db.example.com/x?sslmode=verify-full'),
    'sslmode=verify-full&uselibpqcompat=true',
  );
  assert.equal(withSsl('/var/run/postgresql'), '/var/run/postgresql');
});

test('an outage is told from what would go wrong again', () => {
  const error = (code: string, message = '') => Object.assign(new Error(message), { code });
  for (const code of ['ECONNREFUSED', 'EPIPE', '57P01', '53300', '40P01', '08006', '42P01', '28P01'])
    assert.ok(isOutage(error(code)), code);
  assert.ok(isOutage(new Error('Connection terminated unexpectedly')));
  for (const code of ['22001', '23505', '22021', '54000']) assert.ok(!isOutage(error(code, 'connection closed')), code);
  assert.ok(!isOutage(new SyntaxError('Unexpected token in "connection"')));
});
