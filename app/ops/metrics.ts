/** Figures for Prometheus, all on one page. Names follow https://prometheus.io/docs/practices/naming/. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import Router from '@koa/router';
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** What the parts report. Labels have few values by design: never an address, an id or a text. */
export interface Metrics {
  /** A message came in: `kind` text, image, audio …; `outcome` accepted, waiting, known (a duplicate), busy, unavailable. */
  messageReceived(kind: string, outcome: string): void;
  /** A turn ended: `outcome` answer, apology, notice, quiet, retry, dead or failed; `via` response, call or none. */
  turnEnded(outcome: string, via: string): void;
  /** How long a stage of a turn took, ms: waited, media, model, commit, deliver, total (from the oldest message's arrival). */
  stageTook(stage: string, ms: number): void;
  /** A file was fetched and read: `kind` image or audio; `outcome` read, or a failure's code. */
  mediaRead(kind: string, outcome: string, ms: number): void;
  /** One call of a model: `purpose` answer, summary, transcription. */
  modelCalled(purpose: string, outcome: string, ms: number): void;
  tokensUsed(purpose: string, usage: { prompt: number; completion: number; cached: number }): void;
  /** Something was repeated: `what` model, send or turn. */
  retried(what: string): void;
  /** A Redis script ran. */
  redisTook(script: string, ms: number): void;
  /** Addresses and ids of the provider were removed: `where` message, answer, or prompt (the last check, which should find none). */
  scrubbed(where: 'message' | 'answer' | 'prompt', count: number): void;
  /** A contact is not answered for a while, because what they write looks like spam: `reason` is the most important one. */
  throttled(reason: string): void;
  /** Lines of histories in Redis could not be read and were left out. */
  damagedLines(count: number): void;
  /**
   * A figure as `GET /metrics` shows it, summed up over the labels that are not given; null when this process does not have it.
   * @param name without `recado_`; of a histogram with `_sum` or `_count`
   */
  figure(name: string, labels?: Readonly<Record<string, string>>): Promise<number | null>;
  /** Reads a figure when it is requested; a figure that cannot be read is NaN. */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  /** `GET /metrics` */
  router: Router;
}

/** Where a process says its figures to the one in front of it, over a unix socket alone. */
export const FIGURES_PATH = '/metrics.json';

const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60];
const REDIS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.5];

export interface MetricsOptions {
  /** Which process this is: a label of what is about the process. Default: bot. */
  process?: 'bot' | 'desk';
  /** Figures of a process beside this one, as its `GET /metrics.json` says them; they are added to ours. */
  beside?: (() => Promise<unknown>) | undefined;
}

/** How finely the delay of the event loop is looked at, ms. */
const DELAY_RESOLUTION_MS = 10;

export function createMetrics({ process = 'bot', beside }: MetricsOptions = {}): Metrics {
  const registers = [new Registry()];
  const [registry] = registers;
  if (!registry) throw new RangeError('there is always one registry');
  collectDefaultMetrics({ register: registry, prefix: 'recado_process_' });
  const counter = (name: string, help: string, labelNames: string[] = []) =>
    new Counter({ name: `recado_${name}`, help, labelNames, registers });
  const histogram = (name: string, help: string, labelNames: string[], buckets = SECONDS) =>
    new Histogram({ name: `recado_${name}`, help, labelNames, buckets, registers });

  const messages = counter('messages_received_total', 'Messages that came in', ['kind', 'outcome']);
  const turns = counter('turns_total', 'Turns that ended', ['outcome', 'via']);
  const stages = histogram('turn_stage_seconds', 'How long the stages of a turn took', ['stage']);
  const media = histogram('media_read_seconds', 'How long files took to fetch and read', ['kind', 'outcome']);
  const modelCalls = histogram('model_call_seconds', 'Calls of a model, retries included', ['purpose', 'outcome']);
  const tokens = counter('model_tokens_total', 'Model tokens, as the provider counted', ['purpose', 'kind']);
  const retries = counter('retries_total', 'What was tried again', ['what']);
  const redis = histogram('redis_script_seconds', 'Round trips to Redis', ['script'], REDIS_SECONDS);
  const scrubbed = counter('scrubbed_total', 'Provider addresses and ids that were taken out of texts', ['where']);

  const throttled = counter('contacts_throttled_total', 'Contacts whose messages looked like spam', ['reason']);
  const damaged = counter('history_lines_damaged_total', 'Lines of histories that could not be read');

  const router = new Router();
  router.get('/metrics', async (ctx) => {
    const others = await beside?.().catch(() => undefined); // it is just starting: ours are there
    const figures = [await registry.getMetricsAsJSON(), ...(Array.isArray(others) ? [others] : [])];
    ctx.body = await AggregatorRegistry.aggregate(figures).metrics();
    ctx.type = registry.contentType;
  });
  router.get(FIGURES_PATH, async (ctx) => {
    if (ctx.req.socket.remoteAddress === undefined) ctx.body = await registry.getMetricsAsJSON();
  });
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  new Gauge({
    name: 'recado_event_loop_delay_p99_seconds',
    help: 'How long events waited for the process since the last look, 99th percentile',
    labelNames: ['process'],
    registers,
    collect() {
      this.set({ process }, Math.max(0, delay.percentile(99) / 1e9 - DELAY_RESOLUTION_MS / 1e3));
      delay.reset();
    },
  });

  return {
    router,
    messageReceived: (kind, outcome) => messages.inc({ kind, outcome }),
    turnEnded: (outcome, via) => turns.inc({ outcome, via }),
    stageTook: (stage, ms) => stages.observe({ stage }, ms / 1_000),
    mediaRead: (kind, outcome, ms) => media.observe({ kind, outcome }, ms / 1_000),
    modelCalled: (purpose, outcome, ms) => modelCalls.observe({ purpose, outcome }, ms / 1_000),
    tokensUsed(purpose, { prompt, completion, cached }) {
      tokens.inc({ purpose, kind: 'prompt' }, prompt);
      tokens.inc({ purpose, kind: 'completion' }, completion);
      tokens.inc({ purpose, kind: 'cached' }, cached);
    },
    retried: (what) => retries.inc({ what }),
    redisTook: (script, ms) => redis.observe({ script }, ms / 1_000),
    scrubbed: (where, count) => scrubbed.inc({ where }, count),
    throttled: (reason) => throttled.inc({ reason }),
    damagedLines: (count) => damaged.inc(count),
    figure: (name, labels) => figureIn(registry, `recado_${name}`, labels),
    gauge(name, help, read) {
      new Gauge({
        name: `recado_${name}`,
        help,
        registers,
        async collect() {
          // A part that is away must not take all the other figures with it.
          this.set(
            await Promise.resolve()
              .then(read)
              .catch(() => Number.NaN),
          );
        },
      });
    },
  };
}

async function figureIn(
  registry: Registry,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<number | null> {
  const metric = registry.getSingleMetric(name) ?? registry.getSingleMetric(name.replace(/_(?:sum|count)$/, ''));
  if (!metric) return null;
  // What histograms have beside it, their type leaves out.
  const values: { value: number; labels: Partial<Record<string, string | number>>; metricName?: string }[] = (
    await metric.get()
  ).values;
  const wanted = Object.entries(labels);
  return values
    .filter((one) => (one.metricName ?? name) === name && wanted.every(([label, value]) => one.labels[label] === value))
    .reduce((sum, { value }) => sum + value, 0);
}
