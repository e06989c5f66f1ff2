import { useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { LiveEvent } from '../../inbox/contract.ts';
import { EVENTS_URL } from './api.ts';

export type Connection = 'connecting' | 'live' | 'lost';

/** Which questions have a new answer after an event of a kind. */
const STALE: Record<LiveEvent['kind'], string[]> = {
  message: ['conversations', 'thread', 'analytics'],
  delivery: ['thread'],
  analysis: ['conversations', 'thread', 'tasks'],
  task: ['tasks', 'conversations', 'thread', 'analytics'],
  conversation: ['conversations', 'thread'],
  'dead-letter': ['dead-letters'],
};

/** Hears what changes and asks again for what is shown of it. The browser reconnects, and tells what it heard last. */
export function useLive(): Connection {
  const queries = useQueryClient();
  const [connection, setConnection] = useState<Connection>('connecting');
  useEffect(() => {
    const source = new EventSource(EVENTS_URL);
    const refresh = (keys: string[]) => {
      for (const key of keys) void queries.invalidateQueries({ queryKey: [key] });
    };
    source.addEventListener('ready', () => setConnection('live'));
    source.addEventListener('change', ({ data }) => {
      const { kind } = JSON.parse(data) as LiveEvent; // what our own server sends, see contract.ts
      refresh(STALE[kind] ?? []);
    });
    source.addEventListener('reset', () => refresh(Object.values(STALE).flat()));
    source.addEventListener('error', () => {
      setConnection('lost');
      // A session that ended is told by its answer, not by the stream.
      if (source.readyState === EventSource.CLOSED) void queries.invalidateQueries({ queryKey: ['session'] });
    });
    return () => source.close();
  }, [queries]);
  return connection;
}
