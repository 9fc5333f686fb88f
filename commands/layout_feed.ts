/** What the dashboard shows, read anew whenever its file changes and is right. */
import type { Catalog } from "../contract/catalog.ts";
import type { DashboardView } from "../contract/dashboard.ts";
import type { EventSink } from "../contract/events.ts";
import { FileFaults, readDashboard } from "./files.ts";
import { stampOf } from "./rule_files.ts";

/** Time between two looks at the file, milliseconds. */
const LOOK_MS = 300;

/** Hands out what the file says. */
export class LayoutFeed {
  readonly #path: string;
  readonly #catalog: Catalog;
  readonly #events: EventSink;
  readonly #listeners = new Set<() => void>();
  #current: DashboardView;

  /**
   * Reads the file; one that does not fit the catalog in force is told, and the shipped one shown.
   *
   * @param path "" for the shipped file
   */
  constructor(path: string, catalog: Catalog, events: EventSink) {
    this.#path = path;
    this.#catalog = catalog;
    this.#events = events;
    this.#current = this.#read() ?? readDashboard("", catalog);
  }

  /** What is shown now. */
  current(): DashboardView {
    return this.#current;
  }

  /** Calls back on every change until the returned function is called. */
  onChange(callback: () => void): () => void {
    this.#listeners.add(callback);
    return () => this.#listeners.delete(callback);
  }

  /** Watches a user's file until the signal aborts. */
  async follow(
    signal: AbortSignal,
    pause: (ms: number, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    if (this.#path === "") return;
    let stamp = await stampOf(this.#path);
    while (!signal.aborted) {
      await pause(LOOK_MS, signal);
      const now = await stampOf(this.#path);
      // Editors replace files: for a moment there may be none. The next look finds it.
      if (now === stamp || now === "" || signal.aborted) continue;
      stamp = now;
      const next = this.#read();
      if (next === null || JSON.stringify(next) === JSON.stringify(this.#current)) continue;
      this.#current = next;
      this.#events({
        level: "info",
        name: "dashboard.file_taken",
        message: `${this.#path} has changed: ${next.tiles.length} tiles, ` +
          `${next.columns.length} columns, ${next.charts.length} charts`,
      });
      for (const listener of this.#listeners) listener();
    }
  }

  /** null if it is wrong, which has been told then. */
  #read(): DashboardView | null {
    try {
      return readDashboard(this.#path, this.#catalog);
    } catch (error) {
      if (!(error instanceof FileFaults)) throw error;
      this.#events({
        level: "error",
        name: "dashboard.file_not_taken",
        message: `${this.#path || "dashboard.yaml"} is wrong and changes nothing: ${error.message}`,
      });
      return null;
    }
  }
}
