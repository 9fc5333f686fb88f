import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import type { Intake } from "../contract/telemetry.ts";
import { TOPICS } from "../contract/topics.ts";
import { onSite, settled } from "./test_site.ts";
import { transitionOf, until } from "./test_support.ts";

const ID = transitionOf().id;

Deno.test("api: a vehicle, its series and its trail come from the telemetry topic", () =>
  onSite(async (site) => {
    const t = Math.floor(Date.now() / 60_000) * 60_000 - 90_000;
    for (let k = 0; k < 120; k++) {
      await site.bus.send(TOPICS.telemetry, {
        vehicle: "VH-1",
        ts: t + k * 1000,
        speed: k,
        lat: 59 + k / 1e5,
        lon: 18,
      });
    }
    await site.bus.send(TOPICS.telemetry, "{broken", { vehicle: "VH-2", ts: t });
    await settled(site, 121);
    const { vehicles, total } = await site.json("/api/vehicles");
    assert(Array.isArray(vehicles));
    assertEquals([vehicles.map(({ id }) => id), total], [["VH-1", "VH-2"], 2]);
    assertEquals((await site.json("/api/vehicles?q=vh-2&limit=1")).cursor, null);
    assertEquals((await site.json("/api/vehicles?limit=1")).cursor, "1");
    const vehicle = await site.json("/api/vehicles/VH-1");
    assertEquals([vehicle.lat, vehicle.state], [59.00119, "moving"]);
    for (const restarts of [false, true]) {
      if (restarts) await site.restart();
      const path = `/api/vehicles/VH-1/series?signal=speed&from=${t}&to=${t + 200_000}`;
      const series = await site.json(path);
      assertEquals(series.v, Array.from({ length: 120 }, (_, k) => k));
      assertEquals(series.unit, "km/h");
      const thin = await site.json(`${path}&points=10`);
      assert(Array.isArray(thin.v));
      assertEquals([thin.v.length, thin.v[0], thin.v.at(-1)], [10, 0, 119]);
      assertEquals((await site.json("/api/vehicles/VH-1")).lat, 59.00119);
    }
    const page = await (await site.get("/v/VH-1", { headers: { accept: "text/html" } })).text();
    assertStringIncludes(page, '"kind":"vehicle"');
  }));

Deno.test("api: anomalies are listed, explained and judged, over a restart too", () =>
  onSite(async (site) => {
    await site.bus.send(TOPICS.anomalies, transitionOf(), "{not one", transitionOf());
    await until("the anomaly has come", async () => {
      const { anomalies } = await site.json("/api/anomalies");
      return Array.isArray(anomalies) && anomalies.length === 1;
    });
    const explanation = await site.json(`/api/anomalies/${ID}`);
    assertEquals(explanation.current, true);
    const acknowledged = await site.post(`/api/anomalies/${ID}/ack`);
    assertEquals([acknowledged.status, (await acknowledged.json()).state], [200, "acknowledged"]);
    const noted = await site.post(`/api/anomalies/${ID}/note`, { text: "called" });
    assertEquals((await noted.json()).notes[0].text, "called");
    const assigned = await site.post(`/api/anomalies/${ID}/assign`, { to: "Åsa", by: "Bo" });
    const { assignee, acts } = await assigned.json();
    assertEquals([assignee, acts.at(-1).by], ["Åsa", "Bo"]);
    const slip = await site.post(`/api/anomalies/${ID}/note`, { text: "slip", by: "Bo" });
    const remove = (await slip.json()).notes[1].at;
    const without = await site.post(`/api/anomalies/${ID}/note`, { remove });
    assertEquals((await without.json()).notes.length, 1);
    const snoozed = await site.post(`/api/anomalies/${ID}/snooze`, { minutes: 5 });
    assertEquals((await snoozed.json()).state, "snoozed");
    await site.restart();
    const { anomalies, open } = await site.json("/api/anomalies?state=snoozed&rule=overspeed");
    assert(Array.isArray(anomalies));
    assertEquals(anomalies[0].notes[0].text, "called");
    assertEquals(open, { info: 0, warning: 0, critical: 0 });
    const awake = await site.post(`/api/anomalies/${ID}/snooze`, { until: null });
    assertEquals((await awake.json()).state, "acknowledged");
    const undone = await site.post(`/api/anomalies/${ID}/ack`, { acknowledged: false });
    assertEquals((await undone.json()).state, "open");
    const form = await site.get(`/api/anomalies/${ID}/ack`, {
      method: "POST",
      body: new URLSearchParams({ next: "/anomalies?state=open" }),
      redirect: "manual",
    });
    assertEquals([form.status, form.headers.get("location")], [303, "/anomalies?state=open"]);
    await form.body?.cancel();
  }));

