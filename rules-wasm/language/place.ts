/** From positions in a text to line and column of the file that the text stands in. */
import type { Span } from "./ast.ts";

/** Where the characters of a text lie in its file. */
export interface Place {
  /** Span in the file of `length` UTF-16 units from `offset` on of the text. */
  locate(offset: number, length: number): Span;
}

/** A whole file: lines end with LF (a CR before it belongs to the line). */
export class FilePlace implements Place {
  readonly #starts: readonly number[];
  readonly #size: number;

  constructor(text: string) {
    const starts = [0];
    for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
      starts.push(at + 1);
    }
    this.#starts = starts;
    this.#size = text.length;
  }

  /** Span in the file; positions outside it are moved to its nearest end. */
  locate(offset: number, length: number): Span {
    const at = Math.max(0, Math.min(offset, this.#size));
    let low = 0;
    let high = this.#starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= at) low = middle;
      else high = middle - 1;
    }
    const column = at - (this.#starts[low] ?? 0) + 1;
    return { line: low + 1, column, offset: at, length: Math.max(0, length) };
  }
}

/** A part of a text, from `base` on. */
export function placeFrom(place: Place, base: number): Place {
  return { locate: (offset, length) => place.locate(base + offset, length) };
}
