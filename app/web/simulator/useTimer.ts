import { useEffect, useRef } from 'react';

/** Calls back once after a time, and again when the time changes; not while it is off. */
export function useTimer(on: boolean, ms: number, callback: () => void): void {
  const latest = useRef(callback);
  latest.current = callback;
  useEffect(() => {
    if (!on) return;
    const timer = setTimeout(() => latest.current(), ms);
    return () => clearTimeout(timer);
  }, [on, ms]);
}