Deno.test("api: bad requests are answered with a problem that names the fault", () =>
  onSite(async (site) => {
    await site.bus.send(TOPICS.anomalies, transitionOf());
    await site.bus.send(TOPICS.telemetry, { vehicle: "VH-1", ts: 1 });
    await settled(site, 1);
    await until("the anomaly has come", async () => {
      const response = await site.get(`/api/anomalies/${ID}`);
      await response.body?.cancel();
      return response.ok;
    });
    const table: [string, string, unknown, number, string][] = [
      ["GET", "/api/nothing", undefined, 404, "nothing at this address"],
      ["GET", "/api/vehicles/none", undefined, 404, '"none"'],
      ["GET", "/api/vehicles?state=flying", undefined, 400, "moving"],
      ["GET", "/api/vehicles?limit=-1", undefined, 400, "limit"],
      ["GET", "/api/vehicles/VH-1/series", undefined, 400, "signal"],
      ["GET", "/api/vehicles/VH-1/series?signal=speed&from=x", undefined, 400, "ISO 8601"],
      ["GET", "/api/vehicles/VH-1/series?signal=speed&from=9&to=1", undefined, 400, "from"],
      ["GET", "/api/anomalies?severity=fatal", undefined, 400, "critical"],
      ["GET", "/api/anomalies?limit=100000", undefined, 400, "limit"],
      ["GET", "/api/anomalies?cursor=1", undefined, 400, "cursor"],
      ["GET", "/api/anomalies/0000", undefined, 404, "no anomaly"],
      ["POST", "/api/anomalies/0000/ack", {}, 404, "no anomaly"],
      ["POST", `/api/anomalies/${ID}/ack`, [], 400, "JSON object"],
      ["POST", `/api/anomalies/${ID}/ack`, { acknowledged: 1 }, 400, "true or false"],
      ["POST", `/api/anomalies/${ID}/snooze`, { until: 5 }, 400, "year"],
      ["POST", `/api/anomalies/${ID}/snooze`, { minutes: "x" }, 400, "minutes"],
      ["POST", `/api/anomalies/${ID}/note`, { text: " " }, 400, "note"],
      ["POST", `/api/anomalies/${ID}/note`, { remove: 5 }, 409, "none of that time"],
      ["POST", `/api/anomalies/${ID}/assign`, { to: "x".repeat(101) }, 400, "to is"],
      ["POST", `/api/anomalies/${ID}/ack`, { by: 7 }, 400, "by is"],
      ["POST", `/api/anomalies/${ID}/note`, { text: "x".repeat(70_000) }, 413, "65536"],
      ["PUT", "/api/rules", {}, 400, "rules is null"],
      ["POST", "/api/rules/rollback", { to: "0000000000000000" }, 404, "no version"],
      ["POST", "/api/telemetry", {}, 501, "takes no telemetry"],
      ["POST", "/api/agents/analysis/explode", {}, 404, "restart"],
      ["POST", "/api/agents/nobody/pause", {}, 404, "nobody"],
    ];
    for (const [method, path, body, status, words] of table) {
      const response = await site.get(path, {
        method,
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      assertEquals(response.status, status, path);
      assertEquals(response.headers.get("content-type"), "application/problem+json", path);
      const text = await response.text();
      assertStringIncludes(JSON.parse(text).detail, words);
      assert(!text.includes(".ts:"), path);
    }
  }));

Deno.test("api: telemetry is taken in plain and gzip, bounded, and refused while the bus is", () => {
  const taken: string[] = [];
  let fault: Error | undefined;
  const intake: Intake = (body) => {
    if (fault !== undefined) return Promise.reject(fault);
    taken.push(new TextDecoder().decode(body));
    return Promise.resolve({ accepted: 1, refused: 0, refusals: [] });
  };
  return onSite(async (site) => {
    const send = async (body: BodyInit, headers: Record<string, string> = {}) => {
      const response = await site.get("/api/telemetry", { method: "POST", body, headers });
      return { status: response.status, body: await response.json(), headers: response.headers };
    };
    const pack = (bytes: Uint8Array<ArrayBuffer>) =>
      new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip")))
        .arrayBuffer();
    assertEquals((await send("{}")).body, { accepted: 1, refused: 0, refusals: [] });
    const packed = await pack(new TextEncoder().encode('{"a":1}'));
    assertEquals((await send(packed, { "content-encoding": "gzip" })).status, 202);
    assertEquals(taken, ["{}", '{"a":1}']);
    const bomb = await pack(new Uint8Array(40 * 2 ** 20));
    assertLess(bomb.byteLength, 100_000);
    assertEquals((await send(bomb, { "content-encoding": "gzip" })).status, 413);
    assertEquals((await send(new Uint8Array(17 * 2 ** 20))).status, 413);
    assertEquals((await send("not gzip", { "content-encoding": "gzip" })).status, 400);
    assertEquals((await send("x", { "content-encoding": "br" })).status, 415);
    assertEquals((await send("")).status, 400);
    site.bus.broken = true;
    fault = await assertRejects(() => site.bus.send(TOPICS.telemetry, "{}"));
    const refused = await send("{}");
    assertEquals([refused.status, refused.headers.get("retry-after")], [503, "1"]);
    fault = Object.assign(new Error("too much waits"), { fault: "busy" });
    assertEquals((await send("{}")).status, 503);
    fault = new TypeError("a bug at /secret/path.ts:1:1");
    const failed = await send("{}");
    assertEquals(failed.status, 500);
    assert(!JSON.stringify(failed.body).includes("secret"));
    assert(
      site.context.said.some(({ level, message }) =>
        level === "error" && message.includes("a bug")
      ),
    );
  }, { intake });
});
