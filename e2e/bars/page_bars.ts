/// <reference lib="dom" />
/** A1, A2, A10, A11, A12, A13: what every page is, in any browser, for anybody. */
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { DESK, isLive, liveWord, open, until } from "../pages.ts";
import { atLeast, atMost, type Bar, type BarRun, median, none, pass, type Row } from "./bar.ts";
import type { BarServer } from "./server.ts";

const PHONE = { width: 390, height: 844 };

/** An address of each page. */
export async function pagePaths(server: BarServer): Promise<string[]> {
  const { vehicles } = await server.json("/api/vehicles?limit=1");
  const id = Array.isArray(vehicles) ? String(vehicles[0]?.id) : "";
  const { anomalies } = await server.json("/api/anomalies?limit=1");
  const why = Array.isArray(anomalies) ? String(anomalies[0]?.id) : "";
  return [
    "/",
    "/anomalies",
    `/v/${id}`,
    "/rules",
    "/rules/overspeed",
    "/pipeline",
    `/anomalies/${why}`,
  ];
}

async function foreign(run: BarRun): Promise<Row[]> {
  const { server } = run;
  const context = await run.browser.newContext({ viewport: DESK });
  const asked: string[] = [];
  const faults: string[] = [];
  await context.route("**/*", (route) => {
    const url = route.request().url();
    if (url.startsWith(server.url)) return route.continue();
    asked.push(url);
    return route.abort();
  });
  const page = await context.newPage();
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  page.on("pageerror", (fault) => faults.push(String(fault)));
  const incomplete: string[] = [];
  for (const path of await pagePaths(server)) {
    await page.goto(server.url + path);
    await isLive(page);
    if ((await page.locator("main").innerText()).length < 40) incomplete.push(path);
  }
  await context.close();
  return [
    none("foreign requests of all pages", asked),
    none("pages that are not complete without them", incomplete),
    none("errors and violations of the content security policy", faults),
  ];
}

async function weight(run: BarRun): Promise<Row[]> {
  const paints: number[] = [];
  const shifts: number[] = [];
  let script = 0;
  let style = 0;
  for (let k = 0; k < (run.short ? 1 : 5); k++) {
    const context = await run.browser.newContext({ viewport: DESK });
    const page = await context.newPage();
    const bodies: Promise<readonly [string, number]>[] = [];
    page.on("response", (response) => {
      const type = response.request().resourceType();
      if (type !== "script" && type !== "stylesheet") return;
      bodies.push(response.body().then(async (body) => [type, await gzipKilobytes(body)]));
    });
    await page.addInitScript(observePaints);
    await page.goto(`${run.server.url}/`);
    await isLive(page);
    await pass(2_000);
    const { paint, shift } = await page.evaluate(() => Reflect.get(globalThis, "barsPaint"));
    paints.push(paint);
    shifts.push(shift);
    const sizes = await Promise.all(bodies);
    const sum = (wanted: string) =>
      sizes.reduce((sum, [type, size]) => sum + (type === wanted ? size : 0), 0);
    script = sum("script") + await workerKilobytes(page);
    style = sum("stylesheet");
    await context.close();
  }
  return [
    atMost(run, { what: "scripts of / gzipped", value: script, limit: 60, unit: "KB" }),
    atMost(run, { what: "style of / gzipped", value: style, limit: 10, unit: "KB" }),
    atMost(run, {
      what: "largest contentful paint, median",
      value: median(paints),
      limit: 1000,
      unit: "ms",
      timing: true,
    }),
    atMost(run, { what: "layout shift", value: Math.max(...shifts), limit: 0.02, unit: "" }),
  ];
}

function observePaints(): void {
  const seen = { paint: 0, shift: 0 };
  Reflect.set(globalThis, "barsPaint", seen);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.paint = entry.startTime;
  }).observe({ type: "largest-contentful-paint", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (Reflect.get(entry, "hadRecentInput") !== true) {
        seen.shift += Number(Reflect.get(entry, "value"));
      }
    }
  }).observe({ type: "layout-shift", buffered: true });
}

/** The worker's own script: the page does not see it load. Its chunks are the page's. */
async function workerKilobytes(page: Page): Promise<number> {
  const text = await page.evaluate(async () => {
    const script = document.querySelector<HTMLScriptElement>('script[type="module"]');
    return await (await fetch(new URL("stream_worker.js", script?.src))).text();
  });
  return await gzipKilobytes(new TextEncoder().encode(text));
}

