import { assertEquals } from "@std/assert";
import {
  decodeRuleRecord,
  encodeRuleRecord,
  type RuleActivation,
  RuleHistory,
  type RuleVersion,
} from "./rule_versions.ts";

function version(name: string, base: string): RuleVersion {
  return {
    kind: "version",
    format: 1,
    version: name,
    base,
    time: 1,
    author: "ada",
    message: "",
    source: "api",
    rules: `rules of ${name}`,
    catalog: "signals",
    zones: "",
  };
}

function taking(history: RuleHistory, ...records: RuleVersion[]): boolean[] {
  return records.map((record) => history.take(encodeRuleRecord(record)) !== null);
}

Deno.test("rule versions: of two written over one base the first in the log counts", () => {
  const history = new RuleHistory();
  const taken = taking(
    history,
    version("a", ""),
    version("b", "a"),
    version("c", "a"),
    version("d", "b"),
    version("a", "d"),
  );
  assertEquals(taken, [true, true, false, true, true]);
  assertEquals(history.versions.map((each) => each.version), ["a", "b", "d", "a"]);
  assertEquals(history.current?.base, "d");
  assertEquals(history.find("a")?.base, "d");
  assertEquals(history.find("c"), undefined);
  assertEquals([history.conflicts, history.foreign], [1, 0]);
});

Deno.test("rule versions: activations are kept by partition, in order", () => {
  const history = new RuleHistory();
  const activation = (partition: number, offset: number): RuleActivation => ({
    kind: "activation",
    format: 1,
    version: "a",
    partition,
    offset,
    warmedFrom: offset,
    time: 2,
  });
  for (const each of [activation(1, 5), activation(0, 7), activation(1, 9)]) {
    history.take(encodeRuleRecord(each));
  }
  assertEquals(history.activations(1), [activation(1, 5), activation(1, 9)]);
  assertEquals(history.activations(2), []);
});

Deno.test("rule versions: what others wrote to the topic is passed over and counted", () => {
  const history = new RuleHistory();
  const odd = [
    "",
    "{",
    "null",
    "[]",
    '{"kind":"version"}',
    '{"kind":"version","format":2,"version":"a"}',
    '{"kind":"activation","format":1,"version":"a"}',
    JSON.stringify({ ...version("a", ""), source: "elsewhere" }),
  ];
  for (const text of odd) assertEquals(decodeRuleRecord(new TextEncoder().encode(text)), null);
  for (const text of odd) history.take(new TextEncoder().encode(text));
  history.take(new Uint8Array([0xff, 0xfe]));
  assertEquals([history.foreign, history.versions.length], [odd.length + 1, 0]);
});
