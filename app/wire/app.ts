/**
 * The composition root: everything is built here and handed its tools. Nothing is connected or opened before `connect`.
 * The other files of this folder join one part each; `stand-ins.ts` comes first and starts what is not configured.
 */
import type { Server } from 'node:http';
import { createChannels } from '../channels/channels.ts';
import type { Config } from '../config.ts';
import { contactIdOf } from '../contacts/addresses.ts';
import { isFailure } from '../errors.ts';
import { encodeEvent } from '../events.ts';
import { createMemoryInspector } from '../memory/inspect.ts';
import { conversationId, type DeliveryStatus } from '../message.ts';
import type { Log } from '../ops/logger.ts';
import { createMetrics } from '../ops/metrics.ts';
import { remember } from '../ops/remember.ts';
import { createDeliver } from '../outbound/deliver.ts';
import { buildAnswering } from './answering.ts';
import { buildArchive } from './archive.ts';
import { type BuildChannel, buildChannels, type ChannelParts } from './channels.ts';
import { buildDesk } from './desk.ts';
import { buildHttp } from './http.ts';
import { buildMemory, type MemoryParts } from './memory.ts';
import { buildModels } from './models.ts';
import type { StandIns } from './stand-ins.ts';

export interface App {
  /** The HTTP server; the caller makes it listen. */
  server: Server;
  /**
   * Connects to Redis and begins to look for unfinished work. Resolves also when Redis is not there yet: the client keeps trying, and
   * webhooks get 503 meanwhile. Rejects with `store.format` or `archive.format` for a store of another version.
   */
  connect(): Promise<void>;
  /** Takes no more work and resolves when what runs has ended. */
  drain(): Promise<void>;
  /** Closes the connections. */
  close(): Promise<void>;
}

/** @param more channels beside the built-in ones */
export function build(config: Config, standIns: StandIns, log: Log, more: readonly BuildChannel[] = []): App {
  let stopping = false;
  const isStopping = () => stopping;
  const provider = standIns.simulator ? 'simulator' : 'real';
  const metrics = createMetrics();
  const memory = buildMemory(config, standIns.redis, metrics, log);
  const models = buildModels(config, standIns, { allowance: memory.allowance, metrics, log });
  const { parts, close: closeChannels } = buildChannels(config, standIns, more, log);
  const channels = createChannels(parts.map(({ channel }) => channel));
  const archive = buildArchive(config, { memory, standIns, metrics, log });
  const { database, standings } = archive;
  const deliver = createDeliver({ channels, now: Date.now });
  const answering = buildAnswering(config, {
    memory,
    models,
    channels,
    deliver,
    standingsOf: standings.of,
    metrics,
    log,
  });
  const { accept, turns, sweep } = answering;
  const server = buildHttp({
    channels: parts,
    receivers: { onMessage: accept, onStatus: (status) => recordStatus(memory, status) },
    desk: buildDesk(config, { memory, archive, channels, deliver, log }),
    publicUrl: config.publicUrl,
    health: {
      checks: { redis: () => memory.format.canWrite() },
      extras: { model: () => models.ping(), archive: () => database.ping(), ...pingsOf(parts) },
      isStopping,
    },
    standIns,
    metrics,
    log,
  });
  letSimulatorInspect(standIns, memory);
  return { server, connect, drain, close };

  async function connect(): Promise<void> {
    await Promise.all([connectRedis(), archive.checkFormat()]);
    sweep.start();
    archive.start();
    // After the caller has begun to listen, and before the first question after our health.
    setImmediate(() => {
      for (const { channel } of parts) void channel.prepare?.().catch(() => {});
    });
  }

  async function connectRedis(): Promise<void> {
    try {
      await memory.redis.connect();
      await memory.format.check(provider);
    } catch (error) {
      if (isFailure(error) && error.code === 'store.format') throw error;
      const reason = error instanceof Error ? error.message : String(error);
      log.error('Redis cannot be reached; trying again. Webhooks get 503 meanwhile.', { reason });
      memory.redis.once('ready', () => void checkLater());
    }
  }

  /** Redis came later than we did. A store of another version is not touched: from then on every request gets 503. */
  async function checkLater(): Promise<void> {
    await memory.format.check(provider).catch((error: unknown) => {
      if (!isFailure(error) || error.code !== 'store.format') return;
      log.error(error.message, { code: error.code });
      stopping = true;
      sweep.stop();
    });
  }

  async function drain(): Promise<void> {
    stopping = true;
    sweep.stop();
    await turns.drain();
    standIns.simulator?.endStreams();
    await archive.drain();
  }

  async function close(): Promise<void> {
    await archive.close();
    memory.redis.disconnect();
    await Promise.all([models.close(), closeChannels()]);
  }
}

/** How long what a provider said is good for, ms. */
const PROVIDER_MS = 60_000;

function pingsOf(parts: readonly ChannelParts[]): Record<string, () => Promise<void>> {
  const pings = parts.flatMap(({ channel }) => {
    const ping = channel.ping?.bind(channel);
    return ping ? [[channel.name, remember(() => ping(), PROVIDER_MS)] as const] : [];
  });
  return Object.fromEntries(pings);
}

async function recordStatus({ publish }: MemoryParts, status: DeliveryStatus): Promise<void> {
  const { channel, business, to } = status;
  const contact = contactIdOf(to);
  const conversation = conversationId({ channel, business, contact });
  await publish(contact, encodeEvent({ type: 'delivery.changed', conversation, at: Date.now(), status }));
}

function letSimulatorInspect({ simulator }: StandIns, { redis, keys, aliases }: MemoryParts): void {
  const inspector = createMemoryInspector({ redis, keys });
  simulator?.lookInto({
    memoryOf: async (address) => inspector.memoryOf(await aliases.rootOf(contactIdOf(address))),
    forget: async (address) => inspector.forget(await aliases.rootOf(contactIdOf(address))),
  });
}
