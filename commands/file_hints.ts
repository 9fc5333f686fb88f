/** Tells at once that something happened to a file, where the system can; looking now and then stays. */

/** Hints that a file may have changed. */
export interface FileHints {
  /**
   * Resolves at the next hint; one that came since the last call counts. A call that is still
   * waiting is given up with the next one, so that who waits for a time only leaves nothing behind.
   */
  next(): Promise<void>;
  close(): Promise<void>;
}

/** Hints of one file; null where the system gives none. */
export function fileHints(path: string): FileHints | null {
  const slash = path.lastIndexOf("/");
  const name = path.slice(slash + 1);
  let watcher: Deno.FsWatcher;
  try {
    // The folder, not the file: many editors put a new file in the place of the old one.
    watcher = Deno.watchFs(slash < 0 ? "." : path.slice(0, slash + 1), { recursive: false });
  } catch (error) {
    // Too many watches, or a file system that has none.
    if (error instanceof Error) return null;
    throw error;
  }
  let hinted = false;
  let wake = () => {};
  const reading = (async () => {
    for await (const { paths } of watcher) {
      if (paths.some((each) => each.endsWith(`/${name}`))) {
        hinted = true;
        wake();
      }
    }
  })();
  return {
    async next() {
      if (!hinted) await new Promise<void>((resolve) => wake = resolve);
      hinted = false;
    },
    async close() {
      watcher.close();
      await reading;
    },
  };
}
