/** Processes with an archive, over one real Redis. */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Database } from '../../app/archive/engine/database.ts';
import type { Recorded } from '../../app/archive/write/record.ts';
import { createRecorder } from '../../app/archive/write/recorder.ts';
import { type Event, encodeEvent } from '../../app/events.ts';
import { createKeys } from '../../app/memory/keys.ts';
import { createRedis } from '../../app/memory/redis.ts';
import { createEventStream } from '../../app/memory/stream.ts';
import { conversationOf } from '../../app/message.ts';
import { createLogger } from '../../app/ops/logger.ts';
import { startTestRedis } from '../support/redis.ts';
import { query } from './engines.ts';

export type Processes = Awaited<ReturnType<typeof startProcesses>>;

export async function startProcesses() {
  const server = await startTestRedis();
  const client = server.client();
  const keys = createKeys(2);
  const running: (() => Promise<void>)[] = [];
  return {
    keys,
    redis: () => client,

    async start(database: Database, { keepMs = 600_000, batch = 500 } = {}) {
      const logs: string[] = [];
      const log = createLogger({ level: 'debug', format: 'json', write: (line) => logs.push(line) });
      const redis = createRedis({ kind: 'socket', path: server.path }, log);
      await redis.connect();
      const stream = createEventStream({ redis, keys, log, keepMs });
      const told: Recorded[] = [];
      const onRecorded = (recorded: Recorded) => void told.push(recorded);
      const recorder = createRecorder({ database, stream, log, analysis: true, onRecorded, batch });
      running.push(async () => {
        await recorder.stop();
        redis.disconnect();
      });
      return { recorder, stream, logs, told };
    },

    /** Appends events to the stream, as the bot does. */
    async happen(...events: Event[]): Promise<void> {
      for (const event of events) {
        const { contact } = event.type === 'message.received' ? event.message : conversationOf(event.conversation);
        await client.xadd(keys.shardOf(contact).events, '*', 'event', encodeEvent(event));
      }
    },

    /** Stops what was started. */
    async end(): Promise<void> {
      for (const stop of running.splice(0)) await stop();
    },
    stop: () => server.stop(),
  };
}

/** The provider's ids of all inbound messages that are in the tables, sorted. */
export async function sidsIn(database: Database): Promise<unknown[]> {
  const rows = await query(database, "select message_sid from whatsapp_messages where direction = 'inbound'");
  return rows.map(({ message_sid }) => message_sid).sort();
}

export async function eventually(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const givenUpAt = performance.now() + 120_000; performance.now() < givenUpAt; ) {
    if (
      await Promise.resolve()
        .then(holds)
        .catch(() => false)
    )
      return;
    await sleep(10);
  }
  assert.fail('it never happened');
}
