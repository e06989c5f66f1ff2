/** Lets a limited number through at a time, in the order they come. */
export interface Gate {
  /** Runs the work as soon as there is room for it. @param weight how many places it takes; never more than there are. */
  run<T>(weight: number, work: () => Promise<T>): Promise<T>;
}

export function createGate(places: number): Gate {
  const queue: { weight: number; enter: () => void }[] = [];
  let free = places;

  function admit(): void {
    for (let next = queue[0]; next && next.weight <= free; next = queue[0]) {
      queue.shift();
      free -= next.weight;
      next.enter();
    }
  }

  return {
    async run(wanted, work) {
      const weight = Math.min(wanted, places);
      await new Promise<void>((enter) => {
        queue.push({ weight, enter });
        admit();
      });
      try {
        return await work();
      } finally {
        free += weight;
        admit();
      }
    },
  };
}
