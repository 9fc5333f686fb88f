import { assertEquals, assertRejects } from "@std/assert";
import { readBody } from "./body.ts";
import { HttpFault } from "./problem.ts";

/** A body whose first bytes come at once, and whose end never does. */
function endless(encoding: string): { request: Request; ended: Promise<void> } {
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(new Uint8Array([31, 139, 8, 0])),
    cancel: () => resolve(),
  });
  const headers = { "content-encoding": encoding };
  return { request: new Request("http://a/", { method: "POST", body, headers }), ended };
}

Deno.test("body: one that does not end in time is given up, packed or not", async () => {
  for (const encoding of ["identity", "gzip"]) {
    const { request, ended } = endless(encoding);
    const fault = await assertRejects(() => readBody(request, 100, undefined, 10), HttpFault);
    assertEquals([fault.status, fault.headers.connection], [408, "close"]);
    await ended;
  }
});

Deno.test("body: one that is too large is not read to its end", async () => {
  const { request, ended } = endless("identity");
  const fault = await assertRejects(() => readBody(request, 3), HttpFault);
  assertEquals(fault.status, 413);
  await ended;
});
