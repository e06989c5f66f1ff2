/** Broadcasts in the inbox's API: made of a list, watched, stopped, exported. */
import { Readable } from 'node:stream';
import type { Context } from 'koa';
import type { z } from 'zod';
import type { Broadcasts, BroadcastRow as Row } from '../archive/read/broadcasts.ts';
import type { BroadcastAsked, BroadcastDesk, DryRun, Progress, Step } from '../broadcast/broadcasts.ts';
import type { Initiate } from '../broadcast/initiate.ts';
import { readSheet } from '../broadcast/sheet.ts';
import { phoneOf } from '../contacts/addresses.ts';
import { Failure } from '../errors.ts';
import { type TemplateRef, templateName, templateRef } from '../message.ts';
import { decimalOf } from '../money.ts';
import type { Senders } from '../outbound/senders.ts';
import { type Answered, type Broadcast, type BroadcastRow, RowState, requests } from './contract.ts';
import { withUpload } from './upload.ts';

export interface BroadcastTools {
  desk: BroadcastDesk;
  read: Pick<Broadcasts, 'list' | 'rows'>;
  initiate: Initiate;
  senders: Senders;
  /** The one of the settings; null when there is none. */
  template: TemplateRef | null;
  timeZone: string;
  quietHours: string | null;
  requiresOptIn: boolean;
  explain: (channel: string, code: string) => string | null;
}

type Parsed = <Schema extends z.ZodObject>(schema: Schema, given: unknown) => z.output<Schema>;

/** @param parsed checks what a request asks */
export function broadcastHandlers(tools: BroadcastTools, parsed: Parsed) {
  const { desk, read, initiate, senders, explain } = tools;
  const stepTo =
    (step: Step) =>
    async ({ params }: { params: { id: string } }): Promise<Answered<'broadcast'>> => ({
      success: true,
      broadcast: presentBroadcast(await desk.step(params.id, step)),
    });
  return {
    async initiateBulk({ body }: { body: z.output<typeof requests.initiateBulk> }): Promise<Answered<'initiateBulk'>> {
      const { numbers, variables } = body;
      return initiate({ numbers, variables, template: refIn(body.template) });
    },

    async broadcasts({ query }: { query: z.output<typeof requests.broadcasts> }): Promise<Answered<'broadcasts'>> {
      const { items, next } = await read.list(query);
      const shown = await Promise.all(items.map((item) => desk.presentable(item)));
      return { success: true, broadcasts: shown.map(presentBroadcast), count: items.length, next_cursor: next };
    },

    async broadcastOptions(): Promise<Answered<'broadcastOptions'>> {
      const all = await senders.all();
      return {
        success: true,
        senders: all.map(({ channel, business }) => ({ channel, business_number: phoneOf(business) })),
        template: tools.template && templateName(tools.template),
        time_zone: tools.timeZone,
        quiet_hours: tools.quietHours,
        requires_opt_in: tools.requiresOptIn,
      };
    },

    createBroadcast: (_asked: unknown, ctx: Context): Promise<Answered<'createBroadcast'>> =>
      withUpload(ctx, async (upload) => {
        const createdBy = ctx.get('x-api-key') === '' ? 'desk' : 'api';
        if (upload.kind === 'json') {
          const { dry_run, ...given } = parsed(requests.createBroadcast, upload.given);
          return create(dry_run, { ...optionsOf(given), ...listOf(given), createdBy });
        }
        const { dry_run, ...given } = parsed(requests.uploadBroadcast, ctx.query);
        const list = await readSheet(upload.bytes);
        return create(dry_run, { ...optionsOf(given), ...list, variables: {}, createdBy });
      }),

    async broadcast({ params }: { params: { id: string } }): Promise<Answered<'broadcast'>> {
      return { success: true, broadcast: presentBroadcast(await desk.progress(params.id)) };
    },

    async broadcastRows({
      params,
      query: { limit, cursor: after = 0, state },
    }: {
      params: { id: string };
      query: z.output<typeof requests.broadcastRows>;
    }): Promise<Answered<'broadcastRows'>> {
      const { channel } = await desk.progress(params.id);
      const found = await read.rows(params.id, { limit: limit + 1, after, state });
      const shown = found.slice(0, limit);
      const next = found.length > limit ? String(shown.at(-1)?.position ?? 0) : null;
      const rows = shown.map((row) => presentRow(row, channel, explain));
      return { success: true, rows, count: rows.length, next_cursor: next };
    },

    async exportBroadcast({ params }: { params: { id: string } }, ctx: Context): Promise<undefined> {
      const { channel } = await desk.progress(params.id);
      ctx.attachment('broadcast.csv');
      ctx.type = 'text/csv; charset=utf-8';
      ctx.body = Readable.from(csvOf(params.id, channel));
    },

    pauseBroadcast: stepTo('pause'),
    resumeBroadcast: stepTo('resume'),
    cancelBroadcast: stepTo('cancel'),
  };

  async function create(isDryRun: boolean, asked: BroadcastAsked): Promise<Answered<'createBroadcast'>> {
    if (isDryRun) return presentDryRun(await desk.dryRun(asked), asked);
    const made = await desk.create(asked);
    const skipped = await read.rows(made.id, { limit: EXAMPLES, after: 0, state: 'skipped' });
    const skipped_rows = skipped.map((row) => presentRow(row, made.channel, explain));
    return { success: true, ...presentBroadcast(made), skipped_rows };
  }

  async function* csvOf(id: string, channel: string): AsyncGenerator<string> {
    yield `${COLUMNS.join(',')}\r\n`;
    for (let after = 0; ; ) {
      const rows = await read.rows(id, { limit: AT_ONCE, after });
      const last = rows.at(-1);
      if (!last) return;
      const lines = rows.map((row) => {
        const shown = presentRow(row, channel, explain);
        return COLUMNS.map((column) => cellOf(shown[column])).join(',');
      });
      yield `${lines.join('\r\n')}\r\n`;
      after = last.position;
    }
  }
}

