/// <reference lib="dom" />
/** The pages in a real browser, over the whole program. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { findChromium, type RunningKilter, startChromium, startKilter } from "./harness.ts";

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

async function showsRecords(browser: Browser, kilter: RunningKilter): Promise<void> {
  const { page, context, faults } = await open(browser);
  await page.goto(`${kilter.url}/pipeline`);
  const values = () => page.locator(".tail tbody code").allInnerTexts();
  const all = await until(values, (texts) => texts.length > 10);
  assert(all.every((text) => text.startsWith('{"vehicle":"VH-')), all[0]);
  const one = /VH-\d+/.exec(all[0])?.[0] ?? "";
  await page.getByLabel("Show records that hold this text").fill(one);
  await until(values, (texts) => texts.length > 0 && texts.every((text) => text.includes(one)));
  const summary = () => page.locator(".tail-bar span").innerText();
  await until(summary, (text) => /^\d+ that match, of \d+ in a second$/.test(text));
  await page.getByRole("button", { name: "Hold" }).press("Enter");
  await until(summary, (text) => text.endsWith("held"));
  assertEquals(faults, []);
  await context.close();
}

async function tableGrows(browser: Browser, kilter: RunningKilter): Promise<void> {
  const { page, context, faults } = await open(browser);
  await page.goto(`${kilter.url}/`);
  await until(() => word(page), (text) => text === "Live");
  const height = async () => (await page.locator(".table").boundingBox())?.height ?? 0;
  const before = await height();
  const edge = page.getByRole("separator", { name: "Height of the table" });
  await edge.focus();
  for (let k = 0; k < 3; k++) await page.keyboard.press("ArrowUp");
  await until(height, (now) => now === before + 84);
  const box = await edge.boundingBox();
  assert(box !== null);
  await page.mouse.move(box.x + 200, box.y + 5);
  await page.mouse.down();
  await page.mouse.move(box.x + 200, box.y + 45, { steps: 4 });
  await page.mouse.up();
  await until(height, (now) => Math.abs(now - before - 44) <= 1);
  await page.reload();
  await until(height, (now) => Math.abs(now - before - 44) <= 1);
  assertEquals(faults, []);
  await context.close();
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
        "an anomaly leads to its moment, with one cursor by keyboard",
        () => leadsToTheMoment(browser, kilter),
      );
      await step("records show as they come", () => showsRecords(browser, kilter));
      await step("the table grows, and stays so", () => tableGrows(browser, kilter));
      await step("no page is wider than a phone", () => fitsPhones(browser, kilter, paths));
    } finally {
      await browser.close();
      await kilter.stop();
    }
  },
});
