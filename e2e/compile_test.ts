/** One binary: `deno task compile` embeds every file that the program reads while it runs. */
import { assert, assertEquals } from "@std/assert";

const ROOT = new URL("../", import.meta.url);

/** Files that are read by name, thus not found by following imports. */
const NEEDED = [
  "rules-wasm/kernel.wasm",
  "rules-wasm/rules.yaml",
  "rules-wasm/rules_test.yaml",
  "rules-wasm/signals.yaml",
  "server/pages/kilter.css",
  "server/pages/theme.js",
  "server/pages/icon.svg",
  "server/dashboard.yaml",
  "islands/land.bin",
  "islands/dist/live.js",
  "islands/dist/anomalies.js",
  "islands/dist/vehicle.js",
  "islands/dist/pipeline.js",
  "islands/dist/page.js",
  "islands/dist/stream_worker.js",
  "producer/mappings/css_obd2_gps_1hz.yaml",
  "producer/mappings/twizy.yaml",
  "producer/mappings/driveplotr.yaml",
  "commands/agent_worker.ts",
  "commands/backtest_worker.ts",
];
/** Bytes of packages and files; the compiler of the kernel and the tests' browser add 100 MB. */
const EMBEDDED_MB_MAX = 16;

Deno.test("compile: the binary holds every file that the program reads, and no tools", async () => {
  const dir = await Deno.makeTempDir({ prefix: "kilter-compile-" });
  try {
    await deno(["task", "--quiet", "build:islands"], {});
    const args = await compileArgs(`${dir}/kilter`);
    // The runtime for binaries would be downloaded; this executable stands in for it. The result
    // does not start, and need not: the list of what it holds is what is looked at.
    const said = await deno(args, { DENORT_BIN: Deno.execPath() });
    const embedded = listed(said);
    const missing = NEEDED.filter((path) => !holds(embedded, path));
    assertEquals(missing, [], said);
    for (
      const tool of ["assemblyscript", "binaryen", "playwright-core", "axe-core", "world-atlas"]
    ) {
      assert(!said.includes(tool), `${tool} is embedded:\n${said}`);
    }
    const size = /^Files: ([\d.]+)MB/m.exec(said)?.[1];
    assert(Number(size) < EMBEDDED_MB_MAX, `${size} MB are embedded:\n${said}`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

/** The arguments of the task as it stands in deno.json, with another output. */
async function compileArgs(output: string): Promise<string[]> {
  const config: unknown = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
  const task = /"compile": "(?:[^"]*&& )?deno (compile [^"]*)"/.exec(
    JSON.stringify(config, null, 1),
  );
  const args = (task?.[1] ?? "").split(" ");
  const at = args.indexOf("--output");
  assert(at > 0, "the task names its output");
  return args.with(at + 1, output);
}

/** Runs deno over the project; answers what it said on stderr. */
async function deno(args: readonly string[], env: Record<string, string>): Promise<string> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    stdin: "null",
    stdout: "null",
    env: { NO_COLOR: "1", ...env },
  }).output();
  const said = new TextDecoder().decode(stderr);
  assert(success, said);
  return said;
}

/** Paths of the tree that the compiler prints; a folder that is listed as a whole ends in `/*`. */
function listed(said: string): ReadonlySet<string> {
  const paths = new Set<string>();
  const folders: string[] = [];
  for (const line of said.split("\n")) {
    const entry = /^((?:[│ ] )*)[├└]─[─┬] (.+?)(?: \(.*\))?$/.exec(line);
    if (entry === null) continue;
    const depth = (entry[1] ?? "").length / 2;
    folders.length = depth;
    folders.push(entry[2] ?? "");
    paths.add(folders.join("/"));
  }
  return paths;
}

function holds(paths: ReadonlySet<string>, path: string): boolean {
  const parts = path.split("/");
  return paths.has(path) ||
    parts.some((_, i) => i > 0 && paths.has([...parts.slice(0, i), "*"].join("/")));
}
