/** Joins what is watched with the operator who is told of it. */
import type { Config } from '../config.ts';
import { createAlarmBoard } from '../memory/alarms.ts';
import { type Alarm, createWatch } from '../ops/alarms.ts';
import type { Log } from '../ops/logger.ts';
import { createWebhook } from '../ops/webhook.ts';
import type { MemoryParts } from './memory.ts';

export interface AlarmParts {
  /**
   * Begins to look; nothing without `ALERT_WEBHOOK_URL`.
   * @param isOurs see `Join`: nothing is written to Redis before
   */
  start(isOurs: () => boolean | null): void;
  stop(): Promise<void>;
}

const NOBODY_TO_TELL: AlarmParts = { start: () => {}, stop: async () => {} };

export interface AlarmTools {
  memory: MemoryParts;
  /** Of this process; those with the same name in another one are the same. */
  alarms: readonly Alarm[];
  /** Is it an alarm of this process, too, that Redis is away? */
  seesRedis: boolean;
  log: Log;
}

export function buildAlarms(config: Config, { memory, alarms, seesRedis, log }: AlarmTools): AlarmParts {
  const { alertWebhookUrl: url, webhookSecret: secret, business } = config;
  if (url === undefined) return NOBODY_TO_TELL;
  const { run, keys, clock, processes } = memory;
  const { now } = clock;
  const webhook = createWebhook({ url, secret, log, now });
  const board = createAlarmBoard({ run, keys, processId: processes.id });
  let mayWrite: () => boolean | null = () => false;
  const watch = createWatch({
    alarms,
    board: { report: (states) => (mayWrite() ? board.report(states) : Promise.reject(new Error('not reached yet'))) },
    send: webhook.send,
    sender: business.name === null ? 'Recado' : `Recado (${business.name})`,
    now,
    log,
    ...(seesRedis ? {} : { awayMs: Number.POSITIVE_INFINITY }),
  });
  return {
    start(isOurs) {
      mayWrite = isOurs;
      watch.start();
    },
    async stop() {
      await watch.stop();
      await webhook.close();
    },
  };
}
