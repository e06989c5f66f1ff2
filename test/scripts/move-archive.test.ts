/** An archive as version 0.2.0 left it is moved to the one of this version. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { PGlite } from '@electric-sql/pglite';
import { pg_trgm } from '@electric-sql/pglite/contrib/pg_trgm';
import { sql } from 'kysely';
import { createDatabase, type Database } from '../../app/archive/engine/database.ts';
import { record } from '../../app/archive/write/record.ts';
import { claim } from '../../app/embedded/folder.ts';
import { createEmbeddedPostgres } from '../../app/embedded/postgres.ts';
import type { Event } from '../../app/events.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { scrub } from '../../app/privacy/scrub.ts';
import { received } from '../archive/events.ts';
import { startTestPostgres, type TestPostgres } from '../support/postgres.ts';
import { argumentsFor } from '../support/program.ts';
import { recordedArchive, recordedSchema } from '../support/stores.ts';

const quiet = createLogger({ level: 'error', format: 'json', write: () => {} });
const [ANA, BEN, CLEO, DORA] = ['15550100101', '15550100102', '15550100103', '15550100104'] as const;
/** In the old archive, beside what was recorded: so many messages of Ana, more than are read at a time. */
const MANY = 1_200;
const TASK = '00000000-0000-4000-8000-000000000001';

const root = mkdtempSync(join(tmpdir(), 'recado-move-'));
const original = join(root, 'original');
before(() => makeArchive(join(original, 'archive')));
after(() => rmSync(root, { recursive: true, force: true }));

/** What version 0.2.0 left behind, when it had run for a while. */
async function makeArchive(folder: string): Promise<void> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'format'), '1\n');
  const pglite = await PGlite.create({ dataDir: join(folder, 'data'), extensions: { pg_trgm } });
  await pglite.exec(`${recordedSchema('0.2.0')}; set session_replication_role = replica`);
  for (const [table, rows] of Object.entries(recordedArchive('0.2.0'))) {
    const columns = Object.keys(rows[0] ?? {}).join();
    if (columns === '') continue;
    const text = `insert into ${table} (${columns}) select ${columns} from json_populate_recordset(null::${table}, $1::json)`;
    await pglite.query(text, [JSON.stringify(rows)]);
  }
  await pglite.exec(`
    set session_replication_role = origin;
    insert into whatsapp_messages (message_sid, conversation_id, channel, from_number, to_number, direction, author, message_body,
        media, received_at, seen_at, turn_id)
      select 'SMmany' || n, c.id, 'twilio', c.phone_number, c.business_number, 'inbound', 'contact', 'Número ' || n || ' "{},\\',
        '[{"kind": "image", "ref": {"a": 1}}]', timestamptz '2026-11-01' + n * interval '1 second', now(), 'many'
      from generate_series(1, ${MANY}) n, whatsapp_conversations c
      where c.phone_number = '+${ANA}' and c.business_number = '+14155238886';
    update whatsapp_conversations set total_messages = total_messages + ${MANY}, text_messages = text_messages + ${MANY},
      first_message_at = timestamptz '2026-11-01 00:00:01', tasks = 1, open_tasks = 0
      where phone_number = '+${ANA}' and business_number = '+14155238886';
    insert into sales_tasks (id, title, tags, due_date, status, created_by, conversation_id, whatsapp_message_id)
      select '${TASK}', 'Send the offer', '{"a,b",c}', '2026-12-01', 'completed', 'analysis', conversation_id, id
      from whatsapp_messages where message_sid = 'SMmany7';
    update whatsapp_messages set task_created = true, created_task_id = '${TASK}', ai_sentiment = 'positive'
      where message_sid = 'SMmany7';
    update whatsapp_conversations set last_sentiment = 'positive' where tasks = 1 and open_tasks = 0;
    insert into whatsapp_deliveries select 'twilio', 'SMpart', id, 0, 'sent', null, now()
      from whatsapp_messages where direction = 'outbound' and message_body = 'You said: My name is Ana.';
    insert into whatsapp_events_set_aside (name, event, reason) values ('1-1', '{}', 'damaged')`);
  await pglite.close();
}

/** A folder of data with the old archive in it. */
function dataFolder(name: string): string {
  const dataDir = join(root, name);
  cpSync(join(original, 'archive'), join(dataDir, 'archive'), { recursive: true });
  return dataDir;
}

interface Ended {
  code: number;
  output: string;
}

