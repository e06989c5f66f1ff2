/** Where Meta's webhooks arrive: checks the signature, parses, hands over, answers. Decides nothing. */
import { createHash, timingSafeEqual } from 'node:crypto';
import Router from '@koa/router';
import type { Context } from 'koa';
import { contactIdOf } from '../../contacts/addresses.ts';
import { Failure, isFailure } from '../../errors.ts';
import type { DeliveryStatus, Echo, InboundMessage, Report } from '../../message.ts';
import type { Log } from '../../ops/logger.ts';
import { NO_RESPONSE, type OpenResponse } from '../channel.ts';
import type { Inbound } from './inbound.ts';
import type { Numbers } from './numbers.ts';
import { readBatch } from './parse.ts';
import { isSigned } from './signature.ts';

export interface MetaWebhookOptions {
  /** What Meta repeats when the address is given to it. */
  verifyToken: string;
  /** Signs what Meta posts; null accepts everything, only for local experiments. */
  appSecret: string | null;
  numbers: Numbers;
  /** Our business account; undefined when it was not given. */
  accountId?: string | undefined;
  /** Unix ms. */
  now: () => number;
  /** See `Accept`: resolves when the message is stored, rejects when it is not. */
  onMessage: (message: InboundMessage, response: OpenResponse) => Promise<void>;
  onStatus: (status: DeliveryStatus) => Promise<void>;
  onEcho: (echo: Echo) => Promise<void>;
  onReport: (report: Report) => Promise<void>;
  log: Log;
}

export const META_PATH = '/webhook';

/** The largest batch: https://developers.facebook.com/docs/graph-api/webhooks/getting-started says 3 MB. */
export const LARGEST_BATCH = 3 * 1024 * 1024;

/**
 * Meta takes any status but 200 for a failure and brings the whole batch again, for seven days. So once its events are stored, nothing
 * that is wrong with one of them is told; only when the store is away, all of them are to come again.
 */
export function createMetaWebhook(options: MetaWebhookOptions): Router {
  const { verifyToken, appSecret, numbers, accountId, now, onMessage, onStatus, onEcho, onReport, log } = options;
  const router = new Router();
  router.get(META_PATH, verify);
  router.post(META_PATH, receive);
  return router;

  function verify(ctx: Context): void {
    const { 'hub.mode': mode, 'hub.verify_token': token, 'hub.challenge': challenge } = ctx.query;
    if (mode !== 'subscribe' || typeof token !== 'string' || !isSame(token, verifyToken)) {
      throw new Failure('request.forbidden', 'The verify token is not VERIFY_TOKEN. Give Meta the same one.');
    }
    ctx.type = 'text/plain';
    ctx.body = typeof challenge === 'string' ? challenge : '';
  }

  async function receive(ctx: Context): Promise<void> {
    const batch = signedBatch(ctx);
    const { requestId } = ctx.state;
    await takeAll(readBatch(batch, { receivedAt: now(), requestId, numbers, accountId }), log.child({ requestId }));
    ctx.type = 'text/plain';
    ctx.body = 'OK';
  }

  function signedBatch(ctx: Context): unknown {
    const bytes = ctx.request.body;
    if (!Buffer.isBuffer(bytes)) throw new Failure('request.type', 'A webhook of Meta has a body.');
    const signature = ctx.get('X-Hub-Signature-256');
    if (appSecret !== null && !isSigned({ appSecret, signature, bytes })) {
      throw new Failure('request.signature', 'The signature does not fit. Is META_APP_SECRET the secret of this app?');
    }
    try {
      return JSON.parse(bytes.toString('utf8'));
    } catch {
      if (appSecret === null) throw new Failure('request.invalid', 'The body is not JSON.');
      return null;
    }
  }

  /** One person's events in their order, those of others beside. */
  async function takeAll(events: readonly Inbound[], log: Log): Promise<void> {
    const lanes = new Map<string, Inbound[]>();
    for (const event of events) {
      if (event.kind === 'ignored') log.warn('An event of Meta is not kept', { reason: event.reason });
      else lanes.set(laneOf(event), [...(lanes.get(laneOf(event)) ?? []), event]);
    }
    const failures = (await Promise.all([...lanes.values()].map((lane) => takeLane(lane, log)))).flat();
    // What came of others is stored: it is a duplicate when the batch comes again.
    if (failures[0]) throw failures[0];
  }

  /** @returns why events are to come again */
  async function takeLane(events: readonly Inbound[], log: Log): Promise<Failure[]> {
    for (const event of events) {
      try {
        if (event.kind === 'message') await onMessage(event.message, NO_RESPONSE);
        if (event.kind === 'status') await onStatus(event.status);
        if (event.kind === 'echo') await onEcho(event.echo);
        if (event.kind === 'report') await onReport(event.report);
      } catch (error) {
        if (isFailure(error) && error.retryable) return [error];
        log.error('An event of Meta could not be taken in', { kind: event.kind, id: idOf(event), error });
      }
    }
    return [];
  }
}

function idOf(event: Inbound): string | undefined {
  if (event.kind === 'message') return event.message.id;
  return event.kind === 'echo' ? event.echo.id : undefined;
}

function laneOf(event: Inbound): string {
  switch (event.kind) {
    case 'message':
      return event.message.contact;
    case 'status':
      return contactIdOf(event.status.to);
    case 'echo':
      return event.echo.contact;
    case 'report':
      return personOf(event.report);
    case 'ignored':
      return '';
  }
}

/** A change of number comes before what the new one brings. */
function personOf(report: Report): string {
  switch (report.kind) {
    case 'handover':
      return report.handover.contact;
    case 'overheard':
      return contactIdOf(report.overheard.address);
    case 'preference':
      return report.preference.contact;
    case 'number changed':
      return report.change.to;
    case 'news':
      return report.news.subject;
  }
}

/** In constant time: a wrong guess reveals nothing. */
function isSame(given: string, token: string): boolean {
  const [a, b] = [given, token].map((text) => createHash('sha256').update(text).digest());
  return a !== undefined && b !== undefined && timingSafeEqual(a, b);
}
