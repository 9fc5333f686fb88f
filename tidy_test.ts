/** The rules of the house, kept by a program: who imports whom, orphans, file size, banned calls. */
import { assertEquals } from "@std/assert";

const ROOT = new URL("./", import.meta.url);
/** Lines of a file; what is longer has to be split. */
const LINES_MAX = 400;

/** What each room may import: rooms, or single files of them, and packages. First match counts. */
const ROOMS: readonly { room: string; may: readonly string[]; packages: readonly string[] }[] = [
  { room: "contract/", may: ["contract/"], packages: [] },
  {
    room: "bus/kafka_bus.ts",
    may: ["contract/", "bus/"],
    packages: ["kafkajs", "node:buffer", "node:zlib"],
  },
  {
    room: "bus/kafka_compression.ts",
    may: ["contract/", "bus/"],
    packages: ["node:zlib", "hysnappy"],
  },
  { room: "bus/kafka_", may: ["contract/", "bus/"], packages: ["node:buffer", "node:zlib"] },
  { room: "bus/embedded_", may: ["contract/", "bus/"], packages: ["node:sqlite", "node:fs"] },
  { room: "bus/", may: ["contract/", "bus/"], packages: [] },
  {
    room: "rules-wasm/assembly/custom/",
    may: ["rules-wasm/assembly/slots.ts", "rules-wasm/assembly/shared_math.ts"],
    packages: [],
  },
  { room: "rules-wasm/assembly/", may: ["rules-wasm/assembly/"], packages: [] },
  {
    room: "rules-wasm/language/",
    may: ["contract/", "rules-wasm/language/"],
    packages: ["yaml"],
  },
  {
    room: "rules-wasm/",
    may: ["contract/", "rules-wasm/"],
    packages: ["assemblyscript/asc", "node:crypto"],
  },
  {
    room: "producer/",
    may: ["contract/", "bus/port.ts", "rules-wasm/", "producer/"],
    packages: ["yaml"],
  },
  {
    room: "analysis/",
    may: ["contract/", "bus/port.ts", "rules-wasm/", "analysis/"],
    packages: ["node:util", "node:zlib"],
  },
  {
    room: "server/pages/",
    may: ["contract/", "rules-wasm/language/", "server/pages/", "islands/"],
    packages: ["preact", "preact/hooks", "@preact/signals", "preact-render-to-string"],
  },
  { room: "server/store", may: ["contract/", "server/"], packages: ["node:sqlite"] },
  {
    room: "server/",
    may: ["contract/", "bus/port.ts", "rules-wasm/", "server/"],
    packages: ["hono", "node:crypto", "node:zlib"],
  },
  { room: "islands/build_land.ts", may: ["islands/"], packages: ["world-atlas/land-50m.json"] },
  {
    room: "islands/",
    may: ["contract/", "rules-wasm/language/", "islands/"],
    packages: [
      ...["preact", "preact/hooks", "@preact/signals", "uplot"],
      ...["pmtiles", "pbf", "@mapbox/vector-tile"],
    ],
  },
  { room: "orchestrator/", may: ["contract/", "orchestrator/"], packages: [] },
];

