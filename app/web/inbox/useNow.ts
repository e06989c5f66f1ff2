import { useEffect, useState } from 'react';

/** Browsers take a longer one for none. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The time, unix ms, brought up to date every `everyMs`, and right when each of the given times comes. */
export function useNow(times: readonly (string | null)[] = [], everyMs = 10_000): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), everyMs);
    return () => window.clearInterval(timer);
  }, [everyMs]);
  const next = Math.min(...times.flatMap((time) => (time && Date.parse(time) > now ? Date.parse(time) : [])));
  useEffect(() => {
    const wait = Math.min(next - Date.now() + 1, LONGEST_TIMER_MS);
    const timer = window.setTimeout(() => setNow(Date.now()), wait);
    return () => window.clearTimeout(timer);
  }, [next]);
  return Math.max(now, 0);
}
