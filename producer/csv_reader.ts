/** Reads CSV as it streams in: RFC 4180, with what spreadsheets and loggers make of it. */

/** One row. */
export interface CsvRow {
  /** Line of the file on which the row starts, from 1. */
  readonly line: number;
  readonly cells: readonly string[];
}

/** How a file is read. */
export interface CsvOptions {
  /** Longest row, UTF-16 units; default 1 Mi. A longer one is skipped up to its line's end. */
  readonly rowLengthMax?: number;
  /** Told of each row that was skipped, and why. */
  readonly onSkipped?: (line: number, why: string) => void;
}

const ROW_LENGTH_MAX = 1 << 20;
const SEPARATORS = [",", ";", "\t"];

/**
 * Rows in batches, one batch for each piece of text that came in; empty lines are passed over.
 *
 * A byte order mark, CRLF, quoted cells with separators, doubled quotes and line ends in them are
 * read; the separator is the one of comma, semicolon and tab that the first line has most of.
 */
export async function* readCsv(
  chunks: AsyncIterable<Uint8Array>,
  options: CsvOptions = {},
): AsyncGenerator<CsvRow[]> {
  // The decoder drops the byte order mark; bytes that are no UTF-8 become U+FFFD.
  const decoder = new TextDecoder();
  const parser = new CsvParser(options);
  for await (const chunk of chunks) {
    const rows = parser.push(decoder.decode(chunk, { stream: true }), false);
    if (rows.length > 0) yield rows;
  }
  const rows = parser.push(decoder.decode(), true);
  if (rows.length > 0) yield rows;
}

/** Text in, rows out; keeps what is not a whole row yet. */
export class CsvParser {
  #rest = "";
  #line = 1;
  #separator = "";
  #skipping = false;
  readonly #lengthMax: number;
  readonly #onSkipped: (line: number, why: string) => void;

  constructor(options: CsvOptions = {}) {
    this.#lengthMax = options.rowLengthMax ?? ROW_LENGTH_MAX;
    this.#onSkipped = options.onSkipped ?? (() => {});
  }

  /** Rows that are whole with this piece of text; `last` says that no more will come. */
  push(piece: string, last: boolean): CsvRow[] {
    let text = this.#rest + piece;
    if (last && text !== "" && !text.endsWith("\n")) text += "\n";
    const rows: CsvRow[] = [];
    let at = 0;
    while (at < text.length) {
      const newline = text.indexOf("\n", at);
      if (this.#skipping) {
        at = newline < 0 ? text.length : newline + 1;
        if (newline >= 0) {
          this.#skipping = false;
          this.#line++;
        }
        continue;
      }
      if (newline < 0) break;
      if (this.#separator === "") this.#separator = mostOf(text.slice(at, newline));
      const end = this.#row(text, at, newline, rows);
      if (end < 0) {
        if (!last) break;
        this.#onSkipped(this.#line, "a quoted cell is never closed");
        this.#line += 1;
        at = newline + 1;
        continue;
      }
      at = end;
    }
    this.#rest = text.slice(at);
    if (this.#rest.length > this.#lengthMax) {
      this.#onSkipped(this.#line, `it is longer than ${this.#lengthMax} characters`);
      this.#rest = this.#afterLine();
    }
    return rows;
  }

  /** Gives the too long row up: what stands behind its first line end, or nothing yet. */
  #afterLine(): string {
    const newline = this.#rest.indexOf("\n");
    this.#skipping = newline < 0;
    if (newline >= 0) this.#line++;
    return newline < 0 ? "" : this.#rest.slice(newline + 1);
  }

  /** Reads the row at `at`; returns where the next starts, or -1 if it is not whole. */
  #row(text: string, at: number, newline: number, rows: CsvRow[]): number {
    const line = this.#line;
    const plainEnd = text[newline - 1] === "\r" && newline > at ? newline - 1 : newline;
    const quote = text.indexOf('"', at);
    if (quote < 0 || quote > newline) {
      this.#line++;
      if (newline - at > this.#lengthMax) {
        this.#onSkipped(line, `it is longer than ${this.#lengthMax} characters`);
      } else if (plainEnd > at) {
        rows.push({ line, cells: text.slice(at, plainEnd).split(this.#separator) });
      }
      return newline + 1;
    }
    const cells: string[] = [];
    for (let from = at;;) {
      const cell = readCell(text, from, this.#separator);
      if (cell === null) return -1;
      cells.push(cell.text);
      from = cell.end + 1;
      if (text[cell.end] === this.#separator) continue;
      for (let i = text.indexOf("\n", at); i >= 0 && i < from; i = text.indexOf("\n", i + 1)) {
        this.#line++;
      }
      rows.push({ line, cells });
      return from;
    }
  }
}

/** A cell, and where its separator or line end stands; null if it is not whole. */
function readCell(
  text: string,
  from: number,
  separator: string,
): { readonly text: string; readonly end: number } | null {
  let at = from;
  let content = "";
  if (text[at] === '"') {
    for (;;) {
      const close = text.indexOf('"', at + 1);
      if (close < 0) return null;
      content += text.slice(at + 1, close);
      at = close + 1;
      if (text[at] !== '"') break;
      content += '"';
    }
  }
  // What stands behind a closing quote belongs to the cell, as spreadsheets have it.
  let end = at;
  while (end < text.length && text[end] !== separator && text[end] !== "\n") end++;
  if (end === text.length) return null;
  const cut = text[end] === "\n" && text[end - 1] === "\r" && end > at ? end - 1 : end;
  return { text: content + text.slice(at, cut), end };
}

function mostOf(line: string): string {
  const count = (separator: string) => line.split(separator).length;
  return SEPARATORS.reduce((best, each) => count(each) > count(best) ? each : best);
}
