/**
 * Records events from the Redis stream in the tables, in batches, acknowledged after the commit. Answering people does not depend on
 * it; events that could not be recorded wait in the stream.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { z } from 'zod';
import { Event } from '../../events.ts';
import type { EventStream, StreamEntry } from '../../memory/stream.ts';
import type { Log } from '../../ops/logger.ts';
import type { Database } from '../engine/database.ts';
import { isOutage } from '../engine/outage.ts';
import { clean, storable } from '../engine/text.ts';
import type { MessagePrice } from './costs.ts';
import { type Recorded, record } from './record.ts';
import type { Writer } from './writer.ts';

export interface Recorder {
  /**
   * Begins: makes the tables when they are not there, tries again what was set aside, then writes for as long as it is not stopped. Waits for a
   * database that is away.
   */
  start(): void;
  /** Resolves when the batch that is being written is done; the rest waits in the stream. */
  stop(): Promise<void>;
  /**
   * Writes what waits now. @returns how many events. Rejects with `archive.unavailable` or `store.unavailable`.
   * For tests and for scripts; `start` does the same again and again.
   */
  catchUp(): Promise<number>;
  /** Since when nothing could be written, unix ms; null while it works. */
  readonly failingSince: number | null;
  /** See `Trimmed.fullness`. */
  readonly fullness: number;
}

export interface RecorderOptions {
  database: Database;
  stream: EventStream;
  log: Log;
  /** New messages wait for an analysis; else they are skipped. */
  analysis: boolean;
  /** Of messages whose price no provider reports. Default: none. */
  prices?: readonly MessagePrice[];
  /** Told after every commit, in the process that wrote. */
  onRecorded?: (recorded: Recorded) => void;
  /** How many events are written in one transaction. Default: 500, about 10 ms of a database's work. */
  batch?: number;
  now?: () => number;
}

/** How long one wait for new events lasts, ms; also how soon another process takes over when the one that records has crashed. */
const WAIT_MS = 2_000;
/** How long to wait while another process records, ms. */
const BUSY_PAUSE_MS = 200;
const BUSY = -1;
/** Longest pause between two tries while the database or Redis is away, ms. */
const LONGEST_PAUSE_MS = 5_000;
/** How full Redis is of events when somebody is told, once each: long before the first one is dropped. */
const ALARMS = [0.25, 0.5, 0.75, 0.9];
/** How often acknowledged events are removed, ms. */
const TRIM_EVERY_MS = 10_000;
/** An arbitrary number: it names the lock among those of the database. */
const RECORDER_LOCK = 7_041_995_002;
/** A process that is suspended while it has the lock loses it after this, ms. */
const LONGEST_IDLE_MS = 30_000;

