import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { loadKernelRules } from "./kernel_rules.ts";
import { loadCatalog } from "./language/catalog_file.ts";
import { hashVersion } from "./version.ts";

const catalog = loadCatalog(
  Deno.readTextFileSync(new URL("./signals.yaml", import.meta.url)),
  { file: "signals.yaml" },
);
assert(catalog.ok);
const options = { file: "r.yaml", catalog: catalog.catalog, hash: hashVersion };

Deno.test("rules for the kernel: its own limits are faults with a place and a way out", () => {
  const rules = Array.from(
    { length: 260 },
    (_, i) => `  - { id: r${i}, when: absent(${i + 1} s) }\n`,
  );
  const absents = loadKernelRules(`version: 1\n# many\nrules:\n${rules.join("")}`, options);
  assert(!absents.ok);
  assertEquals([absents.faults[0].span.line, absents.faults[0].span.column], [3, 1]);
  assertStringIncludes(absents.faults[0].message, "250 durations of absent: there are 260");

  const waiting = loadKernelRules(
    "version: 1\nsettings: { lateness: 1 s, max_waiting: 100000000 }\n" +
      "rules:\n  - { id: a, when: speed > 3 }\n",
    options,
  );
  assert(!waiting.ok);
  assertEquals(waiting.faults[0].span.line, 2);
  assertStringIncludes(
    `${waiting.faults[0].message} ${waiting.faults[0].suggestion}`,
    "max_waiting",
  );
});
