import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import type { LiveEvent } from '../../inbox/contract.ts';
import { EVENTS_URL } from './api.ts';
import { heardWriting, WRITING } from './useWriting.ts';

export type Connection = 'connecting' | 'live' | 'lost';

/** Which questions have a new answer after an event of a kind. */
const STALE: Record<LiveEvent['kind'], string[]> = {
  message: ['conversations', 'thread', 'analytics', 'dead-letters'],
  analysis: ['conversations', 'thread', 'tasks', 'analytics', 'failed-analyses'],
  task: ['tasks', 'conversations', 'thread', 'analytics'],
  conversation: ['conversations', 'thread'],
  'dead-letter': ['dead-letters'],
  writing: [],
};
const EVERYTHING = [...new Set(Object.values(STALE).flat())];

/** Changes within this time cause one request, ms. The server keeps the figures of the dashboard for 10 s. */
const GATHER_MS = 100;
const GATHER_NUMBERS_MS = 10_000;
/** A browser does not reconnect when a proxy answers with an error. */
const AGAIN_MS = 3_000;

/** What the page that has the stream tells the other pages of this browser; `hello` asks it how the stream is. */
type News =
  | { kind: 'connection'; connection: Connection }
  | { kind: 'change'; event: LiveEvent }
  | { kind: 'reset' }
  /** Something may have been missed. */
  | { kind: 'gap' }
  /** The server refused the stream: perhaps the session has ended. */
  | { kind: 'refused' }
  | { kind: 'hello' };

/** Of the lock that one page has, and of the channel over which it tells the others. */
const NAME = 'recado-live';

/**
 * Receives changes and fetches again what is shown of them. All pages of a browser share one stream: it takes one of the six connections
 * that a browser has to a server. Without https browsers have no locks, and each page that is visible has its own.
 */
export function useLive(): Connection {
  const queries = useQueryClient();
  const [connection, setConnection] = useState<Connection>('connecting');
  useEffect(() => {
    const refresh = createRefresh(queries);
    function hear(news: News): void {
      if (news.kind === 'connection') setConnection(news.connection);
      if (news.kind === 'change') hearChange(news.event);
      if (news.kind === 'reset') refresh(EVERYTHING, null);
      if (news.kind === 'gap') void queries.invalidateQueries();
      // That question knows, and shows the sign-in.
      if (news.kind === 'refused') void queries.invalidateQueries({ queryKey: ['session'] });
    }
    function hearChange(event: LiveEvent): void {
      refresh(STALE[event.kind] ?? [], event.phone_number);
      const heard = event.kind === 'writing' ? heardWriting(event) : null;
      if (heard) queries.setQueryData(heard.queryKey, heard.at);
      // What was written has been sent.
      if (event.kind === 'message') queries.setQueryData([WRITING, event.phone_number], null);
    }
    return 'locks' in navigator ? shared(hear) : whileVisible(hear);
  }, [queries]);
  return connection;
}

/** The first page has the stream; when it is closed, another one gets it. @returns how to leave. */
function shared(hear: (news: News) => void): () => void {
  const channel = new BroadcastChannel(NAME);
  const leaving = new AbortController();
  let connection: Connection | null = null;
  /** Another page had the stream before. */
  let isLate = false;

  function tell(news: News): void {
    if (news.kind === 'connection') connection = news.connection;
    hear(news);
    channel.postMessage(news);
  }
  channel.addEventListener('message', ({ data }: MessageEvent<News>) => {
    if (data.kind === 'hello') return connection && channel.postMessage({ kind: 'connection', connection });
    isLate = true;
    hear(data);
  });
  channel.postMessage({ kind: 'hello' });
  navigator.locks
    .request(NAME, { signal: leaving.signal }, () => {
      const close = listen(tell, isLate);
      return new Promise<void>((resolve) => leaving.signal.addEventListener('abort', () => resolve(close())));
    })
    .catch(() => {}); // left before it was this page's turn
  return () => {
    leaving.abort();
    channel.close();
  };
}

function whileVisible(hear: (news: News) => void): () => void {
  let close: (() => void) | null = null;
  let isLate = false;
  function look(): void {
    if (document.visibilityState === 'visible') close ??= listen(hear, isLate);
    else {
      close?.();
      close = null;
      isLate = true;
    }
  }
  document.addEventListener('visibilitychange', look);
  look();
  return () => {
    document.removeEventListener('visibilitychange', look);
    close?.();
  };
}

/**
 * Opens the stream. The browser reconnects and sends the id of the last event.
 * @param missedSome whether events may have been missed before
 */
function listen(tell: (news: News) => void, missedSome: boolean): () => void {
  let source: EventSource;
  let again: number | undefined;

  function open(missed: boolean): void {
    // The server knows which events were missed, but not which requests of this page failed meanwhile.
    let isUnsure = missed;
    source = new EventSource(EVENTS_URL);
    source.addEventListener('ready', () => {
      tell({ kind: 'connection', connection: 'live' });
      if (isUnsure) tell({ kind: 'gap' });
      isUnsure = false;
    });
    source.addEventListener('change', ({ data }) => {
      tell({ kind: 'change', event: JSON.parse(data) as LiveEvent }); // what our own server sends, see contract.ts
    });
    source.addEventListener('reset', () => tell({ kind: 'reset' }));
    source.addEventListener('error', () => {
      tell({ kind: 'connection', connection: 'lost' });
      isUnsure = true;
      if (source.readyState !== EventSource.CLOSED) return;
      tell({ kind: 'refused' });
      again = window.setTimeout(() => open(true), AGAIN_MS);
    });
  }
  open(missedSome);
  return () => {
    window.clearTimeout(again);
    source.close();
  };
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