export function createRecorder(options: RecorderOptions): Recorder {
  const { database, stream, log, analysis, prices = [], onRecorded = () => {}, batch = 500, now = Date.now } = options;
  const stopping = new AbortController();
  let running: Promise<void> | undefined;
  let failingSince: number | null = null;
  let trimmedAt = 0;
  let lost = 0;
  let fullness = 0;
  let alarmedAt = 0;

  return {
    start() {
      running ??= run();
    },
    async stop() {
      stopping.abort();
      await running;
      stream.close();
    },
    async catchUp() {
      await database.migrate();
      let written = 0;
      for (;;) {
        const count = await writeBatch();
        if (count === 0) return written;
        if (count === BUSY) await pause(BUSY_PAUSE_MS);
        else written += count;
      }
    },
    get failingSince() {
      return failingSince;
    },
    get fullness() {
      return fullness;
    },
  };

  async function run(): Promise<void> {
    let triedAgain = false;
    for (let failures = 0; !stopping.signal.aborted; ) {
      try {
        await trimNowAndThen();
        await database.migrate();
        if (!triedAgain) await trySetAsideAgain();
        triedAgain = true;
        const count = await writeBatch();
        recovered();
        failures = 0;
        if (count === BUSY) await pause(BUSY_PAUSE_MS);
        if (count === 0 || count === BUSY) await stream.wait(WAIT_MS, stopping.signal);
      } catch (error) {
        failed(error);
        await pause(Math.min(LONGEST_PAUSE_MS, 100 * 2 ** failures++));
      }
    }
  }

  /** Once at each start: what could not be written may be writable by now, after an update or a repair. */
  async function trySetAsideAgain(): Promise<void> {
    const begunAt = await databaseTime();
    for (let tried = 0; ; ) {
      const rows = await database.recording(async (db) => {
        if (!(await lock(db))) return [];
        const found = await db
          .selectFrom('whatsapp_events_set_aside')
          .select(['name', 'event'])
          .where('set_aside_at', '<', begunAt)
          .orderBy('set_aside_at')
          .limit(batch)
          .execute();
        // Before they go: recording one twice changes nothing.
        await stream.putBack(found.map(({ event }) => event));
        const names = found.map(({ name }) => name);
        if (names.length > 0) await db.deleteFrom('whatsapp_events_set_aside').where('name', 'in', names).execute();
        return names;
      });
      tried += rows.length;
      if (rows.length > 0) continue;
      if (tried > 0) log.info('Events that could not be written to the archive are tried again', { events: tried });
      return;
    }
  }

  /** The clock that says when events were set aside. */
  function databaseTime(): Promise<Date> {
    return database.run(async (db) => {
      const { rows } = await sql<{ at: Date }>`select now() as at`.execute(db);
      return rows[0]?.at ?? new Date(0);
    });
  }

  function pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: stopping.signal }).catch(() => {});
  }

  function recovered(): void {
    if (failingSince !== null) log.info('The archive is written again', { afterMs: now() - failingSince });
    failingSince = null;
  }

  /** Logs once per outage, not once per try. */
  function failed(error: unknown): void {
    if (failingSince === null) {
      log.error('Nothing can be written to the archive; trying again. Contacts are answered.', { error });
    }
    failingSince ??= now();
  }

  /** @returns how many events were dealt with, or `BUSY` when another process is at it. */
  async function writeBatch(): Promise<number> {
    const taken: StreamEntry[] = [];
    try {
      const written = await database.recording(async (db) => {
        if (!(await lock(db))) return BUSY;
        taken.push(...(await stream.take(batch)));
        return write(db, taken);
      });
      if (written === BUSY) return BUSY;
      await settle(taken, written);
    } catch (error) {
      if (taken.length === 0 || isAway(error)) throw error;
      log.debug('A batch cannot be written as a whole; going on event by event', { error });
      await writeOneByOne(taken);
    }
    return taken.length;
  }

  /** Events that cannot be parsed are set aside. */
  async function write(db: Writer, entries: readonly StreamEntry[]): Promise<Written> {
    const readings = entries.map((entry) => ({ entry, reading: read(entry) }));
    const damaged = readings.flatMap(({ entry, reading }) =>
      reading.kind === 'damaged' ? { entry, reason: reading.reason } : [],
    );
    const events = readings.flatMap(({ reading }) => (reading.kind === 'event' ? reading.event : []));
    for (const { entry, reason } of damaged) await setAside(db, entry, reason);
    return { damaged, recorded: events.length > 0 ? await record(db, events, analysis, prices) : null };
  }

  /** One of them cannot be recorded: it is set aside, the others are recorded. */
  async function writeOneByOne(entries: readonly StreamEntry[]): Promise<void> {
    for (const entry of entries) {
      const written = await database
        .recording((db) => write(db, [entry]))
        .catch(async (error): Promise<Written> => {
          if (isAway(error)) throw error;
          const reason = error instanceof Error ? error.message : String(error);
          await database.recording((db) => setAside(db, entry, reason));
          return { damaged: [{ entry, reason }], recorded: null };
        });
      await settle([entry], written);
    }
  }

  /** After the commit: they are acknowledged, and `onRecorded` is called. */
  async function settle(entries: readonly StreamEntry[], { damaged, recorded }: Written): Promise<void> {
    await stream.acknowledge(entries);
    for (const { entry, reason } of damaged) {
      log.error('An event cannot be written to the archive; it is set aside', { event: entry.name, reason });
    }
    if (recorded) onRecorded(recorded);
  }

  async function trimNowAndThen(): Promise<void> {
    if (now() - trimmedAt < TRIM_EVERY_MS) return;
    trimmedAt = now();
    const trimmed = await stream.trim();
    if (trimmed.lost > lost) {
      log.error('Redis dropped events before they were written: the archive has gaps', { events: trimmed.lost - lost });
      lost = trimmed.lost;
    }
    fullness = trimmed.fullness;
    const reached = ALARMS.findLast((share) => fullness >= share) ?? 0;
    if (reached > alarmedAt) {
      const percent = Math.round(fullness * 100);
      log.error('Events fill Redis because the archive is not written. At 100 % the oldest are dropped.', { percent });
    }
    alarmedAt = reached;
  }
}

interface Written {
  damaged: { entry: StreamEntry; reason: string }[];
  recorded: Recorded | null;
}

async function setAside(db: Writer, { name, event }: StreamEntry, reason: string): Promise<void> {
  await db
    .insertInto('whatsapp_events_set_aside')
    .values({ name, event: storable(event), reason: clean(reason, 1_000) })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/**
 * One process writes at a time, until its transaction ends; the lock of one that died goes with its connection.
 * @returns false when another process has it.
 */
async function lock(db: Writer): Promise<boolean> {
  await sql`set local idle_in_transaction_session_timeout = ${sql.lit(LONGEST_IDLE_MS)}`.execute(db);
  const { rows } = await sql<{ locked: boolean }>`
    select pg_try_advisory_xact_lock(${sql.lit(RECORDER_LOCK)}) as locked`.execute(db);
  return rows[0]?.locked === true;
}

/** The database or Redis is away: the same events will do later. */
function isAway(error: unknown): boolean {
  if (isOutage(error)) return true;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'archive.unavailable' || code === 'store.unavailable';
}

function read({ event }: StreamEntry): { kind: 'event'; event: Event } | { kind: 'damaged'; reason: string } {
  try {
    return { kind: 'event', event: Event.parse(JSON.parse(event)) };
  } catch (error) {
    return { kind: 'damaged', reason: error instanceof z.ZodError ? z.prettifyError(error) : String(error) };
  }
}
