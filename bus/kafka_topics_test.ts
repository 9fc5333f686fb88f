import { assertEquals, assertStringIncludes } from "@std/assert";
import { compareTopic } from "./kafka_topics.ts";
import type { TopicSpec } from "./port.ts";

const DAY_MS = 86_400_000;
const SPEC: TopicSpec = {
  name: "t",
  partitions: 8,
  cleanup: "delete",
  retentionMs: DAY_MS,
  retentionBytes: Infinity,
};
const GOOD = {
  "cleanup.policy": "delete",
  "message.timestamp.type": "LogAppendTime",
  "retention.ms": String(DAY_MS),
  "retention.bytes": "-1",
  "max.message.bytes": "1048588",
};

function compare(
  spec: Partial<TopicSpec>,
  partitions: number,
  settings: Record<string, string>,
  replicas = 1,
) {
  const entries = Object.entries({ ...GOOD, ...settings });
  return compareTopic({ ...SPEC, ...spec }, { partitions, replicas }, new Map(entries));
}

Deno.test("kafka topics: a topic as asked for has no differences", () => {
  assertEquals(compare({}, 8, {}), { errors: [], warnings: [] });
  assertEquals(compare({}, 12, { "retention.ms": "-1" }), { errors: [], warnings: [] });
});

const CASES: readonly [
  string,
  Partial<TopicSpec>,
  number,
  Record<string, string>,
  string,
  string,
][] = [
  ["fewer partitions", {}, 4, {}, "", "has 4 partitions, not 8"],
  ["compaction of a log", {}, 8, { "cleanup.policy": "compact" }, "loses records", ""],
  ["deletion of compacted records", { cleanup: "compact" }, 8, {}, "loses records", ""],
  ["sooner deletion", {}, 8, { "retention.ms": "1000" }, "", "records go sooner"],
  ["deletion of what is kept for ever", { retentionMs: Infinity }, 8, {}, "for ever", ""],
  ["a size limit", {}, 8, { "retention.bytes": "1000" }, "for ever", ""],
  ["small records only", {}, 8, { "max.message.bytes": "1000" }, "", "larger records"],
  [
    "producers' times without a bound",
    {},
    8,
    { "message.timestamp.type": "CreateTime" },
    "message.timestamp.after.max.ms=3600000",
    "running maximum",
  ],
  [
    "producers' times with a bound",
    {},
    8,
    { "message.timestamp.type": "CreateTime", "message.timestamp.after.max.ms": "3600000" },
    "",
    "running maximum",
  ],
];

for (const [name, spec, partitions, settings, error, warning] of CASES) {
  Deno.test(`kafka topics: ${name} is ${error === "" ? "told of" : "refused"}`, () => {
    const found = compare(spec, partitions, settings);
    assertEquals(found.errors.length, error === "" ? 0 : 1);
    assertEquals(found.warnings.length, warning === "" ? 0 : 1);
    assertStringIncludes(found.errors.join(), error);
    assertStringIncludes(found.warnings.join(), warning);
  });
}

Deno.test("kafka topics: too few replicas in sync are told of, too many refused", () => {
  const inSync = (least: number, replicas: number) =>
    compare({}, 8, { "min.insync.replicas": String(least) }, replicas);
  assertEquals(inSync(1, 1), { errors: [], warnings: [] });
  assertEquals(inSync(2, 3), { errors: [], warnings: [] });
  assertStringIncludes(inSync(1, 3).warnings.join(), "3 replicas and min.insync.replicas=1");
  assertStringIncludes(inSync(3, 2).errors.join(), "nothing can be written");
});

Deno.test("kafka topics: a leader that may lack records is told of", () => {
  const { errors, warnings } = compare({}, 8, { "unclean.leader.election.enable": "true" });
  assertEquals(errors, []);
  assertStringIncludes(warnings.join(), "unclean.leader.election.enable=true");
});
