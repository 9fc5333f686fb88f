/** Which silences and which vehicles concern a rule. */
import type { Rule } from "../language/ast.ts";
import { hasAbsent, walk } from "../language/brings.ts";

/** Durations of `absent` in a rule's `when`, `clear` and severity. */
export function absentDurations(rule: Rule): Set<number> {
  const found = new Set<number>();
  for (const root of [rule.when, rule.clear, ...rule.levels.map((level) => level.when)]) {
    if (root === null || !hasAbsent(root)) continue;
    walk(root, (node) => {
      if (node.kind === "call" && node.fn === "absent") found.add(node.durationMs);
    });
  }
  return found;
}

/** Whether a rule is meant for a vehicle: `*` stands for any text, `?` for one character. */
export function applies(rule: Rule, vehicle: string): boolean {
  if (rule.vehicles.length === 0) return true;
  return rule.vehicles.some((glob) => {
    const pattern = glob.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")
      .replaceAll("\\*", "[^]*").replaceAll("\\?", "[^]");
    return new RegExp(`^${pattern}$`, "u").test(vehicle);
  });
}
