/** Work that recurs: loops that end with a signal and whose faults reach their owner. */

/**
 * Calls `run` every `ms` until the signal aborts.
 *
 * @throws whatever `run` throws, as a rejection
 */
export async function every(ms: number, signal: AbortSignal, run: () => void): Promise<void> {
  while (await pause(ms, signal)) run();
}

/** Waits; false at once when the signal aborts. */
export function pause(ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (whole: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
      resolve(whole);
    };
    const stop = () => end(false);
    const timer = setTimeout(() => end(true), ms);
    signal.addEventListener("abort", stop);
  });
}

/** Resolves when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
