import { assertEquals } from "@std/assert";
import { costText, stateText } from "./rule_cost_text.ts";

Deno.test("rule_cost_text: what cannot be told from nothing says so", () => {
  const of = (sampleNs: number | null) => costText({ sampleNs, stateBytes: 0, stateBytesMax: 0 });
  assertEquals([0, 9.9, 42, 994, 1240].map(of), [
    "< 10 ns",
    "< 10 ns",
    "40 ns",
    "990 ns",
    "1.2 µs",
  ]);
  assertEquals([costText(null), of(null)], ["…", "–"]);
});

Deno.test("rule_cost_text: state is one figure, or what it may grow to", () => {
  const of = (stateBytes: number, stateBytesMax: number) =>
    stateText({ sampleNs: 1, stateBytes, stateBytesMax });
  assertEquals(of(16, 16), "16 B");
  assertEquals(of(56, 40_960), "56 B to 40 KB");
  assertEquals(stateText(null), "…");
});
