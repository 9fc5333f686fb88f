/** Reads rules for the kernel: what the language allows may still be more than the kernel holds. */
import type { Fault, Span } from "./language/ast.ts";
import { loadRules, type RulesOptions, type RulesResult } from "./language/rules_file.ts";
import { compilePlan } from "./plan.ts";

/** Reads the text of a rules file; faults are those of the language and the kernel's own limits. */
export function loadKernelRules(text: string, options: RulesOptions): RulesResult {
  const result = loadRules(text, options);
  if (!result.ok) return result;
  try {
    compilePlan(result.rules);
    return result;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    const [message, suggestion = ""] = error.message.split("; ");
    const span = spanOf(text, message.includes("max_waiting") ? "settings" : "rules");
    const fault: Fault = { file: options.file, span, message, suggestion };
    return { ok: false, faults: [fault] };
  }
}

/** Where a key of the file stands; limits of the whole file have no closer place. */
function spanOf(text: string, key: string): Span {
  const lines = text.split("\n");
  const line = Math.max(0, lines.findIndex((each) => each.startsWith(`${key}:`)));
  const offset = lines.slice(0, line).reduce((sum, each) => sum + each.length + 1, 0);
  return { offset, line: line + 1, column: 1, length: key.length };
}
