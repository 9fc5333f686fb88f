import { assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { TOPICS } from "../contract/topics.ts";
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import { createDecoder } from "../rules-wasm/decoder.ts";
import { CannotListenError, runDashboard } from "./agent.ts";
import { depsOf, onSite, settled } from "./test_site.ts";
import { CATALOG, MemoryBus, TestContext, transitionOf, until } from "./test_support.ts";

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

Deno.test("dashboard: what a crash leaves of the store is made whole from the topics", () =>
  onSite(async (site) => {
    const id = transitionOf().id;
    const t = Math.floor(Date.now() / 60_000) * 60_000 - 150_000;
    const sample = (k: number) => ({ vehicle: "VH-1", ts: t + k * 1000, speed: k });
    await site.bus.send(TOPICS.anomalies, transitionOf());
    for (let k = 0; k < 130; k++) await site.bus.send(TOPICS.telemetry, sample(k));
    await settled(site, 130);
    await until("the anomaly can be acknowledged", async () => {
      const response = await site.post(`/api/anomalies/${id}/ack`);
      await response.body?.cancel();
      return response.ok;
    });
    await until("full minutes are stored", async () => {
      const text = await (await site.get("/metrics")).text();
      return text.includes("history_chunks_waiting 0\n");
    });
    const dir = await Deno.makeTempDir();
    for (const file of ["server.db-wal", "server.db"]) {
      await Deno.copyFile(`${site.dir}/${file}`, `${dir}/${file}`);
    }
    for (let k = 130; k < 140; k++) await site.bus.send(TOPICS.telemetry, sample(k));
    const context = new TestContext(() => Date.now());
    let url = "";
    const deps = depsOf(dir, site.bus, { listening: (found) => url = found });
    const running = runDashboard(context, deps);
    await Promise.race([running, until("it listens", () => context.isReady)]);
    const path = `/api/vehicles/VH-1/series?signal=speed&from=${t}&to=${t + 200_000}`;
    const all = Array.from({ length: 140 }, (_, k) => k);
    await until("the series is whole", async () => {
      const { v } = await (await fetch(url + path)).json();
      return JSON.stringify(v) === JSON.stringify(all);
    });
    const { anomalies } = await (await fetch(`${url}/api/anomalies`)).json();
    assertEquals(anomalies.length, 1);
    assertEquals(anomalies[0].state, "acknowledged");
    context.stop();
    await running;
    await Deno.remove(dir, { recursive: true });
  }));

Deno.test("dashboard: over the embedded bus, samples and anomalies reach an open stream", async () => {
  const dir = await Deno.makeTempDir();
  const context = new TestContext(() => Date.now());
  const bus = await openEmbeddedBus({ dir, fsync: "interval" }, context);
  const spec = { partitions: 2, cleanup: "delete", retentionMs: Infinity } as const;
  await bus.ensureTopics([TOPICS.telemetry, TOPICS.anomalies].map((name) => {
    return { name, retentionBytes: Infinity, ...spec };
  }));
  const decoder = createDecoder(CATALOG, { maxVehicles: 100, maxClockAheadMs: 60_000 });
  let url = "";
  const deps = depsOf(dir, bus, { decoder, listening: (found) => url = found });
  const running = runDashboard(context, deps);
  await Promise.race([running, until("it listens", () => context.isReady)]);
  const response = await fetch(`${url}/api/stream`);
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  const record = (value: unknown) => ({
    key: new TextEncoder().encode("VH-1"),
    value: new TextEncoder().encode(JSON.stringify(value)),
  });
  const { id, vehicle } = transitionOf();
  const sample = { vehicle, ts: Date.now(), speed: 74.2, lat: 59.33, lon: 18.06 };
  await bus.publish([
    { topic: TOPICS.telemetry, records: [record(sample), record([]), record({ ts: 1 })] },
    { topic: TOPICS.anomalies, records: [record(transitionOf())] },
  ]);
  let text = "";
  await until("both are on the stream", async () => {
    text += (await reader?.read())?.value ?? "";
    return text.includes("event: anomaly") && text.includes(`"${vehicle}"`) &&
      text.includes("not-an-object");
  });
  assertStringIncludes(text, id);
  const view = await (await fetch(`${url}/api/vehicles/${vehicle}`)).json();
  assertEquals([view.lat, view.lon, view.signals.speed, view.open], [59.33, 18.06, 74.2, 1]);
  assertEquals(view.severity, "warning");
  assertEquals(await refusedAt(url), 2);
  await reader?.cancel();
  context.stop();
  await running;
  await bus.close();
  await Deno.remove(dir, { recursive: true });
});

/** What the metrics say was refused, all reasons together. */
async function refusedAt(url: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const counts = text.matchAll(/^kilter_refused_total\{.*\} (\d+)$/gm);
  return [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
}
