import { type RefObject, useEffect, useRef, useState } from 'react';

/** So near to the end, what comes in is followed, px. */
const NEAR = 90;

export interface End {
  /** What scrolls; its scroll event calls `look`. */
  wall: RefObject<HTMLDivElement | null>;
  /** What grows in it. */
  list: RefObject<HTMLUListElement | null>;
  /** Is what comes in followed, and where was the wall when it was last looked at? */
  seen: RefObject<{ follows: boolean; top: number; height: number }>;
  /** As `seen.follows`, for what is shown. */
  atEnd: boolean;
  toEnd: (behavior?: ScrollBehavior) => void;
  /** @returns whether the reader has scrolled up */
  look: () => boolean;
}

/** Keeps the end of a list visible while it grows, unless the reader has scrolled up. */
export function useEnd(): End {
  const wall = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const seen = useRef({ follows: true, top: 0, height: 0 });
  const [atEnd, setAtEnd] = useState(true);
  // Pictures grow when they are there.
  useEffect(() => {
    if (!list.current) return;
    const growth = new ResizeObserver(() => {
      if (seen.current.follows) wall.current?.scrollTo({ top: wall.current.scrollHeight });
    });
    growth.observe(list.current);
    // A reply of several lines takes room from what scrolls.
    if (wall.current) growth.observe(wall.current);
    return () => growth.disconnect();
  }, []);

  function toEnd(behavior: ScrollBehavior = 'auto'): void {
    wall.current?.scrollTo({ top: wall.current.scrollHeight, behavior });
  }
  function look(): boolean {
    const { scrollHeight = 0, scrollTop = 0, clientHeight = 0 } = wall.current ?? {};
    const near = scrollHeight - scrollTop - clientHeight < NEAR;
    // What shrinks, such as a picture's placeholder, moves the wall up as well.
    const up = scrollTop < seen.current.top && scrollHeight >= seen.current.height;
    // New content below moves the end away; only scrolling up stops following it.
    const follows = near || (seen.current.follows && !up);
    seen.current = { follows, top: scrollTop, height: scrollHeight };
    setAtEnd(follows);
    return up;
  }
  return { wall, list, seen, atEnd, toEnd, look };
}
