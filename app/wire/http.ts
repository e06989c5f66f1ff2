/** Joins what answers HTTP: routers in their order, health, pages, one exit for errors. */
import type { Server } from 'node:http';
import type Router from '@koa/router';
import { createFiguresGate } from '../http/nearby.ts';
import { builtPages, createPages } from '../http/pages.ts';
import { createServer, listenerFor } from '../http/server.ts';
import { isPublicAddress } from '../media/addresses.ts';
import { createHealth, type HealthOptions } from '../ops/health.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import { createGate } from '../simulator/gate.ts';
import type { ChannelParts, Receivers } from './channels.ts';
import type { DeskParts } from './desk.ts';
import type { StandIns } from './stand-ins.ts';

export interface HttpTools {
  channels: readonly ChannelParts[];
  receivers: Receivers;
  /** The routes of the inbox, and who is signed in there. */
  desk: DeskParts;
  publicUrl: string | undefined;
  health: HealthOptions;
  standIns: StandIns;
  metrics: Metrics;
  log: Log;
}

export function buildHttp(tools: HttpTools): Server {
  const { channels, receivers, desk, publicUrl, health, standIns, metrics, log } = tools;
  const { simulator } = standIns;
  const { isSignedIn } = desk;
  // A request passes every router in front of its own: the webhooks, which get the most, are first.
  const webhooks = channels.map(({ webhook }) => webhook(receivers));
  const routers = [
    createHealth(health),
    createFiguresGate({ isSignedIn, isPublicAddress }),
    metrics.router,
    ...desk.routers,
    ...(simulator ? [createGate({ isSignedIn, publicUrl })] : []),
    pagesOf(standIns),
    ...(simulator ? [simulator.router] : []),
  ];
  const refusals = new Map(channels.flatMap((parts) => [...(parts.refusals ?? [])]));
  return listenerFor(createServer({ webhooks, routers, refusals, log, isStopping: health.isStopping }));
}

function pagesOf({ pages, simulator }: StandIns): Router {
  const inbox = { paths: ['/whatsapp-inbox', '/whatsapp-inbox/{*place}'], file: 'inbox.html' };
  const phone = {
    paths: ['/simulator', '/simulator/as/:contact'],
    file: 'simulator.html',
    meanwhile: 'Or talk to the bot in a terminal: npm run chat',
  };
  const links = [
    { path: '/whatsapp-inbox', name: 'Inbox: every conversation, for the team' },
    ...(simulator ? [{ path: '/simulator', name: 'Simulator: a phone to try the assistant' }] : []),
    { path: '/readyz', name: 'Health: whether all parts work' },
  ];
  return createPages({ directory: pages ?? builtPages(), pages: simulator ? [inbox, phone] : [inbox], links });
}
