/** Giving way to signals, timers and other work in the middle of long work. */

/**
 * Makes the function that long work calls often; a turn costs about a millisecond.
 *
 * @param everyMs how long the work goes on before it gives way
 */
export function turns(everyMs = 50): () => Promise<void> {
  let last = performance.now();
  return async () => {
    if (performance.now() - last < everyMs) return;
    await new Promise((resolve) => setTimeout(resolve, 0));
    last = performance.now();
  };
}
