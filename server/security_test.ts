import { assert, assertEquals, assertRejects } from "@std/assert";
import { HttpFault } from "./problem.ts";
import { Guard, isLoopbackName, safePath, SESSION_COOKIE } from "./security.ts";

const TOKEN = "correct horse";

function requestOf(headers: Record<string, string>, method = "GET", path = "/"): Request {
  return new Request(`http://127.0.0.1:8000${path}`, { method, headers });
}

Deno.test("guard without a token: loopback names and own origins only", async () => {
  const guard = await Guard.create(null, () => 0);
  const host = "127.0.0.1:8000";
  const table: [string, Record<string, string>, string][] = [
    ["loopback", { host }, "admitted"],
    ["localhost", { host: "localhost:8000" }, "admitted"],
    ["IPv6", { host: "[::1]:8000" }, "admitted"],
    ["own origin", { host, origin: `http://${host}` }, "admitted"],
    ["no host", {}, "refused"],
    ["foreign name", { host: "kilter.example" }, "refused"],
    ["rebound name", { host: "127.0.0.1.evil.example:8000" }, "refused"],
    ["name that begins alike", { host: "localhost.evil.example" }, "refused"],
    ["other machine", { host: "192.168.1.4:8000" }, "refused"],
    ["foreign origin", { host, origin: "http://evil.example" }, "refused"],
    ["other port's origin", { host, origin: "http://127.0.0.1:9000" }, "refused"],
    ["sandboxed origin", { host, origin: "null" }, "refused"],
  ];
  for (const [what, headers, kind] of table) {
    for (const method of ["GET", "POST"]) {
      assertEquals((await guard.admit(requestOf(headers, method))).kind, kind, `${what} ${method}`);
    }
  }
});

Deno.test("guard with a token: bearer or cookie, and no foreign page through the cookie", async () => {
  const guard = await Guard.create(TOKEN, () => 0);
  const host = "kilter.example";
  const origin = `https://${host}`;
  const form = requestOf({ host, origin }, "POST", "/login");
  const cookie = (await guard.signIn(form, TOKEN))?.split(";")[0] ?? "";
  assert(cookie.startsWith(`${SESSION_COOKIE}=`));
  assert(!cookie.includes(TOKEN));
  const table: [string, string, Record<string, string>, string][] = [
    ["nothing", "GET", {}, "unknown"],
    ["bearer", "GET", { authorization: `Bearer ${TOKEN}` }, "admitted"],
    ["cookie", "GET", { cookie }, "admitted"],
    ["cookie among others", "GET", { cookie: `a=b; ${cookie}; c=d` }, "admitted"],
    ["wrong cookie", "GET", { cookie: `${SESSION_COOKIE}=00` }, "unknown"],
    ["the token as cookie", "GET", { cookie: `${SESSION_COOKIE}=${TOKEN}` }, "unknown"],
    ["cookie, own page", "POST", { cookie, origin }, "admitted"],
    [
      "cookie, own page by metadata",
      "POST",
      { cookie, "sec-fetch-site": "same-origin" },
      "admitted",
    ],
    ["cookie, foreign page", "POST", { cookie, origin: "https://evil.example" }, "refused"],
    [
      "cookie, same site's other host",
      "POST",
      { cookie, "sec-fetch-site": "same-site" },
      "refused",
    ],
    ["cookie, no word of where", "POST", { cookie }, "refused"],
  ];
  for (const [what, method, headers, kind] of table) {
    assertEquals((await guard.admit(requestOf({ host, ...headers }, method))).kind, kind, what);
  }
  const other = await Guard.create("another", () => 0);
  assertEquals((await other.admit(requestOf({ host, cookie }))).kind, "unknown");
  const bearers = await Guard.create("s3cret", () => 0);
  for (
    const [given, kind] of [["s3cret", "admitted"], ["s3cret2", "unknown"], ["S3cret", "unknown"]]
  ) {
    const headers = { host, authorization: `Bearer ${given}`, origin: "https://evil.example" };
    assertEquals((await bearers.admit(requestOf(headers, "POST"))).kind, kind, given);
  }
});

Deno.test("guard: wrong tokens are slowed down, and forms of foreign pages refused", async () => {
  let now = 0;
  const guard = await Guard.create(TOKEN, () => now);
  const form = requestOf({ host: "a", origin: "http://a" }, "POST", "/login");
  for (let k = 0; k < 20; k++) assertEquals(await guard.signIn(form, `guess ${k}`), null);
  const fault = await assertRejects(() => guard.signIn(form, TOKEN), HttpFault);
  assertEquals(fault.status, 429);
  now = 60_001;
  assert(await guard.signIn(form, TOKEN) !== null);
  const foreign = requestOf({ host: "a", origin: "http://b" }, "POST", "/login");
  assertEquals((await assertRejects(() => guard.signIn(foreign, TOKEN), HttpFault)).status, 403);
});

Deno.test("guard: wrong bearer tokens are slowed down by caller, but none that knows the right one", async () => {
  let now = 0;
  const guard = await Guard.create(TOKEN, () => now);
  const show = async (caller: string, token: string) => {
    const request = requestOf({ host: "a", authorization: `Bearer ${token}` });
    const admission = await guard.admit(request, caller);
    return admission.kind === "refused" ? admission.fault.status : admission.kind;
  };
  assertEquals(await show("known", TOKEN), "admitted");
  for (const caller of ["known", "guesser"]) {
    for (let k = 0; k < 20; k++) assertEquals(await show(caller, `guess ${k}`), "unknown");
    assertEquals(await show(caller, "guess"), 429);
  }
  assertEquals(await show("guesser", TOKEN), 429);
  const form = requestOf({ host: "a", origin: "http://a" }, "POST", "/login");
  await assertRejects(() => guard.signIn(form, TOKEN, "guesser"), HttpFault);
  assertEquals(await show("known", TOKEN), "admitted");
  assertEquals(await show("another", TOKEN), "admitted");
  now = 60_001;
  assertEquals(await show("guesser", TOKEN), "admitted");
});

Deno.test("guard: addresses and headers have a greatest length", async () => {
  const guard = await Guard.create(null, () => 0);
  const host = "localhost";
  const long = await guard.admit(requestOf({ host }, "GET", `/${"a".repeat(9_000)}`));
  assertEquals(long.kind === "refused" && long.fault.status, 414);
  const wide = await guard.admit(requestOf({ host, "x-wide": "a".repeat(40_000) }));
  assertEquals(wide.kind === "refused" && wide.fault.status, 431);
});

Deno.test("safePath: forms lead on within this site only", () => {
  for (const next of ["/", "/anomalies?sev=critical", "/v/VH%201"]) {
    assertEquals(safePath(next), next);
  }
  const bad = [
    "//evil.example",
    "/\\evil.example",
    "http://evil.example",
    "",
    "/a\r\nx: y",
    7,
    null,
  ];
  for (const next of bad) assertEquals(safePath(next), "/");
});

Deno.test("isLoopbackName: exact names only", () => {
  for (const name of ["localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:80", "[::1]"]) {
    assert(isLoopbackName(name), name);
  }
  for (
    const name of ["", "localhost.", "127.0.0.1@evil", "::1", "0.0.0.0", "localhost:x", "127.1"]
  ) {
    assert(!isLoopbackName(name), name);
  }
});