/** Runs the script as an operator does. @param node further arguments of Node's own */
async function move(dataDir: string, databaseUrl = '', node: string[] = [], given: string[] = []): Promise<Ended> {
  return new Promise((resolve) => {
    const env = { PATH: process.env.PATH, DATA_DIR: dataDir, DATABASE_URL: databaseUrl };
    const command = [...node, ...argumentsFor('scripts/move-archive.ts'), ...given];
    execFile(process.execPath, command, { cwd: root, env, timeout: 300_000 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? 99) : 0, output: stdout + stderr });
    });
  });
}

async function rowsOf(database: Database, query: string): Promise<Record<string, unknown>[]> {
  return (await database.run((db) => sql.raw<Record<string, unknown>>(query).execute(db))).rows;
}

/** All that an archive holds, without the ids of contacts, which are its own. */
async function everything(ask: (query: string) => Promise<Record<string, unknown>[]>) {
  const messages = await ask('select m.* from whatsapp_messages m order by id');
  return {
    contacts:
      await ask(`select c.key, c.blocked, c.created_at, array_agg(a.address order by a.address)::text as addresses
      from whatsapp_contacts c join whatsapp_contact_addresses a on a.contact_id = c.id group by c.id order by c.key`),
    conversations: (
      await ask(`select p.key, c.* from whatsapp_conversations c join whatsapp_contacts p on p.id = c.contact_id
        order by c.id`)
    ).map(({ contact_id: _own, search_text: _computed, ...row }) => withoutHandoff(row)),
    messages: messages.map(
      ({ search: _old, search_text: _computed, referral: _later, original: _latest, template: _newest, ...row }) => row,
    ),
    deliveries: await ask(
      'select channel, sid, message_id, part, state, error_code, changed_at from whatsapp_deliveries order by sid',
    ),
    tasks: (await ask('select t.*, due_date::text from sales_tasks t order by id')).map(
      ({ search_text: _computed, ...row }) => row,
    ),
    events: await ask('select * from whatsapp_events_set_aside order by name'),
  };
}

/** Nobody waited for a person then. */
function withoutHandoff(row: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('handoff_')));
}

async function everythingIn(dataDir: string) {
  const pglite = await PGlite.create({ dataDir: join(dataDir, 'archive', 'data'), extensions: { pg_trgm } });
  const all = await everything(async (query) => (await pglite.query<Record<string, unknown>>(query)).rows);
  await pglite.close();
  return all;
}

