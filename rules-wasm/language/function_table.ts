/** Every function that a rule may call: those of the language, then the custom operators. */
import { customRows } from "./custom_calls.ts";
import { type FunctionRow, FUNCTIONS } from "./functions.ts";

/** All functions by name; a name of the language's own is never replaced. */
export const ALL_FUNCTIONS: ReadonlyMap<string, FunctionRow> = new Map([
  ...customRows().map((row) => [row.name, row] as const),
  ...FUNCTIONS,
]);
