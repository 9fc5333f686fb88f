/**
 * Bundles the islands into `islands/dist`: `deno task build:islands`.
 *
 * Does nothing when no source has changed since the last build. Prints one line.
 */
/** One bundle per page, and the worker. */
const ENTRIES = [
  "live.ts",
  "anomalies.ts",
  "vehicle.ts",
  "pipeline.ts",
  "rules.ts",
  "rule.ts",
  "why.ts",
  "page.ts",
  "stream_worker.ts",
];

const HERE = new URL("./", import.meta.url);
const DIST = new URL("./dist/", HERE);
/** Beside the bundles: the hash of the sources that they were made of. */
const STAMP_NAME = "sources.txt";
const STAMP = new URL(STAMP_NAME, DIST);
const SOURCES = [HERE, new URL("./entries/", HERE), new URL("../contract/", HERE)];
/** Names the versions of the packages that the bundles hold. */
const CONFIG_PATH = "../deno.json";
const CONFIG = new URL(CONFIG_PATH, HERE);

/** What a build did. */
export interface Build {
  readonly built: boolean;
  /** Bytes of each script after gzip, by name. */
  readonly gzipBytes: Readonly<Record<string, number>>;
}

/**
 * Builds if need be.
 *
 * @throws {Error} if the bundler fails, with what it said
 */
export async function buildIslands(): Promise<Build> {
  const stamp = await hashSources();
  if (await readStamp() === stamp) return { built: false, gzipBytes: await sizes() };
  // Chunks of before would stay beside the new ones.
  await removeDist();
  await Deno.mkdir(DIST, { recursive: true });
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--quiet",
      "--platform=browser",
      "--code-splitting",
      "--minify",
      `--config=${path(CONFIG)}`,
      `--outdir=${path(DIST)}`,
      ...ENTRIES.map((name) => path(new URL(`./entries/${name}`, HERE))),
    ],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(`Cannot bundle the islands: ${new TextDecoder().decode(stderr).trim()}`);
  }
  await Deno.writeTextFile(STAMP, stamp);
  return { built: true, gzipBytes: await sizes() };
}

async function hashSources(): Promise<string> {
  const files = [CONFIG];
  for (const folder of SOURCES) {
    for await (const { name, isFile } of Deno.readDir(folder)) {
      if (isFile && /\.tsx?$/.test(name) && !/_(test|fixture)\./.test(name)) {
        files.push(new URL(name, folder));
      }
    }
  }
  const parts: string[] = [Deno.version.deno];
  for (const file of files.sort((a, b) => (a.href < b.href ? -1 : 1))) {
    parts.push(
      file.href.slice(HERE.href.length - "islands/".length),
      await Deno.readTextFile(file),
    );
  }
  const bytes = new TextEncoder().encode(parts.join("\0"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return digest.toHex();
}

async function readStamp(): Promise<string> {
  try {
    return await Deno.readTextFile(STAMP);
  } catch (fault) {
    if (fault instanceof Deno.errors.NotFound) return "";
    throw fault;
  }
}

async function removeDist(): Promise<void> {
  try {
    await Deno.remove(DIST, { recursive: true });
  } catch (fault) {
    if (!(fault instanceof Deno.errors.NotFound)) throw fault;
  }
}

async function sizes(): Promise<Record<string, number>> {
  const bytes: Record<string, number> = {};
  for await (const { name } of Deno.readDir(DIST)) {
    if (!name.endsWith(".js")) continue;
    const plain = await Deno.readFile(new URL(name, DIST));
    const packed = new Blob([plain]).stream().pipeThrough(new CompressionStream("gzip"));
    bytes[name] = (await new Response(packed).arrayBuffer()).byteLength;
  }
  return bytes;
}

function path(url: URL): string {
  return decodeURIComponent(url.pathname);
}

if (import.meta.main) {
  const { built, gzipBytes } = await buildIslands();
  const total = Object.values(gzipBytes).reduce((sum, bytes) => sum + bytes, 0);
  const kilobytes = (total / 1024).toFixed(1);
  const text = `islands: ${built ? "built" : "up to date"}, ${
    Object.keys(gzipBytes).length
  } scripts, ${kilobytes} KB gzipped in all\n`;
  await Deno.stdout.write(new TextEncoder().encode(text));
}