describe('the old archive', () => {
  let server: TestPostgres;
  before(async () => {
    server = await startTestPostgres();
  });
  after(() => server.stop());

  test('is moved to the private PostgreSQL as it was, and its folder put aside', async () => {
    const dataDir = dataFolder('private');
    const { code, output } = await move(dataDir);
    assert.equal(code, 0, output);
    assert.match(output, /Moved 5 conversations, 1210 messages and 2 tasks to the private PostgreSQL/);
    assert.doesNotMatch(output, /already/);
    const [kept = ''] = readdirSync(dataDir).filter((name) => name.startsWith('archive'));
    assert.match(kept, /^archive\.moved-\d{4}-\d\d-\d\d$/);
    assert.deepEqual(readdirSync(join(dataDir, kept)).sort(), ['data', 'format']);

    const postgres = await createEmbeddedPostgres({ dataDir, log: quiet });
    await postgres.start();
    const database = createDatabase({ url: postgres.url, log: quiet });
    const moved = await everything((query) => rowsOf(database, query));
    await database.close();
    await postgres.stop();
    const { messages, ...rest } = await everythingIn(original);
    assert.deepEqual({ ...moved, messages: [] }, { ...rest, messages: [] });
    assert.equal(moved.messages.length, messages.length);
    for (const [i, message] of messages.entries()) assert.deepEqual(moved.messages[i], message);

    const again = await move(dataDir);
    assert.equal(again.code, 0);
    assert.match(again.output, /There is nothing to move/);
  });

  test('is merged with what is there, by a user with few rights; a second time changes nothing', async () => {
    const url = await databaseOfPlainUser(server);
    const database = createDatabase({ url, log: quiet });
    await database.migrate();
    const write = (...events: Event[]) => database.transaction((db) => record(db, events, true));
    const NOW = Date.UTC(2026, 11, 24);
    const known = { receivedAt: Date.UTC(2026, 10, 26, 19, 5, 50, 910), id: 'SM8f44087d8a46642b6823d255d7e04770' };
    await write(
      received({ ...known, from: ANA, text: 'My name is Ana.' }),
      received({ from: ANA, receivedAt: NOW, text: 'Hello again', profileName: scrub('Ana Q') }),
      received({ from: BEN, receivedAt: NOW, business: '447700900001' }),
      received({ from: `US.id${CLEO}`, receivedAt: NOW, text: 'Who am I?' }),
      received({ from: '15550100199', receivedAt: NOW, aliases: [`US.id${DORA}`] }),
      {
        type: 'delivery.changed',
        conversation: `twilio:14155238886:${ANA}`,
        at: NOW,
        status: { channel: 'twilio', business: '14155238886', to: ANA, sid: 'SMpart', state: 'read' },
      },
    );
    const dataDir = dataFolder('merged');
    const { code, output } = await move(dataDir, url);
    assert.equal(code, 0, output);
    assert.match(output, /Moved 5 conversations, 1210 messages and 2 tasks to the database of DATABASE_URL/);
    assert.match(output, /2 conversations, 1 message and 0 tasks were there already/);
    await checkMerged(database);

    const first = await everything((query) => rowsOf(database, query));
    cpSync(join(original, 'archive'), join(dataDir, 'archive'), { recursive: true });
    const again = await move(dataDir, url);
    assert.equal(again.code, 0, again.output);
    assert.match(again.output, /5 conversations, 1210 messages and 2 tasks were there already/);
    assert.match(again.output, /archive\.moved-\d{4}-\d\d-\d\d-2\./);
    assert.deepEqual(await everything((query) => rowsOf(database, query)), first);
    await database.close();
  });

  test('is left alone when something is in the way, which is said', async () => {
    const dataDir = dataFolder('refused');
    const owner = await claim(join(dataDir, 'archive', 'owner.sock'));
    assert.ok('release' in owner);
    await refused(await move(dataDir), /Recado is running \(process \d+ uses .*archive\)/);
    await owner.release();

    mkdirSync(join(dataDir, 'postgres'));
    const ownerOfNew = await claim(join(dataDir, 'postgres', 'owner.sock'));
    assert.ok('release' in ownerOfNew);
    await refused(await move(dataDir), /Recado is running \(process \d+ uses .*postgres\)/);
    await ownerOfNew.release();

    const url = await server.createDatabase();
    const database = createDatabase({ url, log: quiet });
    await database.migrate();
    await refused(await move(dataDir, url, ['--import', WITHOUT_PGLITE]), /PGlite.* is not installed.*npm ci/);
    await database.run((db) => sql`insert into kysely_migration values ('9999-later', '')`.execute(db));
    await refused(await move(dataDir, url), /The new archive: .* newer Recado/);
    await database.run((db) => sql`delete from kysely_migration where name = '9999-later'`.execute(db));

    await rowsOf(
      database,
      `create function full_disk() returns trigger language plpgsql as $$ begin raise exception 'no space is left'; end $$;
      create trigger full_disk before insert on sales_tasks execute function full_disk()`,
    );
    await refused(await move(dataDir, url), /no space is left/);
    assert.deepEqual(await rowsOf(database, 'select id from whatsapp_contacts'), []);
    assert.deepEqual(readdirSync(join(dataDir, 'archive')).sort(), ['data', 'format']);

    const pglite = await PGlite.create({ dataDir: join(dataDir, 'archive', 'data'), extensions: { pg_trgm } });
    await pglite.exec(`insert into kysely_migration values ('9999-later', '')`);
    await pglite.close();
    await refused(await move(dataDir, url), /The old archive: .* newer Recado/);
    assert.deepEqual(await rowsOf(database, 'select id from whatsapp_messages'), []);
    await database.close();

    rmSync(join(dataDir, 'archive', 'format'));
    await refused(await move(dataDir, url), /Recado 0\.1.*cannot be read/);
    assert.ok(existsSync(join(dataDir, 'archive', 'data', 'PG_VERSION')));
  });

  test('need not be there', async () => {
    const { code: helped, output: help } = await move(root, '', [], ['--help']);
    assert.equal(helped, 0);
    assert.match(help, /^Usage: npm run move-archive/);
    const { code, output } = await move(join(root, 'empty'));
    assert.deepEqual({ code, isNothing: /There is nothing to move/.test(output) }, { code: 0, isNothing: true });
    assert.equal(existsSync(join(root, 'empty')), false);
  });
});

async function refused({ code, output }: Ended, why: RegExp): Promise<void> {
  assert.equal(code, 1, output);
  assert.match(output, why);
  assert.match(output, /Nothing was moved/);
}

