/** Does something again whenever files change. */

/** Changes that come within this time are one: editors write a file in several steps. */
const SETTLE_MS = 80;

/**
 * Calls `run` at once, and again whenever one of the files changes that it answered.
 *
 * Folders are watched, not files: many editors put a new file in the place of the old one.
 *
 * @param run answers the paths to watch
 * @returns once `signal` has aborted
 */
export async function watchFiles(
  run: () => readonly string[],
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const before = new Map<string, string>();
    const paths = run();
    for (const path of paths) before.set(path, stampOf(path));
    await changeOf(before, signal);
  }
}

/** Resolves when a file differs from its stamp, or `signal` aborts. */
async function changeOf(before: ReadonlyMap<string, string>, signal: AbortSignal): Promise<void> {
  const folders = new Set([...before.keys()].map(folderOf));
  const watcher = Deno.watchFs([...folders], { recursive: false });
  const close = () => watcher.close();
  const hasChanged = () => [...before].some(([path, stamp]) => stampOf(path) !== stamp);
  signal.addEventListener("abort", close);
  try {
    // It may have changed between the run and the watching.
    if (signal.aborted || hasChanged()) return;
    for await (const _event of watcher) {
      if (!hasChanged()) continue;
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      return;
    }
  } finally {
    signal.removeEventListener("abort", close);
    if (!signal.aborted) watcher.close();
  }
}

function folderOf(path: string): string {
  const slash = path.lastIndexOf("/");
  return slash < 0 ? "." : path.slice(0, slash + 1);
}

/** What changes when a file does; "" while there is none. */
function stampOf(path: string): string {
  try {
    const { mtime, size, ino } = Deno.statSync(path);
    return `${mtime?.getTime()} ${size} ${ino}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