async function gzipKilobytes(body: Uint8Array): Promise<number> {
  const packed = new Blob([new Uint8Array(body)]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return (await new Response(packed).arrayBuffer()).byteLength / 1024;
}

async function access(run: BarRun): Promise<Row[]> {
  const axe = await Deno.readTextFile(new URL(import.meta.resolve("axe-core")));
  const found: string[] = [];
  const paths = await pagePaths(run.server);
  for (const colorScheme of ["dark", "light"] as const) {
    for (const viewport of [DESK, PHONE]) {
      const context = await run.browser.newContext({ viewport, colorScheme });
      const page = await context.newPage();
      for (const [k, path] of paths.entries()) {
        // In short each page is seen in both themes and both widths, by turns.
        const isEven = (colorScheme === "dark") === (viewport === DESK);
        if (run.short && isEven !== (k % 2 === 0)) continue;
        await page.goto(run.server.url + path);
        await isLive(page);
        await page.evaluate(axe);
        const violations = await page.evaluate(violationsOfAxe);
        found.push(
          ...violations.map((text) => `${path}, ${colorScheme}, ${viewport.width}: ${text}`),
        );
      }
      await context.close();
    }
  }
  const [moving, still] = [
    await paintsPerSecond(run, {}),
    await paintsPerSecond(run, {
      reducedMotion: "reduce",
    }),
  ];
  return [
    none(`axe, WCAG 2.2 AA: ${paths.length} pages, two themes, two widths`, found),
    atMost(run, {
      what: `map drawn with reduced motion (else ${moving.toFixed(0)} times a second)`,
      value: still,
      limit: 8,
      unit: "Hz",
    }),
  ];
}

async function violationsOfAxe(): Promise<string[]> {
  const run: unknown = Reflect.get(Object(Reflect.get(globalThis, "axe")), "run");
  if (typeof run !== "function") return ["axe is not there"];
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"];
  const { violations } = await run(document, { runOnly: tags });
  return violations.map((violation: { id: string; nodes: { html: string }[] }) =>
    `${violation.id}: ${violation.nodes.map(({ html }) => html).slice(0, 3).join(" | ")}`
  );
}

/** Vehicles glide by being drawn with every frame; without gliding only news are drawn. */
async function paintsPerSecond(run: BarRun, options: BrowserContextOptions): Promise<number> {
  const { page, context } = await open(run.browser, `${run.server.url}/`, options);
  await isLive(page);
  await pass(2_000);
  const rate = await page.evaluate(() =>
    new Promise<number>((resolve) => {
      const { prototype } = CanvasRenderingContext2D;
      const drawImage = prototype.drawImage;
      let paints = 0;
      prototype.drawImage = function (...args: unknown[]) {
        paints++;
        Reflect.apply(drawImage, this, args);
      };
      setTimeout(() => resolve(paints / 4), 4_000);
    })
  );
  await context.close();
  return rate;
}

/** Difference of two pictures of a severity in greyscale, 0 to 1. */
async function greys(run: BarRun): Promise<Row[]> {
  const worst: Record<string, number> = {};
  for (const colorScheme of ["dark", "light"] as const) {
    const { page, context } = await open(run.browser, `${run.server.url}/`, {
      colorScheme,
      deviceScaleFactor: 4,
    });
    await isLive(page);
    await page.evaluate(() => {
      document.documentElement.classList.add("bars-grey");
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(".bars-grey .kpi { filter: grayscale(1) }");
      document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
    });
    const shapes = page.locator(".kpi .count .shape");
    const pictures: string[] = [];
    for (let k = 0; k < await shapes.count(); k++) {
      pictures.push((await shapes.nth(k).screenshot()).toString("base64"));
    }
    worst[colorScheme] = await page.evaluate(leastDifference, pictures);
    await context.close();
  }
  return Object.entries(worst).map(([scheme, value]) =>
    atLeast(run, {
      what: `least difference of two severities in greyscale, ${scheme}`,
      value,
      limit: 0.05,
      unit: "",
    })
  );
}

/** Mean difference of the two pictures that are most alike, 0 to 1. */
async function leastDifference(pictures: string[]): Promise<number> {
  const greys = await Promise.all(pictures.map(async (text) => {
    const bytes = Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(64, 64).getContext("2d");
    context?.drawImage(image, 0, 0, 64, 64);
    return context?.getImageData(0, 0, 64, 64).data ?? new Uint8ClampedArray(0);
  }));
  let least = Infinity;
  for (let a = 0; a < greys.length; a++) {
    for (let b = a + 1; b < greys.length; b++) {
      let sum = 0;
      for (let k = 0; k < greys[a].length; k += 4) sum += Math.abs(greys[a][k] - greys[b][k]);
      least = Math.min(least, sum / (greys[a].length / 4) / 255);
    }
  }
  return greys.length === 3 ? least : 0;
}

/** What of a page an address has to bring back. */
async function stateOf(page: Page): Promise<Record<string, string>> {
  return {
    address: await page.evaluate(() => location.search),
    filter: await page.locator('.chips [aria-pressed="true"]').first().innerText()
      .then((text) => text.replace(/[\d,]+/g, "")),
    vehicle: await page.locator(".table tr[aria-current] th").innerText(),
    "zone and units": await page.locator(".choices-open").innerText(),
    speed: (await page.locator(".table thead").innerText()).match(/Speed, [^\s]+/)?.[0] ?? "",
  };
}

async function addresses(run: BarRun): Promise<Row[]> {
  const { browser, server } = run;
  const first = await open(browser, `${server.url}/`);
  const { page } = first;
  await isLive(page);
  await page.getByRole("button", { name: /^With anomalies/ }).click();
  await page.getByRole("button", { name: "Zoom in" }).click();
  await page.locator(".table tbody tr[data-row] td").first().click();
  await page.locator(".choices-open").click();
  await page.getByRole("radio", { name: "mph" }).check();
  await page.locator(".choices select").selectOption("America/New_York");
  const wanted = [/show=anomalies/, /z=[-\d.]+,[-\d.]+,[\d.]+/, /v=/, /u=mph/, /tz=America/];
  await until(
    () => page.evaluate(() => location.search),
    (text) => wanted.every((part) => part.test(text)),
  );
  const before = await stateOf(page);
  const again = await open(browser, `${server.url}/${before.address}`);
  await isLive(again.page);
  await again.page.locator(".table tr[aria-current]").waitFor();
  const after = await stateOf(again.page);
  await first.context.close();
  await again.context.close();
  const changed = Object.keys(before).filter((key) => before[key] !== after[key])
    .map((key) => `${key}: ${before[key]} became ${after[key]}`);
  return [
    none("changed when the address is opened anew", changed),
    await clockChange(browser, server),
  ];
}

/** On 25 October 2026 at 01:00 UTC clocks in Stockholm go back from 3:00 to 2:00. */
async function clockChange(browser: Browser, server: BarServer): Promise<Row> {
  const path = (await pagePaths(server))[2];
  const wrong: string[] = [];
  for (
    const [utc, local] of [["2026-10-25T00:59:59Z", "02:59:59"], [
      "2026-10-25T01:00:00Z",
      "02:00:00",
    ]]
  ) {
    const address = `${server.url}${path}?t=${Date.parse(utc)}&tz=Europe/Stockholm`;
    const { page, context } = await open(browser, address);
    await isLive(page);
    const said = await page.locator(".moment").innerText();
    if (!said.includes(`${local} Europe/Stockholm`)) wrong.push(`${utc} is shown as ${said}`);
    await context.close();
  }
  return none("moments shown wrong around a clock change", wrong);
}

async function withoutScripts(run: BarRun): Promise<Row[]> {
  const { browser, server } = run;
  const paths = await pagePaths(server);
  const { page, context } = await open(browser, `${server.url}/`, { javaScriptEnabled: false });
  const missing: string[] = [];
  const expect = async (path: string, what: string, selector: string) => {
    if (await page.locator(selector).count() === 0) missing.push(`${path}: ${what}`);
  };
  if (!/^Snapshot/.test(await liveWord(page))) missing.push("/: that it is a snapshot");
  await expect("/", "vehicles", ".table tbody tr[data-row]");
  await expect("/", "anomalies", ".queue .card");
  await expect("/", "figures", ".kpi dd");
  await page.goto(`${server.url}/anomalies`);
  await expect("/anomalies", "anomalies", ".cards .card");
  await page.goto(server.url + paths[2]);
  await expect(paths[2], "charts", ".plot polyline");
  await expect(paths[2], "its trail", "svg.trail path");
  const { vehicles } = await server.json("/api/vehicles?limit=1");
  const at = Array.isArray(vehicles) ? Number(vehicles[0]?.at) : 0;
  if (!(Date.now() - at < 10_000)) missing.push(`${paths[2]}: current data`);
  await context.close();
  return [none("missing with scripts off", missing)];
}

/** The bars. */
export const PAGE_BARS: readonly Bar[] = [
  { id: "A1", run: foreign },
  { id: "A2", run: weight },
  { id: "A10", run: access },
  { id: "A11", run: greys },
  { id: "A12", run: addresses },
  { id: "A13", run: withoutScripts },
];