/** Calls that have no place in product code, with the rooms where they have. */
const BANNED: readonly { call: RegExp; why: string; except: readonly string[] }[] = [
  { call: /\bconsole\.\w+\(/, why: "events go to the sink", except: ["islands/build.ts"] },
  {
    call: /\bDeno\.exit\(/,
    why: "agents never end the process",
    except: ["main.ts", "commands/run_agents.ts", "islands/build.ts", "rules-wasm/build_kernel.ts"],
  },
  {
    call: /\bDate\.now\(|\bMath\.random\(/,
    why: "time and chance come in",
    except: ["commands/", "islands/", "bench/"],
  },
  { call: /\beval\(|\bnew Function\(/, why: "no code from data", except: [] },
  {
    call: /:\s*any\b|\bas any\b|\bas unknown as\b|@ts-ignore/,
    why: "the checker is not quieted",
    except: [],
  },
];

/** Files that nothing imports because they are started or read by name. */
const ENTRIES = [
  /^main\.ts$/,
  /^commands\/agent_worker\.ts$/,
  /^islands\/(build|build_land|\w+_entry|\w*worker)\.tsx?$/,
  /^islands\/entries\//,
  /^rules-wasm\/(build_kernel\.ts|assembly\/index\.ts)$/,
  /^bench\/main\.ts$/,
  /^e2e\/(torture|screenshots|bars\/main)\.ts$/,
  /^testing\//,
  /_(test|bench)\.tsx?$/,
  /\.d\.ts$/,
];

interface Source {
  readonly path: string;
  readonly text: string;
  /** Own files that it imports or starts, and packages. */
  readonly own: readonly string[];
  readonly packages: readonly string[];
}

async function sources(): Promise<Source[]> {
  const found: Source[] = [];
  const walk = async (dir: string): Promise<void> => {
    for await (const entry of Deno.readDir(new URL(dir, ROOT))) {
      const path = `${dir}${entry.name}`;
      if (/^(\.|node_modules|dist$)/.test(entry.name)) continue;
      if (entry.isDirectory) await walk(`${path}/`);
      else if (/\.tsx?$/.test(entry.name)) {
        const text = await Deno.readTextFile(new URL(path, ROOT));
        found.push({ path, text, ...importsOf(path, text) });
      }
    }
  };
  await walk("./");
  return found.map((source) => ({ ...source, path: source.path.replace(/^\.\//, "") }));
}

/** Imports, exports from elsewhere, dynamic imports and URLs of modules beside the file. */
function importsOf(path: string, text: string): Pick<Source, "own" | "packages"> {
  const pattern = /(?:\bfrom\s*|\bimport\s*\(?\s*|new URL\(\s*)["']([^"'\n]+)["']/g;
  const names = [...text.replace(/^\s*(\*|\/\/).*$/gm, "").matchAll(pattern)].map(([, name]) =>
    name
  );
  const own = names.filter((name) => name.startsWith(".")).map((name) => {
    const file = new URL(name, new URL(path, "file:///")).pathname.slice(1);
    // AssemblyScript's imports carry no extension.
    return file.startsWith("rules-wasm/assembly/") && !file.endsWith(".ts") ? `${file}.ts` : file;
  });
  return { own, packages: names.filter((name) => !name.startsWith(".")) };
}

/** Tests, benchmarks, and what only they use. */
const isTest = (path: string) =>
  /_(test|bench|fixture)\.tsx?$|^(e2e|testing|bench)\//.test(path) ||
  /\/(conformance|random_|differential|test_support)/.test(path);

Deno.test("house: every room imports only what the layout allows", async () => {
  const wrong: string[] = [];
  for (const { path, own, packages } of await sources()) {
    const room = ROOMS.find((each) => path.startsWith(each.room));
    if (!room || isTest(path)) continue;
    for (const name of own) {
      if (!room.may.some((may) => name.startsWith(may))) wrong.push(`${path} imports ${name}`);
    }
    for (const name of packages) {
      if (!room.packages.includes(name)) wrong.push(`${path} imports ${name}`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("house: no file is an orphan", async () => {
  const all = await sources();
  const imported = new Set(all.flatMap((source) => source.own));
  const orphans = all.map((source) => source.path)
    .filter((path) => !imported.has(path) && !ENTRIES.some((entry) => entry.test(path)));
  assertEquals(orphans, []);
});

Deno.test(`house: no file is longer than ${LINES_MAX} lines`, async () => {
  const long = (await sources()).map(({ path, text }) =>
    `${path}: ${text.trimEnd().split("\n").length}`
  )
    .filter((row) => Number(row.split(": ")[1]) > LINES_MAX);
  assertEquals(long, []);
});

Deno.test("house: product code makes no banned call", async () => {
  const calls: string[] = [];
  for (const { path, text } of await sources()) {
    if (isTest(path) || path.endsWith(".d.ts")) continue;
    text.split("\n").forEach((line, i) => {
      if (/^\s*(\*|\/\/|\/\*)/.test(line)) return;
      for (const { call, why, except } of BANNED) {
        if (call.test(line) && !except.some((each) => path.startsWith(each))) {
          calls.push(`${path}:${i + 1}: ${line.trim()} (${why})`);
        }
      }
    });
  }
  assertEquals(calls, []);
});

Deno.test("house: tests do not wait for a time and none is switched off", async () => {
  const found: string[] = [];
  for (const { path, text } of await sources()) {
    if (!path.endsWith("_test.ts") || path === "tidy_test.ts") continue;
    text.split("\n").forEach((line, i) => {
      if (/\.only\(|only:\s*true|ignore:\s*true/.test(line)) {
        found.push(`${path}:${i + 1}: ${line.trim()}`);
      }
    });
  }
  assertEquals(found, []);
});

Deno.test("house: nothing names a machine, a registry host or a tool of the workshop", async () => {
  const found: string[] = [];
  for await (const path of trackedFiles()) {
    if (path === "deno.lock" || path === "tidy_test.ts" || /\.(png|wasm)$/.test(path)) continue;
    const text = await Deno.readTextFile(new URL(path, ROOT));
    const match =
      /registry\.npmjs|proxy\.golang|repo1\.maven|deb\.debian|\/work\/(main|shared)|\/root\//.exec(
        text,
      );
    if (match) found.push(`${path}: ${match[0]}`);
  }
  assertEquals(found, []);
});

async function* trackedFiles(): AsyncGenerator<string> {
  const { stdout } = await new Deno.Command("git", { args: ["ls-files", "-z"], cwd: ROOT })
    .output();
  for (const path of new TextDecoder().decode(stdout).split("\0")) {
    if (path !== "") yield path;
  }
}
