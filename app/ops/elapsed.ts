/**
 * Starts to measure. By whichever clock says more: one stands still while the machine is suspended, the other may be set meanwhile.
 * @returns how long ago that was, ms; never less than it was
 */
export function elapsed(): () => number {
  const startedAt = Date.now();
  const began = performance.now();
  return () => Math.max(Date.now() - startedAt, performance.now() - began);
}
