import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import { loadCatalog } from "./language/catalog_file.ts";
import { loadRules } from "./language/rules_file.ts";
import { createEngine } from "./engine.ts";
import { hashVersion } from "./version.ts";

const CATALOG = `version: 1
vehicle: [v]
time: [t]
signals:
  x: { unit: V, range: [0, 100], description: a voltage }
`;

/** The id of the anomaly that one sample opens. */
function idOf(rule: string, vehicle: string, t: number, partition: number, offset: number): string {
  const catalog = loadCatalog(CATALOG, { file: "c" });
  if (!catalog.ok) throw new Error("the catalog is wrong");
  const rules = loadRules(`version: 1\nrules:\n  - { id: ${rule}, when: x > 1 V }\n`, {
    file: "r",
    catalog: catalog.catalog,
    hash: hashVersion,
  });
  if (!rules.ok) throw new Error("the rules are wrong");
  const engine = createEngine(rules.rules, { partition });
  const values = new TextEncoder().encode(JSON.stringify({ v: vehicle, t, x: 2 }));
  const { anomalies } = engine.push({
    count: 1,
    values,
    valueEnds: Uint32Array.of(values.length),
    appendTimes: Float64Array.of(t),
    offsets: Float64Array.of(offset),
  });
  return JSON.parse(new TextDecoder().decode(anomalies[0].value)).id;
}

Deno.test("anomaly id: the first 64 bits of SHA-256 over six lines of text", () => {
  // Lengths about the ends of a block of 64 bytes, and of a text that fills several.
  const vehicles = Array.from({ length: 128 }, (_, i) => "V".repeat(i + 1));
  const numbers = [0, 7, 999_999_999, 1_000_000_000, 1_000_000_001, 253_402_300_799_999];
  vehicles.push("Übergröße-7", "車両");
  vehicles.forEach((vehicle, i) => {
    const t = numbers[i % numbers.length];
    const offset = i % 3 === 0 ? 2 ** 53 - 1 : i * 1_000_003;
    const rule = "r".repeat(1 + i % 64);
    const text = `${rule}\n${vehicle}\n${t}\n${i}\n${offset}\n0\n`;
    assertEquals(
      idOf(rule, vehicle, t, i, offset),
      createHash("sha256").update(text).digest("hex").slice(0, 16),
      text,
    );
  });
});
