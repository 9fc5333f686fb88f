/**
 * Compiles the kernel's AssemblyScript to `kernel.wasm` beside this file.
 *
 * Run by `deno task build:kernel`; the result is committed, and a test rebuilds it and compares
 * the bytes, so that what runs is what the sources say.
 */
import asc from "assemblyscript/asc";
import { MEMORY_BASE } from "./assembly/layout.ts";

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

/**
 * Compiles the kernel.
 *
 * @returns the module's bytes
 * @throws Error with the compiler's messages when the sources do not compile
 */
export async function buildKernel(): Promise<Uint8Array> {
  let wasm: Uint8Array | null = null;
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
    if (name === "kernel.wasm" && data instanceof Uint8Array) wasm = data;
  }
}

/** Reads a source by the name the compiler asks for; null tells it to look elsewhere. */
function readFile(name: string): string | null {
  try {
    return Deno.readTextFileSync(new URL(name, FOLDER));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

if (import.meta.main) {
  await Deno.writeFile(new URL("./kernel.wasm", import.meta.url), await buildKernel());
}
