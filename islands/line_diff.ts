/** What lines of a text became: the shortest way from one to the other. */

/** A line of both, of the one before only, or of the later one only. */
export interface DiffLine {
  readonly kind: "same" | "gone" | "new";
  readonly text: string;
}

/** Texts longer than this are told as wholly replaced, lines. */
const LINES_MAX = 400;

/** The lines of both texts in order, what went before what came. */
export function lineDiff(before: string, after: string): readonly DiffLine[] {
  const a = linesOf(before);
  const b = linesOf(after);
  if (Math.max(a.length, b.length) > LINES_MAX) return [...told(a, "gone"), ...told(b, "new")];
  // common[i][j]: lines that a from i and b from j have in common, in order.
  const common = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      common[i][j] = a[i] === b[j]
        ? common[i + 1][j + 1] + 1
        : Math.max(common[i + 1][j], common[i][j + 1]);
    }
  }
  const lines: DiffLine[] = [];
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) {
      lines.push({ kind: "same", text: a[i] });
      i++;
      j++;
    } else if (common[i + 1][j] >= common[i][j + 1]) lines.push({ kind: "gone", text: a[i++] });
    else lines.push({ kind: "new", text: b[j++] });
  }
  return [...lines, ...told(a.slice(i), "gone"), ...told(b.slice(j), "new")];
}

function linesOf(text: string): string[] {
  const trimmed = text.trimEnd();
  return trimmed === "" ? [] : trimmed.split("\n");
}

function told(lines: readonly string[], kind: DiffLine["kind"]): DiffLine[] {
  return lines.map((text) => ({ kind, text }));
}
