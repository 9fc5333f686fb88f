/// <reference lib="dom" />
/** The pages in a real browser, over the whole program. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import {
  CutProxy,
  findChromium,
  type RunningKilter,
  startChromium,
  startKilter,
} from "./harness.ts";

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1440, height: 900 };
const WAIT = { timeout: 20_000 };

const chromiumPath = await findChromium();
const isCi = Deno.env.get("CI") === "true";
if (chromiumPath === null && isCi) {
  throw new Error("Cannot run the browser tests: chromium is not installed, and CI=true wants it");
}

/** A page that keeps what went wrong on it. */
interface Watched {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Console errors, uncaught errors, CSP violations. */
  readonly faults: string[];
  /** Addresses asked for. */
  readonly requests: string[];
}

async function open(browser: Browser, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({
    viewport: DESK,
    colorScheme: "dark",
    timezoneId: "Europe/Stockholm",
    ...options,
  });
  const page = await context.newPage();
  const faults: string[] = [];
  const requests: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  page.on("pageerror", (fault) => faults.push(String(fault)));
  page.on("request", (request) => requests.push(request.url()));
  return { page, context, faults, requests };
}

/** Waits until `read` answers something that passes, and hands it back. */
async function until<T>(read: () => Promise<T>, passes: (value: T) => boolean): Promise<T> {
  const deadline = performance.now() + WAIT.timeout;
  for (;;) {
    const value = await read();
    if (passes(value)) return value;
    if (performance.now() > deadline) {
      throw new Error(`Waited in vain: the last value is ${JSON.stringify(value)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const word = (page: Page) => page.locator(".live b").innerText();

async function liveAndMoving(browser: Browser, kilter: RunningKilter): Promise<void> {
  const { page, context, faults, requests } = await open(browser);
  await page.goto(`${kilter.url}/`);
  await until(() => word(page), (text) => text === "Live");
  const picture = () => page.evaluate(() => document.querySelector("canvas")?.toDataURL() ?? "");
  const before = await until(picture, (data) => data.length > 2000);
  await until(picture, (data) => data !== before);
  const moving = await page.locator(".kpi dd").first().innerText();
  assert(Number(moving) > 0, `moving: ${moving}`);
  await until(() => page.locator(".kpi dd").last().innerText(), (text) => /^\d+ ms$/.test(text));
  await page.locator(".queue .card").first().waitFor(WAIT);
  await until(() => page.evaluate(() => location.search), () => true);
  assertEquals(faults, []);
  const foreign = requests.filter((url) => !url.startsWith(kilter.url));
  assertEquals(foreign, []);
  await context.close();
}

async function triageByKeyboard(browser: Browser, kilter: RunningKilter): Promise<void> {
  const { page, context, faults } = await open(browser);
  await page.goto(`${kilter.url}/`);
  await page.locator(".queue .card").first().waitFor(WAIT);
  await until(() => word(page), (text) => text === "Live");
  await page.keyboard.press("j");
  const chosen = page.locator(".queue .card[aria-current]");
  await chosen.waitFor(WAIT);
  const id = await chosen.getAttribute("data-id");
  const stateOf = async () => {
    const response = await fetch(`${kilter.url}/api/anomalies/${id}?proof=no`);
    return (await response.json()).anomaly.state;
  };
  await page.keyboard.press("e");
  await page.locator("dialog.why table.terms").waitFor(WAIT);
  await page.keyboard.press("Escape");
  await page.locator("dialog.why").waitFor({ state: "detached", ...WAIT });
  await page.keyboard.press("a");
  assertStringIncludes(await page.locator(".toast").innerText(), "Acknowledged");
  await until(stateOf, (state) => state === "acknowledged");
  await page.keyboard.press("z");
  await until(stateOf, (state) => state === "open");
  await page.keyboard.press("/");
  await page.locator("dialog.search input").fill("pipe");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${kilter.url}/pipeline`, WAIT);
  assertEquals(faults, []);
  await context.close();
}

async function pauseHoldsTheView(browser: Browser, kilter: RunningKilter): Promise<void> {
  const { page, context } = await open(browser);
  await page.goto(`${kilter.url}/`);
  await until(() => word(page), (text) => text === "Live");
  await page.keyboard.press("Space");
  await until(() => word(page), (text) => text === "Paused");
  const rows = () => page.locator(".table tbody").innerText();
  const held = await rows();
  const detail = () => page.locator(".live small").innerText();
  await until(detail, (text) => Number(/\+([\d,]+)/.exec(text)?.[1].replace(",", "")) > 100);
  assertEquals(await rows(), held);
  await page.keyboard.press("Space");
  await until(() => word(page), (text) => text === "Live");
  await until(rows, (text) => text !== held);
  await context.close();
}

async function urlIsState(browser: Browser, kilter: RunningKilter): Promise<void> {
  const { page, context } = await open(browser);
  await page.goto(`${kilter.url}/`);
  await until(() => word(page), (text) => text === "Live");
  await page.getByRole("button", { name: /^With anomalies/ }).click();
  await page.getByRole("button", { name: "Zoom in" }).click();
  await page.locator(".table tbody tr[data-row] td").first().click();
  const search = await until(
    () => page.evaluate(() => location.search),
    (text) =>
      /show=anomalies/.test(text) && /z=[-\d.]+,[-\d.]+,[\d.]+/.test(text) && /v=/.test(text),
  );
  const again = await open(browser);
  await again.page.goto(`${kilter.url}/${search}`);
  await until(() => word(again.page), (text) => text === "Live");
  assertEquals(await again.page.evaluate(() => location.search), search);
  const pressed = again.page.locator('.chips [aria-pressed="true"]').first();
  assertStringIncludes(await pressed.innerText(), "With anomalies");
  await again.page.locator(".table tr[aria-current]").waitFor(WAIT);
  await again.context.close();
  await context.close();
}

async function leadsToTheMoment(browser: Browser, kilter: RunningKilter): Promise<void> {
  const { page, context, faults } = await open(browser);
  const { anomalies } = await (await fetch(`${kilter.url}/api/anomalies?limit=1`)).json();
  const { vehicle, openedAt } = anomalies[0];
  await page.goto(`${kilter.url}/v/${vehicle}?t=${openedAt}`);
  await page.locator(".chart canvas").first().waitFor(WAIT);
  assertStringIncludes(await page.locator(".moment").innerText(), "Held at");
  const cursorAt = () => page.locator(".chart figcaption small").first().innerText();
  const shown = await until(cursorAt, (text) => /^\d\d:\d\d:\d\d$/.test(text));
  await page.locator(".plot").first().focus();
  await page.keyboard.press("Home");
  await until(cursorAt, (text) => text < shown);
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("End");
  await until(cursorAt, (text) => text >= shown);
  assertEquals(faults, []);
  await context.close();
}

async function withoutScripts(browser: Browser, kilter: RunningKilter, vehicle: string) {
  const { page, context } = await open(browser, { javaScriptEnabled: false });
  await page.goto(`${kilter.url}/`);
  const live = await page.locator("body").innerText();
  assertStringIncludes(live, vehicle);
  assertStringIncludes(live, "Snapshot");
  await page.goto(`${kilter.url}/anomalies`);
  assert(await page.locator(".cards .card").count() > 0);
  await page.goto(`${kilter.url}/v/${vehicle}`);
  assertStringIncludes(await page.locator("body").innerText(), "km/h");
  assert(await page.locator(".plot polyline").count() > 0);
  await context.close();
}

async function networkCut(browser: Browser, kilter: RunningKilter): Promise<void> {
  const proxy = new CutProxy(kilter.port);
  const { page, context } = await open(browser);
  try {
    await page.goto(`${proxy.url}/`);
    await until(() => word(page), (text) => text === "Live");
    const cutAt = performance.now();
    proxy.cut(true);
    await page.locator(".banner.lost").waitFor(WAIT);
    const toldMs = performance.now() - cutAt;
    proxy.cut(false);
    const joinedAt = performance.now();
    await until(() => word(page), (text) => text === "Live");
    const backMs = performance.now() - joinedAt;
    const slack = isCi ? 3000 : 1000;
    assert(toldMs <= 3000 + slack, `told after ${toldMs} ms`);
    assert(backMs <= 2000 + slack, `live after ${backMs} ms`);
  } finally {
    await context.close();
    await proxy.stop();
  }
}

async function oneConnection(browser: Browser, kilter: RunningKilter): Promise<void> {
  const { page, context } = await open(browser);
  const pages = [page];
  while (pages.length < 8) pages.push(await context.newPage());
  for (const tab of pages) await tab.goto(`${kilter.url}/`);
  for (const tab of pages) await until(() => word(tab), (text) => text === "Live");
  const streams = async () => {
    const metrics = await (await fetch(`${kilter.url}/metrics`)).text();
    return Number(/stream_clients\S*\s+(\d+)/.exec(metrics)?.[1] ?? NaN);
  };
  await until(streams, (count) => count === 1);
  await context.close();
}

async function accessible(browser: Browser, kilter: RunningKilter, paths: readonly string[]) {
  const axe = await Deno.readTextFile(new URL(import.meta.resolve("axe-core")));
  const all: string[] = [];
  for (const colorScheme of ["dark", "light"] as const) {
    for (const viewport of [DESK, PHONE]) {
      const { page, context } = await open(browser, { colorScheme, viewport });
      for (const path of paths) {
        await page.goto(kilter.url + path);
        await until(() => word(page), (text) => text === "Live");
        await page.evaluate(axe);
        const found = await page.evaluate(async () => {
          const axe: unknown = Reflect.get(globalThis, "axe");
          const run: unknown = Reflect.get(Object(axe), "run");
          if (typeof run !== "function") return ["axe is not there"];
          const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
          const { violations } = await run(document, { runOnly: tags });
          return violations.map((violation: { id: string; nodes: { html: string }[] }) =>
            `${violation.id}: ${violation.nodes.map(({ html }) => html).slice(0, 3).join(" | ")}`
          );
        });
        for (const text of found) {
          all.push(`${path}, ${colorScheme}, ${viewport.width} px: ${text}`);
        }
      }
      await context.close();
    }
  }
  assertEquals(all, []);
}

async function fitsPhones(browser: Browser, kilter: RunningKilter, paths: readonly string[]) {
  const { page, context } = await open(browser, { viewport: PHONE, isMobile: true });
  for (const path of paths) {
    await page.goto(kilter.url + path);
    await until(() => word(page), (text) => text === "Live");
    const wide = await page.evaluate(() =>
      Math.max(
        document.documentElement.scrollWidth,
        document.querySelector("main")?.scrollWidth ?? 0,
      )
    );
    assert(wide <= PHONE.width, `${path} is ${wide} px wide`);
  }
  await context.close();
}

Deno.test({
  name: chromiumPath === null
    ? "browser: skipped, since chromium is not installed"
    : "browser: the pages over the whole program",
  ignore: chromiumPath === null,
  // The browser's driver keeps timers and pipes of its own.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    if (chromiumPath === null) return;
    const kilter = await startKilter(["--vehicles", "120", "--seed", "1"]);
    const browser = await startChromium(chromiumPath);
    const step = (name: string, run: () => Promise<void>) =>
      t.step(name, async () => {
        try {
          await run();
        } finally {
          // What a failed step leaves open would disturb the next.
          for (const context of browser.contexts()) await context.close();
        }
      });
    try {
      await step(
        "live: vehicles move, an anomaly appears, nothing foreign, no fault",
        () => liveAndMoving(browser, kilter),
      );
      const { vehicles } = await (await fetch(`${kilter.url}/api/vehicles?limit=1`)).json();
      const vehicle: string = vehicles[0].id;
      const paths = [
        ...["/", "/anomalies", `/v/${vehicle}`],
        ...["/rules", "/rules/overspeed", "/pipeline"],
      ];
      await step("triage goes by keyboard, and back", () => triageByKeyboard(browser, kilter));
      await step(
        "space holds the view still, and lets it catch up",
        () => pauseHoldsTheView(browser, kilter),
      );
      await step(
        "a copied address shows the same filter, selection and map",
        () => urlIsState(browser, kilter),
      );
      await step(
        "an anomaly leads to its moment, with one cursor by keyboard",
        () => leadsToTheMoment(browser, kilter),
      );
      await step(
        "with scripts off pages show current data",
        () => withoutScripts(browser, kilter, vehicle),
      );
      await step("a cut network is told in time, and mended", () => networkCut(browser, kilter));
      await step("eight tabs share one connection", () => oneConnection(browser, kilter));
      await step(
        "axe finds nothing: six pages, two themes, two widths",
        () => accessible(browser, kilter, paths),
      );
      await step("no page is wider than a phone", () => fitsPhones(browser, kilter, paths));
    } finally {
      await browser.close();
      await kilter.stop();
    }
  },
});
