import { assert, assertEquals } from "@std/assert";
import { readCatalog, readRules } from "../commands/files.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import { createReferenceEngine } from "../rules-wasm/reference/engine.ts";
import { HandWrittenPeer } from "./peer_20.ts";
import { RULES_20 } from "./rule_sets.ts";
import { makeWorkload } from "./workload.ts";

const TEXT = new TextDecoder();

Deno.test("benchmark: the peer written by hand gives what reference and kernel give", () => {
  const ruleSet = readRules(RULES_20, readCatalog(""));
  const fired = new Set<string>();
  for (const hostile of [false, true]) {
    const workload = makeWorkload({
      seed: 5,
      samples: 4_000,
      vehicles: 50,
      hostile,
      fireRate: 0.05,
      batchRecords: 300,
      episodeSamples: 6,
      intervalMs: 5_000,
    });
    const reference = createReferenceEngine(ruleSet, { partition: 0 });
    const kernel = createEngine(ruleSet, { partition: 0 });
    const peer = new HandWrittenPeer(ruleSet);
    for (const batch of workload.batches) {
      const expected = reference.push(batch).anomalies.map(({ value }) => TEXT.decode(value));
      assertEquals(kernel.push(batch).anomalies.map(({ value }) => TEXT.decode(value)), expected);
      assertEquals(peer.push(batch), expected);
      for (const json of expected) fired.add(/"rule":"([^"]+)"/.exec(json)?.[1] ?? "");
    }
    assertEquals(peer.refused, reference.counts().refused);
  }
  assert(fired.size >= 12, `only ${[...fired].join(", ")} fired`);
});
