import { type RefObject, useEffect, useLayoutEffect, useRef } from 'react';

/**
 * Keeps what is being read in its place while items are added, removed or moved around it.
 * @param wall what scrolls
 * @param list its children are the items
 * @param isOff whether what is new is shown instead
 * @returns to be called when the wall was scrolled
 */
export function useSteady(
  wall: RefObject<HTMLElement | null>,
  list: RefObject<HTMLElement | null>,
  isOff: () => boolean,
): () => void {
  const places = useRef(new Map<Element, number>());

  function look(): void {
    places.current = placesOf(wall.current, list.current);
  }
  function settle(): void {
    const element = wall.current;
    const shift = element && !isOff() ? shiftOf(element, places.current) : 0;
    // Also an assignment that changes nothing would end a smooth scroll.
    if (element && shift !== 0) element.scrollTop += shift;
    look();
  }
  useLayoutEffect(settle);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the elements stay the same
  useEffect(() => {
    if (!list.current) return;
    // Pictures and analyses grow when they are there.
    const growth = new ResizeObserver(settle);
    growth.observe(list.current);
    return () => growth.disconnect();
  }, []);
  return look;
}

/** The items in sight, and where they are in what scrolls, px. */
function placesOf(wall: Element | null, list: Element | null): Map<Element, number> {
  const places = new Map<Element, number>();
  if (!wall || !list) return places;
  const { top, bottom } = wall.getBoundingClientRect();
  for (const item of list.children) {
    const place = item.getBoundingClientRect();
    if (place.bottom > top && place.top < bottom) places.set(item, place.top + wall.scrollTop);
  }
  return places;
}

/** By how much most of the items that are still there have moved, px. */
function shiftOf(wall: Element, places: Map<Element, number>): number {
  const counts = new Map<number, number>();
  for (const [item, top] of places) {
    if (!item.isConnected) continue;
    const shift = Math.round(item.getBoundingClientRect().top + wall.scrollTop - top);
    counts.set(shift, (counts.get(shift) ?? 0) + 1);
  }
  const [most] = [...counts].sort((a, b) => b[1] - a[1]);
  return most?.[0] ?? 0;
}
