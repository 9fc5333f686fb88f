/** The rules file against the versions on the log: at the start, and when the file changes. */
import { BusError } from "../bus/port.ts";
import type { EventSink } from "../contract/events.ts";
import { showDuration } from "../rules-wasm/language/show_values.ts";
import type { RuleLog, RuleTexts, Written } from "../rules-wasm/rule_source.ts";
import { compileTexts } from "../rules-wasm/rule_source.ts";
import { warmingMs } from "../rules-wasm/warming.ts";
import { decodeUserText } from "./files.ts";
import type { FileHints } from "./file_hints.ts";

/** Who brings the file's rules. */
const FILE = { author: "file", source: "file" } as const;

/** How much the file says. */
export interface FileStanding {
  /** Path as the user gave it; "" for the shipped rules. */
  readonly path: string;
  /**
   * Whether a change of the file since it was last read is to be taken up (`dev`, `start`). Where
   * several processes each have their own copy, one that was started late with an old copy must not
   * bring old rules back.
   */
  readonly leads: boolean;
}

/**
 * Sees to it that the log has rules, and brings those of the file if they are news.
 *
 * @throws {import("../bus/port.ts").BusError} if the bus does not take them
 */
export async function settleRules(
  log: RuleLog,
  texts: RuleTexts,
  { path, leads }: FileStanding,
  events: EventSink,
): Promise<void> {
  const compiled = compileTexts(texts);
  if (!compiled.ok) throw new SyntaxError(compiled.report);
  const { version } = compiled.ruleSet;
  const { current } = log.history;
  const name = path === "" ? "the shipped rules" : path;
  if (current?.version === version) return;
  if (current === undefined || isNews(log, version, path, leads)) {
    const message = current === undefined ? `first rules: ${name}` : `${name} has changed`;
    await log.write(texts, null, { ...FILE, message });
    return;
  }
  events({
    level: "info",
    name: "rules.file_not_in_force",
    message:
      `${name} (version ${version}) is not in force: version ${current.version} came after ` +
      `it (${current.author}: ${current.message || "no message"}); change the file, or go back ` +
      "with rules rollback",
  });
}

function isNews(log: RuleLog, version: string, path: string, leads: boolean): boolean {
  const { versions, current } = log.history;
  // Rules that people wrote are not replaced by those of a newer program.
  if (path === "" && (current?.source !== "file" || !leads)) return false;
  if (!leads) return !versions.some((each) => each.version === version);
  return versions.findLast((each) => each.source === "file")?.version !== version;
}

/** What a watch of the rules file is made with. */
export interface WatchParts {
  readonly path: string | URL;
  /** Texts at the start: catalog and zones stay as they are until the next one. */
  readonly texts: RuleTexts;
  readonly events: EventSink;
  /** Runs `use` over the log, opened for that. */
  readonly withLog: (use: (log: RuleLog) => Promise<void>) => Promise<void>;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
  /** That the file may have changed; null where the system does not tell. */
  readonly hints: FileHints | null;
  readonly signal: AbortSignal;
}

/** Time between two looks at the file, milliseconds; where there are hints it is looked at at once. */
const LOOK_MS = 300;
/** Time until a file is brought again that the bus did not take, milliseconds. */
const AGAIN_MS = 1_000;
/** A file that is wrong, or shorter than before, is looked at again after so long: it may have been written only half. */
const HALF_MS = 60;

/** Brings the file's rules whenever it changes and is right; tells what is wrong otherwise. */
export async function watchRules(parts: WatchParts): Promise<void> {
  const { path, texts, signal, events } = parts;
  let seen = texts.rules;
  // Not that of now: what changed since the texts were read is a change too.
  let stamp = "";
  while (!signal.aborted) {
    const pause = parts.pause(LOOK_MS, signal);
    await (parts.hints === null ? pause : Promise.race([pause, parts.hints.next()]));
    const before = seen;
    try {
      const now = await stampOf(path);
      if (now === stamp || signal.aborted) continue;
      stamp = now;
      const rules = decodeUserText(await Deno.readFile(path), String(path));
      if (rules === seen) continue;
      // Less than before may be the beginning of what is being written.
      if (rules.length < seen.length) {
        await parts.pause(HALF_MS, signal);
        if (await stampOf(path) !== stamp) continue;
      }
      seen = rules;
      await parts.withLog(async (log) => {
        const brought = await bring(log, { ...texts, rules }, String(path));
        if (brought.kind === "faults") {
          await parts.pause(HALF_MS, signal);
          if (await stampOf(path) !== stamp) {
            seen = before;
            return;
          }
        }
        tell(brought, log, String(path), events);
      });
    } catch (error) {
      // Editors replace files: for a moment there may be none. The next look finds it.
      if (error instanceof Deno.errors.NotFound) continue;
      const reason = error instanceof Error ? error.message : String(error);
      events({ level: "error", name: "rules.not_taken", message: `${path}: ${reason}` });
      if (!(error instanceof BusError)) continue;
      // It is no fault of the file: it is brought again.
      seen = before;
      stamp = "";
      await parts.pause(AGAIN_MS, signal);
    }
  }
}

/** What came of bringing the file's rules, and which version was in force before. */
type Brought = Written & { readonly before: string };

async function bring(log: RuleLog, texts: RuleTexts, path: string): Promise<Brought> {
  const before = log.history.current?.version ?? "none";
  const written = await log.write(texts, null, { ...FILE, message: `${path} has changed` });
  return { ...written, before };
}

function tell(written: Brought, log: RuleLog, path: string, events: EventSink): void {
  const { before } = written;
  switch (written.kind) {
    case "written":
      return events({
        level: "info",
        name: "rules.version_written",
        message: `${path}: version ${written.version.version} follows ${before}; ` +
          warmingText(log, before, written.version.version),
      });
    case "same":
      return events({
        level: "info",
        name: "rules.same_meaning",
        message: `${path} has changed, its meaning has not: version ${written.version} stays`,
      });
    case "conflict":
      return events({
        level: "warn",
        name: "rules.not_taken",
        message: `${path}: version ${written.current} came first; save the file once more`,
      });
    case "faults":
      return events({
        level: "error",
        name: "rules.not_taken",
        message: `${path} is wrong, version ${before} stays in force: ${written.report}`,
      });
  }
}

/** When a version will be live. */
function warmingText(log: RuleLog, before: string, after: string): string {
  const [from, to] = [log.version(before), log.version(after)];
  const ms = from === null || to === null ? 0 : warmingMs(from, to);
  return ms === 0
    ? "it is live with the next record"
    : `it takes in the last ${showDuration(ms)} of telemetry first, and is live then`;
}

/** Changes whenever the file does; "" where there is none. */
export async function stampOf(path: string | URL): Promise<string> {
  try {
    const { mtime, size, ino } = await Deno.stat(path);
    return `${mtime?.getTime()} ${size} ${ino}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}
