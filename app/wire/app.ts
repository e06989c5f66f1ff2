/**
 * The composition root: everything is built here and handed its tools. Nothing is connected or opened before `connect`.
 * The other files of this folder join one part each; `stand-ins.ts` comes first and starts what is not configured.
 */
import type { Server } from 'node:http';
import type { Config } from '../config.ts';
import type { Log } from '../ops/logger.ts';
import { createMetrics } from '../ops/metrics.ts';
import { buildArchive } from './archive.ts';
import { buildAuth, passwordOf } from './auth.ts';
import { buildBot } from './bot.ts';
import { type BuildChannel, buildChannels, pingsOf, statesOf } from './channels.ts';
import { buildCosts } from './costs.ts';
import { buildDesk } from './desk.ts';
import type { DeskProcess } from './desk-process.ts';
import { buildHttp } from './http.ts';
import { letSimulatorInspect } from './inspect.ts';
import { createJoin } from './join.ts';
import { buildMemory } from './memory.ts';
import { buildOutbound } from './outbound.ts';
import { buildPurpose } from './purpose.ts';
import { buildRecording } from './recording.ts';
import type { StandIns } from './stand-ins.ts';

export interface App {
  /** The HTTP server; the caller makes it listen. */
  server: Server;
  /**
   * Connects to Redis and begins to look for unfinished work; the archive and the desk begin when the server listens. Resolves also when
   * Redis is not there yet: the client keeps trying, and webhooks get 503 meanwhile. Rejects with `store.format` or `archive.format` for a
   * store of another version.
   */
  connect(): Promise<void>;
  /**
   * Begins no more work and resolves when what runs has ended; what has not after `patienceMs` is given back. Default: no limit.
   * Webhooks are stored until the server closes, and left to another process.
   */
  drain(patienceMs?: number): Promise<void>;
  /** Closes the connections; the server is closed before. */
  close(): Promise<void>;
}

/** Which parts run in this process. */
export interface Parts {
  /** Webhooks, turns and the sweep. */
  bot: boolean;
  /** Archive, analysis and inbox: here, in a process beside this one that it starts, or on another machine. */
  desk: 'here' | DeskProcess | 'elsewhere';
}

export interface BuildOptions {
  /** Default: all in this process. */
  parts?: Parts;
  /** Password of the inbox. Default: the configured one, else one that is generated and printed. */
  password?: string;
  /** Channels beside the built-in ones. */
  channels?: readonly BuildChannel[];
}

const ALL_HERE: Parts = { bot: true, desk: 'here' };

export function build(config: Config, standIns: StandIns, log: Log, options: BuildOptions = {}): App {
  const { parts = ALL_HERE, password = passwordOf(config, log), channels: more = [] } = options;
  const beside = typeof parts.desk === 'object' ? parts.desk : null;
  let stopping = false;
  const isStopping = () => stopping || join.isOurs() === false;
  let connected = false;
  const metrics = createMetrics({ process: parts.bot ? 'bot' : 'desk', beside: beside?.figures });
  const memory = buildMemory(config, standIns.redis, metrics, log);
  const { now } = memory.clock;
  const { parts: channelParts, close: closeChannels } = buildChannels(config, standIns, more, {
    now,
    reportsOf: memory.reportsOf,
    log,
  });
  const archive = buildArchive(standIns, log);
  const { database } = archive;
  const outbound = buildOutbound(
    channelParts.map(({ channel }) => channel),
    now,
  );
  const purpose = buildPurpose(config);
  const costs = buildCosts(config, {
    memory,
    archive,
    channels: outbound.channels.all,
    records: parts.desk === 'here',
    log,
  });
  const shared = { memory, archive, standIns, outbound, purpose, costs, metrics, log };
  const bot = parts.bot ? buildBot(config, shared) : null;
  const join = createJoin({
    memory,
    provider: standIns.isSimulated ? 'simulator' : 'real',
    look: () => bot?.sweep.look(),
    onOurs: sweepOurs,
    isStopping: () => stopping,
    log,
  });
  const recording = parts.desk === 'here' ? buildRecording(config, shared) : null;
  const auth = buildAuth(config, password, memory, log);
  const desk = recording && buildDesk(config, { ...shared, recording, auth });
  const server = buildServer();
  letSimulatorInspect(standIns, memory);
  return { server, connect, drain, close };

  function buildServer(): Server {
    return buildHttp({
      channels: channelParts,
      receivers: bot && {
        onMessage: join.ifOurs(bot.accept),
        onStatus: join.ifOurs(bot.onStatus),
        onEcho: join.ifOurs(bot.onEcho),
        onReport: join.ifOurs(bot.onReport),
      },
      desk: {
        routers: desk?.routers ?? [],
        isSignedIn: auth.isSignedIn,
      },
      deskSocket: beside?.socket,
      hasInbox: parts.desk !== 'elsewhere',
      publicUrl: config.publicUrl,
      health: {
        checks: { redis: () => memory.format.canWrite() },
        extras: {
          ...(bot && { model: bot.pingModel }),
          archive: () => database.ping(),
          ...pingsOf(channelParts),
          ...(beside && { desk: beside.ping }),
        },
        states: bot ? { ...purpose.states, ...statesOf(channelParts) } : {},
        isStopping,
      },
      standIns,
      metrics,
      log,
    });
  }

  async function connect(): Promise<void> {
    bot?.alarms.start(join.isOurs);
    await Promise.all([join.connect(), database.checkFormat()]);
    connected = true;
    costs.budget.start();
    sweepOurs();
    // Nobody waits for it: a private PostgreSQL is started when messages can already come in.
    server.once('listening', () => {
      beside?.start();
      void archive.start().then(() => {
        recording?.start(join.isOurs);
        desk?.start(join.isOurs);
      });
      if (bot) for (const { channel } of channelParts) void channel.prepare?.().catch(() => {});
    });
  }

  /** Once we know that what is in Redis is ours, and the archive is not another version's. */
  function sweepOurs(): void {
    if (connected && !stopping && join.isOurs()) bot?.sweep.start();
  }

  async function drain(patienceMs?: number): Promise<void> {
    stopping = true;
    bot?.sweep.stop();
    await bot?.turns.drain(patienceMs);
    standIns.simulator?.endStreams();
    await Promise.all([recording?.drain(), desk?.drain(), beside?.stop()]);
    await costs.budget.stop();
  }

  async function close(): Promise<void> {
    await Promise.all([recording?.close(), database.close()]);
    await memory.processes.stop();
    memory.redis.disconnect();
    await Promise.all([bot?.close(), closeChannels()]);
  }
}
