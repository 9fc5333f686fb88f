/// <reference lib="dom" />
/** What the view says of itself in a real browser: empty, replayed, late, cut off, in error. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Browser } from "playwright-core";
import { CutProxy, type RunningKilter, startKilter } from "./harness.ts";
import { browserTest, isLive, liveWord, open, until, WAIT } from "./pages.ts";

async function send(kilter: RunningKilter, sample: object): Promise<void> {
  const response = await fetch(`${kilter.url}/api/telemetry`, {
    method: "POST",
    body: JSON.stringify({ vehicle: "VH-1", lat: 59.33, lon: 18.06, ...sample }),
  });
  await response.body?.cancel();
  assertEquals(response.status, 202);
}

async function fromEmptyToReplayed(browser: Browser, kilter: RunningKilter): Promise<void> {
  const { page, faults } = await open(browser, `${kilter.url}/`);
  await isLive(page);
  assertStringIncludes(await page.locator("main").innerText(), "No vehicle yet");
  assertStringIncludes(await page.locator("main").innerText(), `${kilter.url}/api/telemetry`);
  const recorded = Date.UTC(2024, 4, 1, 12);
  let k = 0;
  await until(
    async () => {
      await send(kilter, { ts: recorded + 1_000 * k++, speed: 50 });
      return await liveWord(page);
    },
    (word) => word === "Live, replayed data",
  );
  assertEquals(await page.getByText("No vehicle yet").count(), 0);
  await until(() => liveWord(page), (word) => word === "Delayed");
  await until(
    async () => {
      await send(kilter, { ts: Date.now(), speed: 50 });
      return await liveWord(page);
    },
    (word) => word === "Live",
  );
  assertEquals(faults, []);
}

async function cutOff(browser: Browser, kilter: RunningKilter): Promise<void> {
  const proxy = new CutProxy(kilter.port);
  try {
    await send(kilter, { ts: Date.now(), speed: 50 });
    const { page } = await open(browser, `${proxy.url}/`);
    await isLive(page);
    const age = () => page.locator(".table tbody tr[data-row] td").last().innerText();
    proxy.cut(true);
    await until(() => liveWord(page), (word) => word === "Reconnecting");
    assertStringIncludes(await page.locator(".banner.lost").innerText(), "No connection");
    assert(await page.locator(".stage.lost").count() === 1);
    const before = parseFloat(await age());
    await until(async () => parseFloat(await age()), (seconds) => seconds >= before + 2);
    const detail = () => page.locator(".live small").innerText();
    await until(detail, (text) => /no connection for \d+ s/.test(text));
    proxy.cut(false);
    await isLive(page);
    assertEquals(await page.locator(".banner.lost").count(), 0);
  } finally {
    await proxy.stop();
  }
}

async function inError(browser: Browser, kilter: RunningKilter): Promise<void> {
  const { page } = await open(browser, `${kilter.url}/v/VH-9`);
  const text = await page.locator("main").innerText();
  assertStringIncludes(text, "404");
  assertStringIncludes(text, 'no vehicle "VH-9"');
  await page.getByRole("link", { name: "To the live page" }).click();
  await isLive(page);
}

/** Notifications come only after a press of the button, and only for criticals. */
async function notifies(browser: Browser, kilter: RunningKilter): Promise<void> {
  const { page, context, faults } = await open(browser, "about:blank");
  await context.grantPermissions(["notifications"], { origin: kilter.url });
  await context.addInitScript(() => {
    const told: string[] = [];
    Reflect.set(globalThis, "told", told);
    class Told extends EventTarget {
      static permission = "granted";
      static requestPermission = () => Promise.resolve("granted");
      constructor(title: string, { body }: { body: string }) {
        super();
        told.push(`${title}: ${body}`);
      }
    }
    Reflect.set(globalThis, "Notification", Told);
    // As in a window that is behind others.
    document.hasFocus = () => false;
  });
  const told = () => page.evaluate((): string[] => Reflect.get(globalThis, "told"));
  await page.goto(`${kilter.url}/`);
  await isLive(page);
  const now = Date.now();
  await send(kilter, { vehicle: "A", ts: now - 1_000, oil: 50, speed: 200 });
  await until(() => page.title(), (title) => title === "(1) Live · Kilter");
  assertEquals(await told(), []);
  await page.locator(".choices-open").click();
  await page.getByRole("button", { name: "Notify me" }).click();
  await page.getByText("On while this page is open").waitFor(WAIT);
  await send(kilter, { vehicle: "B", ts: now, speed: 200 });
  await until(told, (list) => list.length > 0);
  assertEquals(await told(), ["Critical: Too fast: B at 200 km/h"]);
  await until(() => page.title(), (title) => title === "(2) Live · Kilter");
  assertEquals(faults, []);
}

/** What changed while the server was away is told once it is back. */
async function restarted(browser: Browser, file: string): Promise<void> {
  const data = await Deno.makeTempDir();
  const args = ["--rules", file];
  let kilter = await startKilter(args, { command: "start", data });
  try {
    const { url, port } = kilter;
    await send(kilter, { ts: Date.now() - 5_000, speed: 200 });
    const anomaly = async () => (await (await fetch(`${kilter.url}/api/anomalies`)).json());
    await until(anomaly, ({ anomalies }) => anomalies.length > 0);
    const { page } = await open(browser, `${url}/v/VH-1`);
    await isLive(page);
    await until(() => page.locator(".cards .card .meta").innerText(), (t) => t.startsWith("Open"));
    await kilter.stop();
    await until(() => liveWord(page), (word) => word === "Reconnecting");
    kilter = await startKilter(args, { command: "start", data, port: port + 1 });
    await send(kilter, { ts: Date.now(), speed: 50 });
    await until(anomaly, ({ anomalies }) => anomalies[0].state === "cleared");
    await kilter.stop();
    kilter = await startKilter(args, { command: "start", data, port });
    await isLive(page);
    await until(() => page.locator(".cards .card .meta").innerText(), (text) => {
      return text.startsWith("Cleared");
    });
  } finally {
    await kilter.stop();
    await Deno.remove(data, { recursive: true });
  }
}

const RULES = `version: 1
rules:
  - id: too-fast
    when: speed > 150 km/h
    severity: critical
    message: "{vehicle} at {speed}"
  - id: slow
    when: speed < 30 km/h
    severity: info
`;

browserTest("states: in the browser", async (browser, step) => {
  const dir = await Deno.makeTempDir();
  const file = `${dir}/rules.yaml`;
  await Deno.writeTextFile(file, RULES);
  const kilter = await startKilter(["--rules", file], { command: "start" });
  try {
    await step("from empty over replayed to live", () => fromEmptyToReplayed(browser, kilter));
    await step("cut off it says so, and ages go on counting", () => cutOff(browser, kilter));
    await step("what cannot be shown says why and what to do", () => inError(browser, kilter));
    await step("a restart of the server loses nothing", () => restarted(browser, file));
    await step("criticals stand in the title, and are told on request", () => {
      return notifies(browser, kilter);
    });
  } finally {
    await kilter.stop();
    await Deno.remove(dir, { recursive: true });
  }
});
