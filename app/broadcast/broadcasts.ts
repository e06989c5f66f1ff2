/** Broadcasts as the team makes them: planned, tried out, sent, watched, stopped. */
import type { Broadcast, Broadcasts, Pace } from '../archive/read/broadcasts.ts';
import type { BroadcastStore, NewRow, Sender } from '../archive/write/broadcasts.ts';
import type { RefusalScope, Template } from '../channels/channel.ts';
import { readAddress } from '../contacts/addresses.ts';
import type { MessagePrice } from '../costs/prices.ts';
import { Failure } from '../errors.ts';
import { type ChannelName, templateName as nameOf, type TemplateRef } from '../message.ts';
import type { Money } from '../money.ts';
import type { Senders } from '../outbound/senders.ts';
import type { Templates } from '../outbound/templates.ts';
import type { AccountState } from './account.ts';
import { type QuietHours, quietFor, readTime } from './hours.ts';
import { NO_TEMPLATE } from './initiate.ts';
import { type PlanOptions, plan } from './plan.ts';
import type { Entry } from './sheet.ts';

export interface BroadcastAsked {
  /** Default: that of the settings. */
  template?: TemplateRef | undefined;
  channel?: string | undefined;
  business?: string | undefined;
  /** Default: the template and the day. */
  name?: string | undefined;
  /** What stands where an entry says nothing. */
  variables: Readonly<Record<string, string>>;
  /** A time, see `readTime`. Default: at once. */
  scheduleAt?: string | undefined;
  /** The names of all variables that entries have. */
  columns: readonly string[];
  entries: AsyncIterable<Entry> | Iterable<Entry>;
  createdBy: 'desk' | 'api';
}

/** What a broadcast would do. */
export interface DryRun {
  sender: Sender;
  templateName: string;
  startsAt: number;
  total: number;
  /** So many would be written to. */
  waiting: number;
  skipped: Record<string, number>;
  /** The first of those that are skipped. */
  examples: { position: number; address: string; reason: string; note: string }[];
  /** What the messages would cost by the price table; null when it has no price for them. */
  cost: Money | null;
}

/** A broadcast with what holds it up just now. */
export interface Progress extends Broadcast {
  /** Null while it is not running. */
  pace: Pace | null;
  /** What the rows that are not skipped cost by the price table; null when it has no price for them. */
  cost: Money | null;
  waitsFor: 'schedule' | 'quiet' | 'day' | 'provider' | null;
  /** Until when, as far as that is known, unix ms. */
  waitsUntil: number | null;
}

export type Step = 'pause' | 'resume' | 'cancel';

export interface BroadcastDesk {
  /** Rejects with `channel.template` for a template that cannot be sent or a variable that it does not have. */
  create(asked: BroadcastAsked): Promise<Progress>;
  dryRun(asked: BroadcastAsked): Promise<DryRun>;
  progress(id: string): Promise<Progress>;
  /** The same for one that was read already. */
  presentable(broadcast: Broadcast): Promise<Progress>;
  /** Rejects with `request.not_found`, or with `request.invalid` when the broadcast is not in a state for it. */
  step(id: string, step: Step): Promise<Progress>;
}

export interface BroadcastDeskTools {
  store: Pick<BroadcastStore, 'create' | 'turn'>;
  broadcasts: Pick<Broadcasts, 'find' | 'paceOf' | 'permissionsOf'>;
  templates: Pick<Templates, 'list'>;
  senders: Senders;
  news: AccountState;
  prices: readonly MessagePrice[];
  /** What one of a provider's codes is about. */
  scopeOf: (channel: ChannelName, code: string) => RefusalScope | null;
  /** Of the settings. */
  template: TemplateRef | null;
  requiresOptIn: boolean;
  quietHours: QuietHours | null;
  timeZone: string;
  /** There is something to send. */
  wake: () => void;
  now: () => number;
}

const EXAMPLES = 20;
const MOST_AHEAD_MS = 366 * 86_400_000;

