import { skipToken, useQuery } from '@tanstack/react-query';
import { useCallback, useRef } from 'react';
import type { Conversation, LiveEvent } from '../../inbox/contract.ts';
import { writing } from './api.ts';
import { useNow } from './useNow.ts';

/** Names this page among those of the team. */
const WRITER = Math.random().toString(36).slice(2);
/** How often the others are told, and how long they show it, ms. */
const TELL_MS = 4_000;
const SHOW_MS = 8_000;

/** The key of the time (ISO) of the last event that told of another page's writing; kept in the query cache. */
export const WRITING = 'writing';

/** @returns null when it is this page's own. */
export function heardWriting({ phone_number, writer }: LiveEvent): { queryKey: string[]; at: string } | null {
  if (phone_number === null || writer === undefined || writer === WRITER) return null;
  return { queryKey: [WRITING, phone_number], at: new Date().toISOString() };
}

/** Is an answer being written to the same contact on another page? And how to tell the other pages that one is written here. */
export function useWriting({ phone_number, business_number }: Conversation): {
  isWrittenElsewhere: boolean;
  tellWriting: () => void;
} {
  const { data: at = null } = useQuery<string | null>({ queryKey: [WRITING, phone_number], queryFn: skipToken });
  const until = at && new Date(Date.parse(at) + SHOW_MS).toISOString();
  const now = useNow([until]);
  const toldAt = useRef(0);
  const tellWriting = useCallback(() => {
    if (Date.now() - toldAt.current < TELL_MS) return;
    toldAt.current = Date.now();
    writing({ phone_number, business_number, writer: WRITER }).catch(() => {}); // nobody misses it
  }, [phone_number, business_number]);
  return { isWrittenElsewhere: until !== null && Date.parse(until) > now, tellWriting };
}
