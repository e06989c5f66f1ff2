/** Calls again only when the last result is older than `forMs`. Callers meanwhile share it, also when it is a failure. */
export function remember<Result>(ask: () => Promise<Result>, forMs: number): () => Promise<Result> {
  let last: Promise<Result> | undefined;
  let askedAt = 0;
  return () => {
    if (!last || performance.now() - askedAt > forMs) {
      askedAt = performance.now();
      last = ask();
    }
    return last;
  };
}