/** Has Node find no PGlite, as an installation without development tools does. */
const WITHOUT_PGLITE = inline(`
  import { register } from 'node:module';
  register(${JSON.stringify(
    inline(`export async function resolve(name, context, next) {
      if (name.startsWith('@electric-sql/')) throw Object.assign(new Error(name), { code: 'ERR_MODULE_NOT_FOUND' });
      return next(name, context);
    }`),
  )});`);

function inline(source: string): string {
  return `data:text/javascript,${encodeURIComponent(source)}`;
}

/** As at a hoster: it owns its database, and may do nothing else. */
async function databaseOfPlainUser(server: TestPostgres): Promise<string> {
  const url = new URL(await server.createDatabase());
  const database = createDatabase({ url: url.href, log: quiet });
  await rowsOf(database, 'create role plain login');
  await rowsOf(database, `alter database ${url.pathname.slice(1)} owner to plain`);
  await rowsOf(database, 'grant all on schema public to plain');
  await database.close();
  url.username = 'plain';
  return url.href;
}

async function checkMerged(database: Database): Promise<void> {
  const contacts = await rowsOf(
    database,
    `select c.key, c.blocked, array_agg(a.address order by a.address)::text as addresses
      from whatsapp_contacts c join whatsapp_contact_addresses a on a.contact_id = c.id group by c.id order by c.key`,
  );
  assert.deepEqual(contacts, [
    { key: ANA, blocked: false, addresses: `{${ANA},US.id${ANA}}` },
    { key: BEN, blocked: true, addresses: `{${BEN},US.id${BEN}}` },
    { key: CLEO, blocked: false, addresses: `{${CLEO},US.id${CLEO}}` },
    { key: DORA, blocked: false, addresses: `{${DORA}}` },
    { key: '15550100199', blocked: false, addresses: `{15550100199,US.id${DORA}}` },
  ]);
  const conversations = await rowsOf(
    database,
    `select phone_number, business_number, contact_name, conversation_status, total_messages, unread_count, text_messages, tasks,
        open_tasks, first_message_at::date::text as first, left(last_message_text, 12) as last, last_message_author, last_sentiment,
        takeover_until is not null as taken
      from whatsapp_conversations order by phone_number, business_number`,
  );
  const shown = conversations.map((row) => Object.values(row).join(' · '));
  assert.deepEqual(shown, [
    `+${ANA} · +14155238886 · Ana Q · active · 1203 · 2 · 1202 · 1 · 0 · 2026-11-01 · Hello again · contact · positive · false`,
    `+${ANA} · +447700900001 · Ana · active · 2 · 1 · 1 · 0 · 0 · 2026-11-26 · You said: An · bot ·  · false`,
    `+${BEN} · +14155238886 · Ben · blocked · 2 · 1 · 1 · 0 · 0 · 2026-11-26 · You said: Bu · bot ·  · false`,
    `+${BEN} · +447700900001 · Ana · blocked · 1 · 1 · 1 · 0 · 0 · 2026-12-24 · Hello · contact ·  · false`,
    `+${CLEO} · +14155238886 · Ana · active · 3 · 2 · 2 · 1 · 1 · 2026-11-26 · Who am I? · contact ·  · true`,
    `+${DORA} · +14155238886 · Dora · active · 2 · 1 · 1 · 0 · 0 · 2026-11-26 · *Bold* words · bot ·  · false`,
    `+15550100199 · +14155238886 · Ana · active · 1 · 1 · 1 · 0 · 0 · 2026-12-24 · Hello · contact ·  · false`,
  ]);
  assert.deepEqual(
    await rowsOf(
      database,
      `select t.title, t.tags, t.due_date, m.message_sid, m.created_task_id, c.phone_number
        from sales_tasks t join whatsapp_messages m on m.id = t.whatsapp_message_id
        join whatsapp_conversations c on c.id = t.conversation_id`,
    ),
    [
      {
        title: 'Send the offer',
        tags: ['a,b', 'c'],
        due_date: '2026-12-01',
        message_sid: 'SMmany7',
        created_task_id: TASK,
        phone_number: `+${ANA}`,
      },
    ],
  );
  assert.deepEqual(
    await rowsOf(
      database,
      `select message_body, delivery_status from whatsapp_messages where delivery_status = 'read'`,
    ),
    [{ message_body: 'You said: My name is Ana.', delivery_status: 'read' }],
  );
  assert.equal((await rowsOf(database, 'select * from whatsapp_events_set_aside')).length, 1);
}
