/** Lets a limited number through at a time, in the order they come. */
export interface Gate {
  /**
   * Resolves as soon as there is room; the function that it resolves to gives the places back, and is called once.
   * @param weight how many places are taken; more than there are means all
   */
  enter(weight: number): Promise<() => void>;
  /** How many wait to be let through. */
  readonly waiting: number;
  /** Nobody is inside, and nobody waits. */
  readonly isIdle: boolean;
}

export function createGate(places: number): Gate {
  const queue: { weight: number; admit: () => void }[] = [];
  let free = places;

  function admitWhoFits(): void {
    for (let next = queue[0]; next && next.weight <= free; next = queue[0]) {
      queue.shift();
      free -= next.weight;
      next.admit();
    }
  }

  return {
    async enter(wanted) {
      const weight = Math.min(wanted, places);
      await new Promise<void>((admit) => {
        queue.push({ weight, admit });
        admitWhoFits();
      });
      return () => {
        free += weight;
        admitWhoFits();
      };
    },
    get waiting() {
      return queue.length;
    },
    get isIdle() {
      return free === places && queue.length === 0;
    },
  };
}
