/** What docs/custom_operators.md says is done: in a copy of this room, by its own words. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { loadCatalog } from "./language/catalog_file.ts";
import { formatFaults } from "./language/format_fault.ts";
import { loadRules } from "./language/rules_file.ts";
import { hashVersion } from "./version.ts";

const ROOT = new URL("../", import.meta.url);
const PAGE = await Deno.readTextFile(new URL("docs/custom_operators.md", ROOT));

/** The page's code blocks of a language, in order. */
function blocks(language: string): string[] {
  return [...PAGE.matchAll(new RegExp("^```" + language + "\\n([^]*?)^```", "gm"))]
    .map(([, code]) => code);
}

/** An event, so that all kinds of arguments and results are held against the reference. */
const SURGE = `import { Slots } from "../slots.ts";
import { exp } from "../shared_math.ts";

/** True where a speed in m/s has grown by more than d allows, while a condition holds. */
export function surge(state: Slots, t: number, v: number, c: number, d: number): number {
  if (isNaN(c)) return NaN;
  let most = 0;
  for (let i = 0; i < 3; i++) {
    const kept = state.get(i);
    if (kept > most) most = kept;
    state.set(i, i < 2 ? state.get(i + 1) : v);
  }
  const elapsed = t - state.get(3);
  state.set(3, t);
  return c === 1 && v - most > 1 / 2 + 3 * (1 - exp(-elapsed / d)) ? 1 : 0;
}
`;
const SURGE_DECLARED = `  {
    name: "surge",
    arguments: [
      { name: "v", kind: "number", unit: "m/s" },
      { name: "c", kind: "condition" },
      { name: "d", kind: "duration", leastMs: 100 },
    ],
    result: { kind: "event" },
    slots: 4,
  },
`;

/** Both operators in every place of a rule, over random logs. */
const DIFFERENTIAL = `import { assert, assertEquals } from "@std/assert";
import { Seeded } from "../testing/seeded.ts";
import { compareEngines } from "./differential.ts";
import { loadCatalog } from "./language/catalog_file.ts";
import { loadRules } from "./language/rules_file.ts";
import { randomLog } from "./reference/random_log.ts";
import { hashVersion } from "./version.ts";

Deno.test("custom operators: kernel and reference agree over random logs", async () => {
  const file = "signals.yaml";
  const signals = await Deno.readTextFile(new URL(file, import.meta.url));
  const shipped = loadCatalog(signals, { file });
  assert(shipped.ok);
  let transitions = 0;
  for (let seed = 1; seed <= 40; seed++) {
    const random = new Seeded(seed);
    const lately = "lately(" + random.pick(["speed > 60", "ignition", "rose(rpm > 2000)"]) + ", 5 s)";
    const c = random.pick(["ignition", "rpm > 1500", "true"]);
    const surge = "surge(speed, " + c + ", " + random.pick(["100 ms", "2 s"]) + ")";
    const text = "version: 1\\nrules:\\n" + [
      lately, surge, "held(" + lately + ", 2 s) or rose(" + surge + ")",
      "count(" + surge + ", 10 s) > 1", "not " + lately + " and speed > 40",
      "absent(3 s) and " + lately, "absent(3 s) or not " + surge,
      "held(not " + surge + ", 5 s)", "changed(speed) and lately(" + surge + ", 3 s)",
    ].map((when, i) => "  - { id: r" + i + ", when: \\"" + when + "\\" }\\n").join("");
    const loaded = loadRules(text, { file: "rules", catalog: shipped.catalog, hash: hashVersion });
    assert(loaded.ok, loaded.ok ? "" : JSON.stringify(loaded.faults));
    const compared = compareEngines(loaded.rules, randomLog(random, 500), seed);
    assertEquals(compared.apart, null, "seed " + seed);
    transitions += compared.transitions;
  }
  assert(transitions > 2000, "only " + transitions + " transitions");
});
`;

async function copy(from: URL, to: string): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const entry of Deno.readDir(from)) {
    if (entry.isDirectory) await copy(new URL(`${entry.name}/`, from), `${to}/${entry.name}`);
    else await Deno.copyFile(new URL(entry.name, from), `${to}/${entry.name}`);
  }
}

interface Ended {
  readonly code: number;
  readonly text: string;
}

async function deno(folder: string, ...args: string[]): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  return { code, text: text.decode(stdout) + text.decode(stderr) };
}

Deno.test("docs: a custom operator is written, built, tested and refused as the page says", async () => {
  const [source, ownTest, ...others] = blocks("ts");
  const [declaration] = blocks("js");
  assertEquals(others, []);
  const folder = await Deno.makeTempDir();
  try {
    for (const room of ["contract", "testing", "rules-wasm"]) {
      await copy(new URL(`${room}/`, ROOT), `${folder}/${room}`);
    }
    for (const file of ["deno.json", "deno.lock"]) {
      await Deno.copyFile(new URL(file, ROOT), `${folder}/${file}`);
    }
    const write = (path: string, text: string) =>
      Deno.writeTextFile(`${folder}/rules-wasm/${path}`, text);
    await write("assembly/custom/lately.ts", source);
    await write("assembly/custom/surge.ts", SURGE);
    await write("engine_lately_test.ts", ownTest);
    await write("custom_differential_test.ts", DIFFERENTIAL);
    const list = `${folder}/rules-wasm/language/custom_operators.ts`;
    const before = await Deno.readTextFile(list);
    const end = before.lastIndexOf("];");
    await Deno.writeTextFile(list, before.slice(0, end) + declaration + SURGE_DECLARED + "];\n");

    const built = await deno(folder, "task", "build:kernel");
    assertEquals(built.code, 0, built.text);
    // Types are checked here: the operator's own as well.
    const tests = ["rules-wasm/engine_lately_test.ts", "rules-wasm/custom_differential_test.ts"];
    const tested = await deno(folder, "test", "--allow-read", "--allow-env", ...tests);
    assertEquals(tested.code, 0, tested.text);
    assertStringIncludes(tested.text, "2 passed");

    await write("assembly/custom/lately.ts", source.replace("export function", "function"));
    const refused = await deno(folder, "task", "build:kernel");
    assertEquals(refused.code, 1);
    const message = "custom/lately.ts: Cannot find an exported function named lately in it";
    assertStringIncludes(PAGE, message);
    assertStringIncludes(refused.text, `Cannot build the custom operators:\n  ${message}\n`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("docs: the rules of docs/custom_operators.md are sound", async () => {
  const signals = await Deno.readTextFile(new URL("./signals.yaml", import.meta.url));
  const shipped = loadCatalog(signals, { file: "signals.yaml" });
  assert(shipped.ok);
  const sets = blocks("yaml");
  assertEquals(sets.length, 1);
  const loaded = loadRules(sets[0], {
    file: "docs/custom_operators.md",
    catalog: shipped.catalog,
    hash: hashVersion,
  });
  assert(loaded.ok, loaded.ok ? "" : formatFaults(loaded.faults, sets[0]));
});
