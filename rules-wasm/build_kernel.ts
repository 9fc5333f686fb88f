/**
 * Compiles the kernel's AssemblyScript to `kernel.wasm` beside this file, custom operators and what
 * belongs to them included.
 *
 * Run by `deno task build:kernel`; the results are committed, and a test builds again and compares
 * the bytes, so that what runs is what the sources say.
 */
import asc from "assemblyscript/asc";
import { MEMORY_BASE } from "./assembly/layout.ts";
import { customFiles } from "./custom_build.ts";
import { CustomOperatorError } from "./custom_source.ts";
import { KernelWorld, tryOperator, TypeScriptWorld } from "./custom_trial.ts";
import { CUSTOM_OPERATORS, type CustomOperator } from "./language/custom_operators.ts";

const FOLDER = new URL("./assembly/", import.meta.url);

/** How the kernel is compiled; memory below `MEMORY_BASE` is laid out by hand in `layout.ts`. */
const FLAGS = [
  "-O3",
  "--runtime",
  "stub",
  "--use",
  "abort=",
  "--enable",
  "simd",
  "--memoryBase",
  String(MEMORY_BASE),
  "--noAssert",
];

/** What a build makes. */
export interface KernelBuild {
  /** The module's bytes. */
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** The files that belong to it, by path from this folder. */
  readonly generated: ReadonlyMap<string, string>;
}

/**
 * Compiles the kernel; writes nothing.
 *
 * @throws {CustomOperatorError} with all that is wrong with a custom operator
 * @throws Error with the compiler's messages when the sources do not compile
 */
export async function buildKernel(): Promise<KernelBuild> {
  const { assembly, generated } = customFiles(CUSTOM_OPERATORS, await customSources());
  const wasm = await compile((name) =>
    assembly.get(name) ?? generated.get(`assembly/${name}`) ?? readSource(name)
  );
  const module = new WebAssembly.Module(wasm);
  for (const [i, operator] of CUSTOM_OPERATORS.entries()) {
    const typescript = new TypeScriptWorld(operator, await loadFunction(operator));
    tryOperator(operator, new KernelWorld(operator, i, module), typescript);
  }
  return { wasm, generated };
}

async function compile(
  readFile: (name: string) => string | null,
): Promise<Uint8Array<ArrayBuffer>> {
  let wasm: Uint8Array<ArrayBuffer> | null = null;
  const { error, stderr } = await asc.main(
    ["index.ts", ...FLAGS, "--outFile", "kernel.wasm"],
    { readFile, writeFile, listFiles: () => [] },
  );
  if (error !== null) {
    throw new Error(`Cannot build the kernel: ${error.message}\n${stderr.toString()}`);
  }
  if (wasm === null) throw new Error("Cannot build the kernel: the compiler wrote no module");
  return wasm;

  function writeFile(name: string, data: string | Uint8Array): void {
    if (name === "kernel.wasm" && data instanceof Uint8Array) wasm = new Uint8Array(data);
  }
}

/** Reads a source by the name the compiler asks for; null tells it to look elsewhere. */
function readSource(name: string): string | null {
  try {
    return Deno.readTextFileSync(new URL(name, FOLDER));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/** The text of every custom operator's file, by its name. */
async function customSources(): Promise<ReadonlyMap<string, string>> {
  const sources = new Map<string, string>();
  for await (const { name } of Deno.readDir(new URL("./custom/", FOLDER))) {
    if (!name.endsWith(".ts")) continue;
    sources.set(name.slice(0, -3), await Deno.readTextFile(new URL(`custom/${name}`, FOLDER)));
  }
  return sources;
}

/** The function of an operator, as TypeScript. */
async function loadFunction({ name }: CustomOperator): Promise<(...values: unknown[]) => unknown> {
  const module: Readonly<Record<string, unknown>> = await import(
    new URL(`custom/${name}.ts`, FOLDER).href
  );
  const run = module[name];
  if (typeof run === "function") return (...values) => run(...values);
  throw new CustomOperatorError([`custom/${name}.ts: Cannot find the function ${name} in it`]);
}

/** Builds and writes; @returns what is to be told of a failure, "" for none */
async function main(): Promise<string> {
  try {
    const { wasm, generated } = await buildKernel();
    for (const [path, text] of generated) {
      await Deno.writeTextFile(new URL(path, import.meta.url), text);
    }
    await Deno.writeFile(new URL("./kernel.wasm", import.meta.url), wasm);
    return "";
  } catch (error) {
    if (error instanceof CustomOperatorError) return error.message;
    throw error;
  }
}

if (import.meta.main) {
  const failure = await main();
  if (failure !== "") {
    await Deno.stderr.write(new TextEncoder().encode(`${failure}\n`));
    Deno.exit(1);
  }
}
