import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { TOPICS } from "../contract/topics.ts";
import { agentOf, onSite, settled } from "./test_site.ts";
import { transitionOf, until } from "./test_support.ts";

const HOSTILE = '<script>alert("\\u2028")</script>\n"} 1e9\n#';

Deno.test("api: every answer carries the security headers; foreign origins get none of it", () =>
  onSite(async (site) => {
    for (const path of ["/", "/api/vehicles", "/healthz", "/nothing", "/metrics"]) {
      const response = await site.get(path, { headers: { accept: "text/html" } });
      await response.body?.cancel();
      const policy = response.headers.get("content-security-policy") ?? "";
      assertStringIncludes(policy, "default-src 'none'");
      assertStringIncludes(policy, "frame-ancestors 'none'");
      assertEquals(response.headers.get("x-content-type-options"), "nosniff");
      assertEquals(response.headers.get("referrer-policy"), "same-origin");
    }
    const headers = { origin: "http://evil.example" };
    const response = await site.post("/api/agents/analysis/pause", {}, { headers });
    assertEquals(response.status, 403);
    await response.body?.cancel();
    assertEquals(site.acted, []);
  }));

Deno.test("api: pages render for browsers, unknown ones as a page too", () =>
  onSite(async (site) => {
    const table: [string, number, string][] = [
      ["/", 200, "live"],
      ["/anomalies?severity=warning", 200, "anomalies"],
      ["/rules", 200, "rules"],
      ["/rules/overspeed", 200, "rule"],
      ["/rules/none", 404, "error"],
      ["/pipeline", 200, "pipeline"],
      ["/v/none", 404, "error"],
      ["/nothing", 404, "error"],
      ["/anomalies?severity=x", 400, "error"],
    ];
    for (const [path, status, kind] of table) {
      const response = await site.get(path, { headers: { accept: "text/html,*/*" } });
      assertEquals(response.status, status, path);
      assertStringIncludes(await response.text(), `<!doctype html>${kind} `);
    }
  }));

Deno.test("api: a wrong method on a known address is told which it takes", () =>
  onSite(async (site) => {
    const table: [string, string, number, string | null][] = [
      ["POST", "/", 405, "GET, HEAD"],
      ["DELETE", "/api/vehicles", 405, "GET, HEAD"],
      ["GET", "/api/anomalies/0000/ack", 405, "POST"],
      ["POST", "/api/anomalies/0000", 405, "GET, HEAD"],
      ["DELETE", "/api/rules", 405, "GET, HEAD, PUT"],
      ["GET", "/api/telemetry", 405, "POST"],
      ["PUT", "/healthz", 405, "GET, HEAD"],
      ["POST", "/assets/0/live.js", 405, "GET, HEAD"],
      ["PUT", "/login", 405, "GET, HEAD, POST"],
      ["GET", "/logout", 405, "POST"],
      ["POST", "/api/nothing", 404, null],
    ];
    for (const accept of ["application/json", "text/html"]) {
      for (const [method, path, status, allow] of table) {
        const response = await site.get(path, { method, headers: { accept } });
        await response.body?.cancel();
        const { headers } = response;
        assertEquals([response.status, headers.get("allow")], [status, allow], `${method} ${path}`);
      }
    }
    const head = await site.get("/api/vehicles", { method: "HEAD" });
    assertEquals(head.status, 200);
  }));

Deno.test("api: with a token, strangers see the login page and nothing of the fleet", () =>
  onSite(async (site) => {
    const healthy = await site.get("/healthz");
    assertEquals(await healthy.text(), "ok\n");
    for (const path of ["/api/vehicles", "/metrics", "/readyz", "/api/stream"]) {
      const response = await site.get(path);
      assertEquals(response.status, 401, path);
      await response.body?.cancel();
    }
    const page = await site.get("/v/VH-1?t=5", { headers: { accept: "text/html" } });
    assertEquals(page.status, 401);
    assertStringIncludes(await page.text(), '"next":"/v/VH-1?t=5"');
    const signIn = (token: string) =>
      site.get("/login", {
        method: "POST",
        headers: { origin: site.url },
        body: new URLSearchParams({ token, next: "/anomalies" }),
        redirect: "manual",
      });
    const wrong = await signIn("guess");
    assertStringIncludes(await wrong.text(), '"wrong":true');
    const right = await signIn("s3cret");
    await right.body?.cancel();
    assertEquals([right.status, right.headers.get("location")], [303, "/anomalies"]);
    const set = right.headers.get("set-cookie") ?? "";
    assertStringIncludes(set, "HttpOnly");
    assertStringIncludes(set, "SameSite=Strict");
    const cookie = set.split(";")[0] ?? "";
    for (const [name, value] of [["cookie", cookie], ["authorization", "Bearer s3cret"]]) {
      const headers = new Headers({ [name ?? ""]: value ?? "" });
      const response = await site.get("/api/vehicles", { headers });
      assertEquals(response.status, 200);
      await response.body?.cancel();
    }
  }, { token: "s3cret" }));

Deno.test("api: hostile ids stay data in JSON and in the metrics", () =>
  onSite(async (site) => {
    await site.bus.send(TOPICS.telemetry, { vehicle: HOSTILE, ts: Date.now(), speed: 1 });
    await site.bus.send(TOPICS.anomalies, transitionOf({ vehicle: HOSTILE, rule: HOSTILE }));
    await settled(site, 1);
    const vehicle = await site.json(`/api/vehicles/${encodeURIComponent(HOSTILE)}`);
    assertEquals(vehicle.id, HOSTILE);
    const query = new URLSearchParams({ vehicle: HOSTILE, rule: HOSTILE });
    await until("the anomaly has come", async () => {
      const { anomalies } = await site.json(`/api/anomalies?${query}`);
      return Array.isArray(anomalies) && anomalies.length === 1;
    });
    site.agents = [{ ...agentOf(HOSTILE, "running"), metrics: { "bad name\n": NaN } }];
    const text = await (await site.get("/metrics")).text();
    const line =
      /^(#.*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{[a-z]+="([^"\\\n]|\\.)*"(,[a-z]+="([^"\\\n]|\\.)*")*\})? \S+)$/;
    for (const row of text.trimEnd().split("\n")) assert(line.test(row), row);
  }));

Deno.test("api: readiness tells every agent, and is 503 unless all do their work", () =>
  onSite(async (site) => {
    for (const [state, status] of [["running", 200], ["paused", 200], ["failed", 503]] as const) {
      site.agents = [agentOf("producer", "running"), agentOf("analysis", state)];
      const response = await site.get("/readyz");
      assertEquals(response.status, status, state);
      assertEquals((await response.json()).agents[1].state, state);
    }
    const response = await site.post("/api/agents/analysis/restart");
    assertEquals(response.status, 202);
    await response.body?.cancel();
    assertEquals(site.acted, [["analysis", "restart"]]);
    assertEquals((await site.json("/api/agents")).agents, JSON.parse(JSON.stringify(site.agents)));
  }));
