/** Shows faults to people. */
import type { Fault } from "./ast.ts";

/** Widest part of a source line that is shown. */
const WIDTH = 100;

/**
 * A fault as lines of text: place and message, the source line, a caret below it, the suggestion.
 *
 * ```
 * rules.yaml:4:11: Cannot find a signal named "sped"
 *   4 |     when: sped > 130 km/h
 *     |           ^^^^
 *   did you mean "speed"?
 * ```
 *
 * @param text the whole file that the fault is in
 */
export function formatFault(fault: Fault, text: string): string {
  const { line, column, length } = fault.span;
  const head = `${fault.file}:${line}:${column}: ${fault.message}`;
  const tail = fault.suggestion === "" ? [] : [`  ${fault.suggestion}`];
  const source = lineAt(text, fault.span.offset - (column - 1));
  if (source === "") return [head, ...tail].join("\n");
  const from = column <= WIDTH - 20 ? 0 : column - 1 - WIDTH / 2;
  const shown = source.slice(from, from + WIDTH);
  const before = shown.slice(0, column - 1 - from).replaceAll(/[^\t]/g, " ");
  const carets = Math.max(1, Math.min(length, shown.length - before.length));
  const number = String(line);
  return [
    head,
    `  ${number} | ${shown.trimEnd()}`,
    `  ${" ".repeat(number.length)} | ${before}${"^".repeat(carets)}`,
    ...tail,
  ].join("\n");
}

function lineAt(text: string, start: number): string {
  const end = text.indexOf("\n", start);
  return text.slice(start, end === -1 ? text.length : end).replace(/\r$/, "");
}

/** All faults of a file, a blank line between them, and a last line that counts them. */
export function formatFaults(faults: readonly Fault[], text: string): string {
  const count = faults.length === 1 ? "1 fault" : `${faults.length} faults`;
  return [...faults.map((fault) => formatFault(fault, text)), count].join("\n\n");
}
