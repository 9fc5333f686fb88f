import { assert } from "@std/assert";
import { buildKernel } from "./build_kernel.ts";

Deno.test("kernel: the committed module is what its sources build", async () => {
  const built = await buildKernel();
  const committed = await Deno.readFile(new URL("./kernel.wasm", import.meta.url));
  const same = built.length === committed.length && built.every((byte, i) => byte === committed[i]);
  assert(same, "kernel.wasm is not what its sources build; run deno task build:kernel");
});
