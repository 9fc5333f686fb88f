import { assert, assertEquals } from "@std/assert";
import { buildKernel } from "./build_kernel.ts";

Deno.test("kernel: the committed module and what belongs to it is what their sources build", async () => {
  const { wasm, generated } = await buildKernel();
  const committed = await Deno.readFile(new URL("./kernel.wasm", import.meta.url));
  const same = wasm.length === committed.length && wasm.every((byte, i) => byte === committed[i]);
  assert(same, "kernel.wasm is not what its sources build; run deno task build:kernel");
  for (const [path, text] of generated) {
    assertEquals(await Deno.readTextFile(new URL(path, import.meta.url)), text, path);
  }
});
