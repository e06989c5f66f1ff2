/** Stores as a version left them: recorded once, loaded by the tests of every later version. */
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { sql } from 'kysely';
import type { Database } from '../../app/archive/engine/database.ts';

/** One key and what it holds. A stream's value is its entries, `[id, fields][]`. */
export interface RecordedKey {
  key: string;
  type: string;
  value: unknown;
}

export interface RecordedRedis {
  keys: RecordedKey[];
}

/** Table → rows, without generated columns. */
export type RecordedArchive = Record<string, Record<string, unknown>[]>;

const FOLDER = new URL('../fixtures/stores/', import.meta.url);

export function recordedRedis(version: string): RecordedRedis {
  return JSON.parse(readFileSync(new URL(`${version}/redis.json`, FOLDER), 'utf8'));
}

/** The tables of a version, as SQL. */
export function recordedSchema(version: string): string {
  return readFileSync(new URL(`${version}/archive.sql`, FOLDER), 'utf8');
}

export function recordedArchive(version: string): RecordedArchive {
  return JSON.parse(readFileSync(new URL(`${version}/archive.json`, FOLDER), 'utf8'));
}

export async function dumpRedis(redis: Redis): Promise<RecordedRedis> {
  const names = (await redis.keys('recado:*')).filter(
    (name) => !/:(lease|rate|processes|places)$|recado-analysis|^recado:news/.test(name),
  );
  const keys = await Promise.all(
    names.sort().map(async (key) => {
      const type = await redis.type(key);
      return { key, type, value: await contentOf(redis, key, type) };
    }),
  );
  return { keys };
}

async function contentOf(redis: Redis, key: string, type: string): Promise<unknown> {
  switch (type) {
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'hash':
      return redis.hgetall(key);
    case 'zset': {
      const flat = await redis.zrange(key, '0', '-1', 'WITHSCORES');
      return Object.fromEntries(flat.flatMap((member, i) => (i % 2 === 0 ? [[member, flat[i + 1]]] : [])));
    }
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      return redis.get(key);
  }
}

/** A day, ms: what was recorded does not expire while a test looks at it. */
const LIFE_MS = 86_400_000;

export async function loadRedis(redis: Redis, { keys }: RecordedRedis): Promise<void> {
  for (const { key, type, value } of keys) {
    // The shapes are those that `contentOf` recorded.
    if (type === 'list') await redis.rpush(key, ...(value as string[]));
    else if (type === 'hash') await redis.hset(key, value as Record<string, string>);
    else if (type === 'zset')
      for (const [member, score] of Object.entries(value as Record<string, string>))
        await redis.zadd(key, score, member);
    else if (type === 'stream')
      for (const [id, fields] of value as [string, string[]][]) await redis.xadd(key, id, ...fields);
    else await redis.set(key, value as string);
    if (/:c:/.test(key)) await redis.pexpire(key, LIFE_MS);
  }
}

const TABLES = [
  'kysely_migration',
  'whatsapp_contacts',
  'whatsapp_contact_addresses',
  'whatsapp_conversations',
  'whatsapp_messages',
  'whatsapp_deliveries',
  'sales_tasks',
];

export async function dumpArchive(database: Database): Promise<RecordedArchive> {
  const tables: RecordedArchive = {};
  for (const table of TABLES) {
    const { rows } = await database.run((db) =>
      sql<{
        row: Record<string, unknown>;
      }>`select row_to_json(t) as row from ${sql.table(table)} t order by 1::text`.execute(db),
    );
    tables[table] = rows.map(({ row: { search: _generated, ...row } }) => row);
  }
  return tables;
}

export function loadArchive(database: Database, schema: string, tables: RecordedArchive): Promise<void> {
  return database.transaction(async (db) => {
    await sql.raw(schema).execute(db);
    // Messages and tasks refer to each other.
    await sql`set local session_replication_role = replica`.execute(db);
    for (const [table, rows] of Object.entries(tables)) {
      for (const row of rows) {
        const columns = sql.join(Object.keys(row).map((name) => sql.ref(name)));
        await sql`insert into ${sql.table(table)} (${columns})
          select ${columns} from json_populate_record(null::${sql.table(table)}, ${JSON.stringify(row)}::json)`.execute(
          db,
        );
      }
    }
  });
}
