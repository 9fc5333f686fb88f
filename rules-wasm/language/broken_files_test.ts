/**
 * Broken files as newcomers write them, with the faults that have to be told of each: one readable
 * file holds them, each with `LINE:COLUMN <what is underlined> message`, and a suggestion below.
 */
import { assert, assertEquals } from "@std/assert";
import { loadKernelRules } from "../kernel_rules.ts";
import { hashVersion } from "../version.ts";
import type { Fault } from "./ast.ts";
import { loadCatalog } from "./catalog_file.ts";
import { formatFaults } from "./format_fault.ts";

const read = (path: string) => Deno.readTextFileSync(new URL(path, import.meta.url));

const CATALOG = (() => {
  const shipped = loadCatalog(read("../signals.yaml"), { file: "signals.yaml" });
  assert(shipped.ok);
  return shipped.catalog;
})();

/** A broken file, and what is to be said of it. */
interface Broken {
  readonly kind: "rules" | "signals";
  readonly name: string;
  readonly text: string;
  readonly report: string;
}

/** The files that are broken, in their order. */
function brokenFiles(): readonly Broken[] {
  return read("./broken_files.txt").split(/^=== /m).slice(1).map((part) => {
    const [, kind, name = "", text = "", report = ""] =
      /^(rules|signals): (.*)\n([^]*?)^>>>\n([^]*)$/m.exec(part) ?? [];
    assert(kind === "rules" || kind === "signals", part);
    return { kind, name, text, report: report.trim() };
  });
}

function faultsOf(kind: Broken["kind"], text: string): readonly Fault[] {
  const result = kind === "signals"
    ? loadCatalog(text, { file: "signals.yaml" })
    : loadKernelRules(text, { file: "rules.yaml", catalog: CATALOG, hash: hashVersion });
  return result.ok ? [] : result.faults;
}

/** A fault as the file of broken files tells it. */
function told(text: string, { span, message, suggestion }: Fault): string {
  const { line, column, offset, length } = span;
  const [underlined] = text.slice(offset, offset + length).split("\n");
  const head = `${line}:${column} <${underlined}> ${message}`;
  return suggestion === "" ? head : `${head}\n  ${suggestion}`;
}

Deno.test("broken files: every fault of 60 is found, at its place, with what to do", () => {
  const files = brokenFiles();
  assert(files.length >= 60, `${files.length} files`);
  for (const { kind, name, text, report } of files) {
    const faults = faultsOf(kind, text);
    assertEquals(faults.map((fault) => told(text, fault)).join("\n"), report, name);
    for (const { span: { line, column, offset } } of faults) {
      const before = text.slice(0, offset).split("\n");
      assertEquals([line, column], [before.length, (before.at(-1) ?? "").length + 1], name);
    }
    formatFaults(faults, text);
  }
});

Deno.test("broken files: the same is found with CRLF and a byte order mark", () => {
  for (const { kind, name, text, report } of brokenFiles()) {
    const crlf = text.replaceAll("\n", "\r\n");
    const unix = (fault: Fault) => told(crlf, fault).replaceAll("\r", "");
    assertEquals(faultsOf(kind, crlf).map(unix).join("\n"), report, name);
    if (text === "") continue;
    const marked = faultsOf(kind, `\ufeff${text}`);
    assertEquals(
      marked.map(({ message, span }) => `${span.line} ${message}`),
      faultsOf(kind, text).map(({ message, span }) => `${span.line} ${message}`),
      name,
    );
  }
});
