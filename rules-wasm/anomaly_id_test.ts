import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { anomalyId } from "./anomaly_id.ts";

Deno.test("anomaly id: the first 64 bits of SHA-256 over six lines of text", () => {
  const id = anomalyId({
    rule: "overspeed",
    vehicle: "VH-0412",
    onset: 1763886400123,
    partition: 3,
    offset: 8841,
    index: 0,
  });
  const text = "overspeed\nVH-0412\n1763886400123\n3\n8841\n0\n";
  assertEquals(id, createHash("sha256").update(text).digest("hex").slice(0, 16));
});
