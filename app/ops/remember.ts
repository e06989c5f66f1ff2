/**
 * Calls again only when the last result is old. Callers meanwhile share it, also when it is a failure.
 * @param forMs after how long a result is old, ms; it may depend on the result
 */
export function remember<Result>(
  ask: () => Promise<Result>,
  forMs: number | ((result: Result) => number),
): () => Promise<Result> {
  let last: Promise<Result> | undefined;
  let goodUntil = 0;
  return () => {
    if (!last || performance.now() > goodUntil) last = askAgain();
    return last;
  };

  function askAgain(): Promise<Result> {
    const askedAt = performance.now();
    const asked = ask();
    goodUntil = typeof forMs === 'number' ? askedAt + forMs : Number.POSITIVE_INFINITY;
    if (typeof forMs !== 'number') asked.then(keep, () => keep());
    return asked;

    function keep(result?: Result): void {
      goodUntil = result === undefined || typeof forMs === 'number' ? askedAt : askedAt + forMs(result);
    }
  }
}
