/** Joins what answers HTTP: routers in their order, health, pages, one exit for errors. */
import type { Server } from 'node:http';
import type Router from '@koa/router';
import { createBeside } from '../http/beside.ts';
import { createFiguresGate } from '../http/nearby.ts';
import { builtPages, createPages } from '../http/pages.ts';
import { createServer, listenerFor } from '../http/server.ts';
import type { Auth } from '../inbox/auth.ts';
import { UPLOADS } from '../inbox/operations.ts';
import { isPublicAddress } from '../media/addresses.ts';
import { createHealth, type HealthOptions } from '../ops/health.ts';
import type { Log } from '../ops/logger.ts';
import type { Metrics } from '../ops/metrics.ts';
import { createGate } from '../simulator/gate.ts';
import type { ChannelParts, Receivers } from './channels.ts';
import type { StandIns } from './stand-ins.ts';

export interface HttpTools {
  channels: readonly ChannelParts[];
  /** Where webhooks hand over what comes in; null in a process that takes none. */
  receivers: Receivers | null;
  /** The routes of the inbox, when they are here, and who is signed in there. */
  desk: { routers: readonly Router[]; isSignedIn: Auth['isSignedIn'] };
  /** Requests for the inbox go to the process there, when it is beside this one. */
  deskSocket: string | undefined;
  /** Where the page of the inbox is shown. */
  hasInbox: boolean;
  publicUrl: string | undefined;
  health: HealthOptions;
  standIns: StandIns;
  metrics: Metrics;
  log: Log;
}

export function buildHttp(tools: HttpTools): Server {
  const { channels, receivers, desk, deskSocket, hasInbox, publicUrl, health, standIns, metrics, log } = tools;
  const { simulator } = standIns;
  const { isSignedIn } = desk;
  // A request passes every router in front of its own: the webhooks, which get the most, are first.
  const webhooks = receivers ? channels.map(({ webhook }) => webhook(receivers)) : [];
  const routers = [
    createHealth(health),
    createFiguresGate({ isSignedIn, isPublicAddress }),
    metrics.router,
    ...desk.routers,
    ...(simulator ? [createGate({ isSignedIn, publicUrl })] : []),
    pagesOf(standIns, hasInbox),
    ...(simulator ? [simulator.router] : []),
  ];
  const refusals = new Map(channels.flatMap((parts) => [...(parts.refusals ?? [])]));
  const rawBodies = new Map(receivers ? channels.flatMap((parts) => [...(parts.rawBodies ?? [])]) : []);
  const before = deskSocket === undefined ? null : createBeside({ socket: deskSocket, paths: DESK_PATHS });
  return listenerFor(
    createServer({
      webhooks,
      routers,
      before,
      refusals,
      rawBodies,
      unreadBodies: UPLOADS,
      log,
      isStopping: health.isStopping,
    }),
  );
}

/** What the desk answers, with all below. */
const DESK_PATHS = [
  '/api/whatsapp',
  '/api/session',
  '/api/openapi.json',
  '/api/broadcasts',
  '/api/broadcast-options',
  '/initiate-bulk',
  '/export',
  '/get',
  '/get-bulk',
];

function pagesOf({ pages, simulator }: StandIns, hasInbox: boolean): Router {
  const inbox = { paths: ['/whatsapp-inbox', '/whatsapp-inbox/{*place}'], file: 'inbox.html' };
  const phone = {
    paths: ['/simulator', '/simulator/as/:contact'],
    file: 'simulator.html',
    meanwhile: 'Or talk to the bot in a terminal: npm run chat',
  };
  const links = [
    ...(hasInbox ? [{ path: '/whatsapp-inbox', name: 'Inbox: every conversation, for the team' }] : []),
    ...(simulator ? [{ path: '/simulator', name: 'Simulator: a phone to try the assistant' }] : []),
    { path: '/readyz', name: 'Health: whether all parts work' },
  ];
  return createPages({
    directory: pages ?? builtPages(),
    pages: [...(hasInbox ? [inbox] : []), ...(simulator ? [phone] : [])],
    links,
  });
}
