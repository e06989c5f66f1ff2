/** A limited number of places, given out in the order they are asked for. */
export interface Places {
  /** Resolves when there is a place; the function that it resolves to gives the place back. */
  take(): Promise<() => void>;
  /** How many wait for a place. */
  readonly waiting: number;
}

export function createPlaces(most: number): Places {
  const queue: (() => void)[] = [];
  let taken = 0;
  function leave(): void {
    const next = queue.shift();
    if (next) next();
    else taken--;
  }
  return {
    async take() {
      if (taken < most) taken++;
      else await new Promise<void>((resolve) => queue.push(resolve));
      return leave;
    },
    get waiting() {
      return queue.length;
    },
  };
}
