import { type RefObject, useEffect, useRef, useState } from 'react';

/**
 * So many files are fetched at a time: a browser has six connections to a server, and a picture that the provider is slow with must not
 * hold up the message that somebody sends.
 */
const MOST = 2;
let taken = 0;
const waiting: (() => void)[] = [];

function take(start: () => void): () => void {
  let isMine = false;
  let isOver = false;
  const begin = () => {
    isMine = true;
    taken++;
    start();
  };
  if (taken < MOST) begin();
  else waiting.push(begin);
  return () => {
    if (isOver) return;
    isOver = true;
    const at = waiting.indexOf(begin);
    if (at >= 0) waiting.splice(at, 1);
    if (!isMine) return;
    taken--;
    waiting.shift()?.();
  };
}

/**
 * May a file be fetched? Once its place is in sight and one of the slots is free.
 * @returns `done` gives the slot back, when the file is there or has failed.
 */
export function useSlot(place: RefObject<Element | null>): { isFree: boolean; done: () => void } {
  const [isFree, setFree] = useState(false);
  const giveBack = useRef(() => {});
  useEffect(() => {
    if (!place.current) return;
    const watch = new IntersectionObserver(
      ([seen]) => {
        if (!seen?.isIntersecting) return;
        watch.disconnect();
        giveBack.current = take(() => setFree(true));
      },
      { rootMargin: '400px' },
    );
    watch.observe(place.current);
    return () => {
      watch.disconnect();
      giveBack.current();
    };
  }, [place]);
  return { isFree, done: () => giveBack.current() };
}