export function createBroadcastDesk(tools: BroadcastDeskTools): BroadcastDesk {
  const { store, broadcasts, templates, senders, news, prices, scopeOf } = tools;
  const { requiresOptIn, quietHours, timeZone, wake, now } = tools;
  return { create, dryRun, progress, presentable, step };

  async function create(asked: BroadcastAsked): Promise<Progress> {
    const { sender, ref, template, startsAt } = await check(asked);
    const templateName = nameOf(ref);
    const name =
      asked.name?.trim() || `${template?.name ?? templateName}, ${new Date(now()).toISOString().slice(0, 10)}`;
    const { createdBy } = asked;
    const category = template?.category || null;
    const rows = plan(asked.entries, planOptions(asked, sender.channel, template));
    const given = { ...sender, name, template: ref, templateName, category, startsAt, createdBy };
    const id = await store.create(given, notEmpty(rows));
    wake();
    return progress(id);
  }

  async function dryRun(asked: BroadcastAsked): Promise<DryRun> {
    const { sender, ref, template, startsAt } = await check(asked);
    const skipped: Record<string, number> = {};
    const examples: DryRun['examples'] = [];
    let [total, waiting] = [0, 0];
    for await (const rows of notEmpty(plan(asked.entries, planOptions(asked, sender.channel, template)))) {
      for (const { state, reason, note, address } of rows) {
        total++;
        if (state === 'waiting') waiting++;
        if (state === 'waiting' || reason === null) continue;
        skipped[reason] = (skipped[reason] ?? 0) + 1;
        if (examples.length < EXAMPLES) examples.push({ position: total, address, reason, note: note ?? '' });
      }
    }
    const cost = costOf(sender.channel, template?.category ?? '', waiting);
    return { sender, templateName: nameOf(ref), startsAt, total, waiting, skipped, examples, cost };
  }

  async function progress(id: string): Promise<Progress> {
    const found = await broadcasts.find(id);
    if (!found) throw new Failure('request.not_found', 'There is no such broadcast.');
    return presentable(found);
  }

  async function presentable(found: Broadcast): Promise<Progress> {
    const pace = found.state === 'running' ? await broadcasts.paceOf(found) : null;
    const cost = costOf(found.channel, found.category ?? '', found.total - (found.counts.skipped ?? 0));
    return { ...found, pace, cost, ...waitOf(found, pace) };
  }

  async function step(id: string, step: Step): Promise<Progress> {
    const { from, to } = STEPS[step];
    const before = await progress(id);
    if (!(await store.turn(id, from, to))) {
      throw new Failure('request.invalid', `The broadcast is ${before.state}: ${step} is not possible.`);
    }
    wake();
    return progress(id);
  }

  /** What can be said before the list is read. */
  async function check(asked: BroadcastAsked) {
    const ref = asked.template ?? tools.template;
    if (!ref) throw new Failure('channel.template', NO_TEMPLATE);
    const { channel, business } = asked;
    const sender = await senders.find(ref, {
      channel,
      business: business === undefined ? undefined : readAddress(business),
    });
    const template = await templateOf(sender.channel, ref);
    const refusal = await news.refusal(sender.channel, ref);
    if (refusal) throw new Failure('channel.template', refusal.reason);
    if (template) {
      const unknown = [...asked.columns, ...Object.keys(asked.variables)].filter(
        (name) => !template.variables.includes(name),
      );
      if (unknown.length > 0) throw new Failure('channel.template', unknownWords(ref, unknown, template.variables));
    }
    return { sender, ref, template, startsAt: startOf(asked) };
  }

  /** Null where templates can be sent, but not looked up. */
  async function templateOf(channel: string, ref: TemplateRef): Promise<Template | null> {
    const list = await templates.list(channel).catch((error: unknown) => {
      if (error instanceof Failure && error.code === 'channel.template') return null;
      throw error;
    });
    if (list === null) return null;
    const found = list.find((one) => nameOf(one.ref) === nameOf(ref));
    if (!found) throw new Failure('channel.template', `There is no template ${nameOf(ref)}.`);
    if (found.state !== 'approved') {
      throw new Failure(
        'channel.template',
        `The template ${nameOf(ref)} is ${found.state}: only an approved one can be sent.`,
      );
    }
    return found;
  }

  function startOf({ scheduleAt }: BroadcastAsked): number {
    if (scheduleAt === undefined) return now();
    const at = readTime(scheduleAt, timeZone);
    if (at === null) {
      const way = `2026-12-01T09:00 (by the clocks of ${timeZone}) or 2026-12-01T09:00:00Z`;
      throw new Failure('request.invalid', `schedule_at: expected a time such as ${way}.`);
    }
    if (at > now() + MOST_AHEAD_MS) throw new Failure('request.invalid', 'schedule_at: expected a time within a year.');
    return Math.max(at, now());
  }

  function planOptions(
    { variables: defaults }: BroadcastAsked,
    channel: ChannelName,
    template: Template | null,
  ): PlanOptions {
    const isMarketing = template?.category.toLowerCase() === 'marketing';
    const needed = template?.variables ?? null;
    const holds = (code: string) => scopeOf(channel, code) === 'marketing';
    return { permissionsOf: broadcasts.permissionsOf, requiresOptIn, isMarketing, holds, needed, defaults };
  }

  function costOf(channel: string, category: string, messages: number): Money | null {
    const price =
      prices.find((one) => one.channel === channel && one.category?.toLowerCase() === category.toLowerCase()) ??
      prices.find((one) => one.channel === channel && one.category === null);
    return price ? { billionths: price.cost.billionths * messages, currency: price.cost.currency } : null;
  }

  function waitOf({ state, startsAt }: Broadcast, pace: Pace | null): Pick<Progress, 'waitsFor' | 'waitsUntil'> {
    if (state !== 'running') return { waitsFor: null, waitsUntil: null };
    if (startsAt > now()) return { waitsFor: 'schedule', waitsUntil: startsAt };
    const quietMs = quietFor(quietHours, now(), timeZone);
    if (quietMs > 0) return { waitsFor: 'quiet', waitsUntil: now() + quietMs };
    if (pace?.heldFor === 'day') return { waitsFor: 'day', waitsUntil: null };
    return pace?.heldFor ? { waitsFor: 'provider', waitsUntil: pace.heldUntil } : { waitsFor: null, waitsUntil: null };
  }
}

const STEPS = {
  pause: { from: ['running'], to: 'paused' },
  resume: { from: ['paused', 'stopped'], to: 'running' },
  cancel: { from: ['running', 'paused', 'stopped'], to: 'cancelled' },
} as const;

function unknownWords(ref: TemplateRef, unknown: readonly string[], variables: readonly string[]): string {
  const named = `The template ${nameOf(ref)} has no variable ${[...new Set(unknown)].join(', ')}.`;
  return variables.length === 0 ? `${named} It has none.` : `${named} It has: ${variables.join(', ')}.`;
}

async function* notEmpty(rows: AsyncIterable<NewRow[]>): AsyncGenerator<NewRow[]> {
  let isEmpty = true;
  for await (const chunk of rows) {
    isEmpty = false;
    yield chunk;
  }
  if (isEmpty) throw new Failure('request.invalid', 'The list is empty.');
}
