/// <reference lib="dom" />
/** Names and words that mean harm, on every page of a real browser: nothing runs, nothing breaks. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Browser, Page } from "playwright-core";
import { type RunningKilter, startKilter } from "./harness.ts";
import { browserTest, DESK, isLive, open, until, WAIT } from "./pages.ts";

const PHONE = { width: 390, height: 844 };
/** Each would leave a mark on the page if it ran, or turn the words about it. */
const IDS = [
  `<script>globalThis.harm=1</script>`,
  `"><img src=x onerror=globalThis.harm=1>`,
  `{{7*7}}</title></script><!--`,
  `VH\u202e0041\u2066\u200b\ufeff`,
  `مركبة-١٢ שלום`,
  "🚚👩\u200d🔧🏳\ufe0f\u200d🌈",
  "e" + "\u0301".repeat(40),
  "x".repeat(128),
  "長".repeat(42),
  `../../rules?x=1#y&a=b;%00`,
];
const HARM = `</textarea><svg onload=globalThis.harm=1>\u202eevil\u0007${"w".repeat(50)}`;
const HIDDEN = ["\u202e", "\u2066", "\u200b", "\ufeff", "\u0007"];

const RULES = `version: 1
rules:
  - id: fast
    when: speed > 100 km/h
    severity: critical
    message: "{vehicle} \\u202e <b>at</b> {speed}"
    runbook: https://example.com/"><script>globalThis.harm=1</script>
`;

async function feed(kilter: RunningKilter): Promise<void> {
  const now = Date.now();
  const samples = IDS.flatMap((vehicle, n) =>
    Array.from({ length: 20 }, (_, k) => ({
      vehicle,
      ts: now - (20 - k) * 1_000,
      ...{ lat: 59 + n / 100, lon: 18 + k / 1_000, speed: k < 5 ? 20 : 120 },
    }))
  );
  const response = await fetch(`${kilter.url}/api/telemetry`, {
    method: "POST",
    body: samples.map((sample) => JSON.stringify(sample)).join("\n"),
  });
  assertEquals((await response.json()).refused, 0);
}

async function judge(kilter: RunningKilter): Promise<void> {
  const { anomalies } = await until(
    async () => await (await fetch(`${kilter.url}/api/anomalies`)).json(),
    ({ anomalies }) => anomalies.length === IDS.length,
  );
  const post = async (path: string, body: unknown, method = "POST") => {
    const response = await fetch(kilter.url + path, { method, body: JSON.stringify(body) });
    await response.body?.cancel();
    assertEquals(response.status, 200, path);
  };
  for (const { id } of anomalies) {
    await post(`/api/anomalies/${id}/note`, { text: `${HARM}\n${HARM}`, by: HARM });
    await post(`/api/anomalies/${id}/assign`, { to: HARM, by: HARM });
  }
  const { version, text } = await (await fetch(`${kilter.url}/api/rules`)).json();
  const rules = text.replace("> 100 km/h", "> 110 km/h");
  await post("/api/rules", { rules, base: version, author: HARM, message: HARM }, "PUT");
}

/** What harm there would be to see. */
async function unharmed(page: Page, faults: readonly string[], where: string): Promise<void> {
  const found = await page.evaluate((hidden) => ({
    harm: Reflect.get(globalThis, "harm"),
    violations: Reflect.get(globalThis, "violations"),
    foreign: document.querySelectorAll("main script, main img, main svg[onload], bdi *").length,
    hidden: hidden.filter((char) => document.body.innerText.includes(char)),
    wide: Math.max(
      document.documentElement.scrollWidth,
      document.querySelector("main")?.scrollWidth ?? 0,
    ) - document.documentElement.clientWidth,
  }), HIDDEN);
  const { wide, ...rest } = found;
  assertEquals(
    { ...rest, faults },
    { harm: undefined, violations: [], foreign: 0, hidden: [], faults: [] },
    where,
  );
  assert(wide <= 0, `${where} is ${wide} px too wide`);
}

async function everyPage(browser: Browser, kilter: RunningKilter, phone: boolean): Promise<void> {
  const viewport = phone ? PHONE : DESK;
  const { page, context, faults } = await open(browser, "about:blank", { viewport });
  await context.addInitScript(() => {
    const violations: string[] = [];
    Reflect.set(globalThis, "violations", violations);
    addEventListener("securitypolicyviolation", (event) => {
      violations.push(
        `${Reflect.get(event, "violatedDirective")} ${Reflect.get(event, "blockedURI")}`,
      );
    });
  });
  const listed = await (await fetch(`${kilter.url}/api/anomalies?limit=100`)).json();
  const paths = [
    ...["/", "/anomalies", "/rules", "/rules/fast", "/pipeline", `/v/${"%3Cscript%3E"}`],
    ...[`/rules/${encodeURIComponent(HARM)}`, `/${encodeURIComponent(IDS[0])}`],
    ...IDS.map((id) => `/v/${encodeURIComponent(id)}`),
    ...listed.anomalies.map(({ id }: { id: string }) => `/anomalies/${id}`),
  ];
  for (const path of paths) {
    await page.goto(kilter.url + path);
    await isLive(page);
    await unharmed(page, faults.splice(0).filter((text) => !text.includes("404")), path);
  }
  await page.goto(`${kilter.url}/anomalies`);
  await isLive(page);
  assertStringIncludes(await page.locator("main").innerText(), "VH<U+202E>0041<U+2066><U+200B>");
  for (let k = 0; k < IDS.length; k++) {
    await page.keyboard.press("j");
    await page.keyboard.press("e");
    await page.locator("dialog.why .particulars code").first().waitFor(WAIT);
    await unharmed(page, faults, `why ${k}`);
    await page.keyboard.press("Escape");
    await page.locator("dialog.why").waitFor({ state: "detached", ...WAIT });
  }
  await page.keyboard.press("n");
  await page.locator("dialog.step textarea").fill(HARM);
  await page.locator("dialog.step textarea").press("Control+Enter");
  await page.locator(".toast").waitFor(WAIT);
  await page.keyboard.press("u");
  for (const text of ["<script", "VH", "x"]) {
    await page.goto(`${kilter.url}/`);
    await isLive(page);
    await page.keyboard.press("/");
    await page.locator("dialog.search input").fill(text);
    await page.locator("dialog.search li").first().waitFor(WAIT);
    await unharmed(page, faults, `search ${text}`);
  }
}

browserTest("hostile names: in the browser", async (browser, step) => {
  const dir = await Deno.makeTempDir();
  const file = `${dir}/rules.yaml`;
  await Deno.writeTextFile(file, RULES);
  const kilter = await startKilter(["--rules", file], { command: "start" });
  try {
    await feed(kilter);
    await judge(kilter);
    await step("no page runs or breaks, on a desk", () => everyPage(browser, kilter, false));
    await step("no page runs or breaks, on a phone", () => everyPage(browser, kilter, true));
  } finally {
    await kilter.stop();
    await Deno.remove(dir, { recursive: true });
  }
});
