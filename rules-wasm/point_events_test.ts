/** Point events are told by the rules that raised them. */
import { assertEquals } from "@std/assert";
import type { Transition } from "../contract/anomaly.ts";
import { traceRules } from "../testing/engine_trace.ts";
import { pointEvents } from "./point_events.ts";

const file = (...rules: string[]) =>
  traceRules(`version: 1\nrules:\n  - ${rules.join("\n  - ")}\n`);

const EVENT = file("{ id: jump, when: speed > 9, once: true }");
const LASTING = file("{ id: jump, when: speed > 9 }");
const WITHOUT = file("{ id: other, when: speed > 9 }");

function opened(rule: string, version: string): Transition {
  return {
    ...{ id: "0123456789abcdef", kind: "opened", rule, version, vehicle: "V", severity: "info" },
    ...{ onset: 0, at: 0, append: 0, count: 1, message: "", terms: [] },
    source: { partition: 0, offset: "0", index: 0 },
  };
}

Deno.test("point events: the version that raised it decides, not the one in force", () => {
  const known = new Map([EVENT, LASTING, WITHOUT].map((each) => [each.version, each]));
  const rules = { version: (name: string) => known.get(name) ?? null };
  for (const inForce of [EVENT, LASTING, WITHOUT]) {
    const isEvent = pointEvents(rules, inForce);
    assertEquals(isEvent(opened("jump", EVENT.version)), true);
    assertEquals(isEvent(opened("jump", LASTING.version)), false);
    assertEquals(isEvent(opened("other", WITHOUT.version)), false);
    assertEquals(isEvent(opened("jump", "ffffffffffffffff")), inForce === EVENT);
  }
});
