import { assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { TOPICS } from "../contract/topics.ts";
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import { CannotListenError, runDashboard } from "./agent.ts";
import { depsOf, onSite } from "./test_site.ts";
import { MemoryBus, TestContext, transitionOf, until } from "./test_support.ts";

Deno.test("dashboard: a port in use is one clear fault that names it and the way out", () =>
  onSite(async (site) => {
    const { port } = new URL(site.url);
    const dir = await Deno.makeTempDir();
    const context = new TestContext(() => 0);
    const deps = depsOf(dir, site.bus, { port: Number(port) });
    const fault = await assertRejects(() => runDashboard(context, deps), CannotListenError);
    assertStringIncludes(fault.message, `:${port}`);
    assertStringIncludes(fault.message, "--port");
    assertEquals(context.isReady, false);
    await Deno.remove(dir, { recursive: true });
  }));

Deno.test("dashboard: with twenty open streams, half of them not read, it is gone in two seconds", async () => {
  const connections: Deno.TcpConn[] = [];
  let started = 0;
  await onSite(async (site) => {
    const { port } = new URL(site.url);
    for (let k = 0; k < 20; k++) {
      const connection = await Deno.connect({ port: Number(port) });
      connections.push(connection);
      const text = `GET /api/stream HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`;
      await connection.write(new TextEncoder().encode(text));
      if (k % 2 === 0) await connection.read(new Uint8Array(64 * 1024));
    }
    await until("all streams are open", async () => {
      return (await (await site.get("/metrics")).text()).includes("stream_clients 20\n");
    });
    started = performance.now();
  });
  assertLess(performance.now() - started, 2_000);
  for (const connection of connections) connection.close();
});

Deno.test("dashboard: a fault of the feed ends it and is told", async () => {
  const dir = await Deno.makeTempDir();
  const context = new TestContext(() => Date.now());
  const bus = new MemoryBus(() => Date.now());
  bus.bounds = () => Promise.reject(new Error("the topic is gone"));
  await assertRejects(
    () => runDashboard(context, depsOf(dir, bus, {})),
    Error,
    "the topic is gone",
  );
  await Deno.remove(dir, { recursive: true });
});

Deno.test("dashboard: over the embedded bus, an anomaly reaches an open stream", async () => {
  const dir = await Deno.makeTempDir();
  const context = new TestContext(() => Date.now());
  const bus = await openEmbeddedBus({ dir, fsync: "interval" }, context);
  const spec = { partitions: 2, cleanup: "delete", retentionMs: Infinity } as const;
  await bus.ensureTopics([TOPICS.telemetry, TOPICS.anomalies].map((name) => {
    return { name, retentionBytes: Infinity, ...spec };
  }));
  let url = "";
  const running = runDashboard(context, depsOf(dir, bus, { listening: (found) => url = found }));
  await Promise.race([running, until("it listens", () => context.isReady)]);
  const response = await fetch(`${url}/api/stream`);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const value = new TextEncoder().encode(JSON.stringify(transitionOf()));
  const key = new TextEncoder().encode("VH-1");
  await bus.publish([{ topic: TOPICS.anomalies, records: [{ key, value }] }]);
  let text = "";
  await until("the anomaly is on the stream", async () => {
    text += (await reader?.read())?.value ?? "";
    return text.includes("event: anomaly");
  });
  assertStringIncludes(text, transitionOf().id);
  await reader?.cancel();
  context.stop();
  await running;
  await bus.close();
  await Deno.remove(dir, { recursive: true });
});
