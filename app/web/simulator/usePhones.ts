import { useCallback, useEffect, useState } from 'react';
import type { PageEvent } from '../../simulator/contract.ts';
import { EVENTS_URL } from './api.ts';
import { asRead, type Phones, withEvents } from './phones.ts';

export type Connection = 'connecting' | 'live' | 'lost';

/**
 * Everything that happens on all phones, live. After an interruption the stream continues where it ended; after a restart of the
 * bot it begins again.
 * @param looking which chat is looked at: what comes in there is read.
 */
export function usePhones(looking: string): { phones: Phones; connection: Connection } {
  const [phones, setPhones] = useState<Phones>(new Map());
  const [connection, setConnection] = useState<Connection>('connecting');
  const [feed] = useState(() => ({ waiting: [] as PageEvent[], fresh: false, ready: false, looking }));

  useEffect(() => {
    feed.looking = looking;
    setPhones((before) => asRead(before, looking));
  }, [feed, looking]);

  const flush = useCallback(() => {
    if (feed.waiting.length === 0 && !feed.fresh) return;
    const { waiting, fresh } = feed;
    const watched = feed.ready ? feed.looking : null;
    feed.waiting = [];
    feed.fresh = false;
    setPhones((before) => withEvents(fresh ? new Map() : before, waiting, watched));
  }, [feed]);

  useEffect(() => {
    const source = new EventSource(EVENTS_URL);
    source.addEventListener('open', () => setConnection('live'));
    source.addEventListener('error', () => setConnection('lost'));
    source.addEventListener('reset', () => {
      feed.waiting = [];
      feed.fresh = true;
      feed.ready = false;
    });
    source.addEventListener('ready', () => {
      flush();
      feed.ready = true;
    });
    source.addEventListener('message', ({ data }) => {
      // The other end is `simulator/routes.ts`, which writes these and nothing else.
      feed.waiting.push(JSON.parse(String(data)) as PageEvent);
    });
    // Many come at once when the page opens: they are shown together.
    const timer = setInterval(flush, FLUSH_MS);
    return () => {
      clearInterval(timer);
      source.close();
    };
  }, [feed, flush]);

  return { phones, connection };
}

const FLUSH_MS = 40;
