/** Asks again only when the last answer is older than `forMs`; who asks meanwhile shares it, a failure included. */
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