const EXAMPLES = 20;
const AT_ONCE = 1_000;
const COLUMNS = [
  'position',
  'number',
  'state',
  'reason',
  'note',
  'error_code',
  'message_sid',
  'tried_at',
  'changed_at',
] as const satisfies (keyof BroadcastRow)[];

/** A cell that begins like a formula would be one in a spreadsheet. */
function cellOf(value: string | number | null): string {
  const text = String(value ?? '');
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function refIn(name: string | undefined): TemplateRef | undefined {
  // The contract lets only names through.
  return name === undefined ? undefined : (templateRef(name) ?? undefined);
}

type Options = Omit<z.output<typeof requests.uploadBroadcast>, 'dry_run'>;

function optionsOf({ template, channel, business_number: business, name, schedule_at: scheduleAt }: Options) {
  return { template: refIn(template), channel, business, name, scheduleAt };
}

type Json = Omit<z.output<typeof requests.createBroadcast>, 'dry_run'>;

function listOf({ numbers, rows, variables }: Json): Pick<BroadcastAsked, 'columns' | 'entries' | 'variables'> {
  if ((numbers === undefined) === (rows === undefined))
    throw new Failure('request.invalid', 'Give either numbers or rows; or a list as text/csv.');
  const entries = rows ?? (numbers ?? []).map((number) => ({ number, variables: {} }));
  const columns = [...new Set(entries.flatMap((entry) => Object.keys(entry.variables)))];
  return { columns, entries, variables };
}

function presentDryRun(plan: DryRun, { name, createdBy }: BroadcastAsked): Answered<'createBroadcast'> {
  const { sender, templateName: template, startsAt, total, waiting, skipped, examples, cost } = plan;
  const counts = { ...NOTHING, waiting, skipped: total - waiting };
  return {
    success: true,
    id: null,
    name: name ?? template,
    channel: sender.channel,
    business_number: phoneOf(sender.business),
    template,
    state: 'dry_run',
    ...{ reason: null, reason_code: null, waits_for: null, waits_until: null, ended_at: null, pace: null },
    starts_at: timeOf(startsAt),
    created_at: timeOf(startsAt),
    created_by: createdBy,
    total,
    counts,
    skipped_reasons: skipped,
    estimated_cost: cost && { amount: decimalOf(cost.billionths), currency: cost.currency },
    skipped_rows: examples.map(({ position, address, reason, note }) => ({
      ...{ position, number: address, state: 'skipped' as const, reason, note },
      ...{ error_code: null, reply_id: null, message_sid: null, tried_at: null, changed_at: null },
    })),
  };
}

const NOTHING = Object.fromEntries(RowState.options.map((state) => [state, 0])) as Broadcast['counts'];

export function presentBroadcast(broadcast: Progress): Broadcast {
  const { id, name, channel, reason, total, state, pace, cost } = broadcast;
  return {
    id,
    name,
    channel,
    business_number: phoneOf(broadcast.business),
    template: broadcast.templateName,
    state: broadcast.waitsFor === 'schedule' ? 'scheduled' : state,
    reason,
    reason_code: broadcast.reasonCode,
    waits_for: broadcast.waitsFor,
    waits_until: broadcast.waitsUntil === null ? null : timeOf(broadcast.waitsUntil),
    starts_at: timeOf(broadcast.startsAt),
    created_at: timeOf(broadcast.createdAt),
    ended_at: broadcast.endedAt === null ? null : timeOf(broadcast.endedAt),
    created_by: broadcast.createdBy,
    total,
    counts: { ...NOTHING, ...broadcast.counts },
    skipped_reasons: broadcast.skipped,
    pace: pace && { per_second: pace.perSecond, allowed_per_second: pace.allowed },
    estimated_cost: cost && { amount: decimalOf(cost.billionths), currency: cost.currency },
  };
}

function presentRow(row: Row, channel: string, explain: BroadcastTools['explain']): BroadcastRow {
  const { position, address: number, state, reason, errorCode, replyId, sid, firstAt, changedAt } = row;
  const byProvider = state === 'failed' && errorCode !== null ? explain(channel, errorCode) : null;
  return {
    position,
    number,
    state,
    reason: reason ?? (state === 'failed' ? 'delivery' : null),
    note: byProvider ?? (row.note || WORDS[`${state} ${reason ?? ''}`.trim()]) ?? null,
    error_code: errorCode,
    reply_id: replyId,
    message_sid: sid,
    tried_at: firstAt === null ? null : timeOf(firstAt),
    changed_at: timeOf(changedAt),
  };
}

/** What has no note of its own. */
const WORDS: Record<string, string> = {
  'skipped cancelled': 'The broadcast was cancelled before.',
  failed: 'It was not delivered.',
  uncertain: 'The broadcast was cancelled while it was being sent.',
};

function timeOf(at: number): string {
  return new Date(at).toISOString();
}
