import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { LiveEvent } from '../../inbox/contract.ts';
import { EVENTS_URL } from './api.ts';

export type Connection = 'connecting' | 'live' | 'lost';

/** Which questions have a new answer after an event of a kind. */
const STALE: Record<LiveEvent['kind'], string[]> = {
  message: ['conversations', 'thread', 'analytics', 'dead-letters'],
  analysis: ['conversations', 'thread', 'tasks', 'analytics'],
  task: ['tasks', 'conversations', 'thread', 'analytics'],
  conversation: ['conversations', 'thread'],
  'dead-letter': ['dead-letters'],
};
const EVERYTHING = [...new Set(Object.values(STALE).flat())];

/** Changes within this time cause one request, ms. The server keeps the figures of the dashboard for 10 s. */
const GATHER_MS = 100;
const GATHER_NUMBERS_MS = 10_000;
/** A browser does not reconnect when a proxy answers with an error. */
const AGAIN_MS = 3_000;

/** Receives changes and fetches again what is shown of them. The browser reconnects and sends the id of the last event. */
export function useLive(): Connection {
  const queries = useQueryClient();
  const [connection, setConnection] = useState<Connection>('connecting');
  useEffect(() => {
    const refresh = createRefresh(queries);
    let source: EventSource;
    let again: number | undefined;

    function listen(missedSome: boolean): void {
      // The server knows which events were missed, but not which requests of this page failed meanwhile.
      let isUnsure = missedSome;
      source = new EventSource(EVENTS_URL);
      source.addEventListener('ready', () => {
        setConnection('live');
        if (isUnsure) void queries.invalidateQueries();
        isUnsure = false;
      });
      source.addEventListener('change', ({ data }) => {
        const { kind, phone_number } = JSON.parse(data) as LiveEvent; // what our own server sends, see contract.ts
        refresh(STALE[kind] ?? [], phone_number);
      });
      source.addEventListener('reset', () => refresh(EVERYTHING, null));
      source.addEventListener('error', () => {
        setConnection('lost');
        isUnsure = true;
        if (source.readyState !== EventSource.CLOSED) return;
        // Perhaps the session has ended: that question knows, and shows the sign-in.
        void queries.invalidateQueries({ queryKey: ['session'] });
        again = window.setTimeout(() => listen(true), AGAIN_MS);
      });
    }
    listen(false);
    return () => {
      window.clearTimeout(again);
      source.close();
    };
  }, [queries]);
  return connection;
}

/** Fetches again, one request at a time: changes during a request cause another one after it. */
function createRefresh(queries: QueryClient): (keys: string[], phone: string | null) => void {
  const asking = new Set<string>();
  const changed = new Set<string>();

  async function ask(name: string, queryKey: string[]): Promise<void> {
    changed.add(name);
    if (asking.has(name)) return;
    asking.add(name);
    while (changed.has(name)) {
      const waitMs = name === 'analytics' ? GATHER_NUMBERS_MS : GATHER_MS;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      changed.delete(name);
      await queries.invalidateQueries({ queryKey }).catch(() => {});
    }
    asking.delete(name);
  }

  return (keys, phone) => {
    for (const key of keys) {
      const queryKey = key === 'thread' && phone !== null ? [key, phone] : [key];
      void ask(queryKey.join(' '), queryKey);
    }
  };
}
