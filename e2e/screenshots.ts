/// <reference lib="dom" />
/**
 * `deno task screenshots`: every page at three widths, dark and light, into `docs/screenshots/`.
 *
 * The fleet is simulated; roads and anomalies get a minute and a half to come.
 */
import type { Page } from "playwright-core";
import { say } from "../commands/output.ts";
import { BarServer } from "./bars/server.ts";
import { findChromium, startChromium } from "./harness.ts";
import { isLive, until } from "./pages.ts";
import { palettePng, type Picture } from "./palette_png.ts";

const OUT = new URL("../docs/screenshots/", import.meta.url);
const WIDTHS = [
  { width: 1440, height: 900 },
  { width: 820, height: 1100 },
  { width: 390, height: 844 },
];
const THEMES = ["dark", "light"] as const;
const LEARN_MS = 90_000;
/** Longest wait for the costs of rules. */
const MEASURED_MS = 120_000;
/** The middle of the simulated town, and how near. */
const MIDDLE = { lat: 57.262, lon: 16.442 };
const CAMERA = `${MIDDLE.lat},${MIDDLE.lon},12.5`;
/** Half the width and height of what the smallest screen shows of it, degrees. */
const NEAR = { lat: 0.02, lon: 0.035 };

const ZONES = {
  type: "FeatureCollection",
  features: [
    {
      type: "Feature",
      id: "old-town",
      properties: { name: "Old town", radius: 900 },
      geometry: { type: "Point", coordinates: [16.434, 57.2644] },
    },
    {
      type: "Feature",
      id: "depot",
      properties: { name: "Depot North" },
      geometry: {
        type: "Polygon",
        coordinates: [[
          ...[[16.405, 57.281], [16.416, 57.281], [16.416, 57.286], [16.405, 57.286]],
          [16.405, 57.281],
        ]],
      },
    },
  ],
};

interface Listed {
  readonly id: string;
  readonly vehicle: string;
  readonly rule: string;
  readonly severity: string;
}

async function picture(page: Page): Promise<Picture> {
  const png = (await page.screenshot()).toString("base64");
  const { width, height, text } = await page.evaluate(async (png) => {
    const bytes = Uint8Array.from(atob(png), (char) => char.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: "image/png" }));
    const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
    context?.drawImage(image, 0, 0);
    const data = context?.getImageData(0, 0, image.width, image.height).data;
    let text = "";
    for (let at = 0; data !== undefined && at < data.length; at += 32_768) {
      text += String.fromCharCode(...data.subarray(at, at + 32_768));
    }
    return { width: image.width, height: image.height, text: btoa(text) };
  }, png);
  return { width, height, rgba: Uint8Array.from(atob(text), (char) => char.charCodeAt(0)) };
}

/** One page in all widths and themes, without being opened anew: roads learned stay. */
async function take(page: Page, name: string): Promise<void> {
  for (const size of WIDTHS) {
    for (const colorScheme of THEMES) {
      await page.setViewportSize(size);
      await page.emulateMedia({ colorScheme });
      await page.waitForTimeout(1_200);
      const file = `${name}-${size.width}-${colorScheme}.png`;
      const bytes = await palettePng(await picture(page));
      await Deno.writeFile(new URL(file, OUT), bytes);
      say(`${file}: ${Math.round(bytes.length / 1024)} KB`);
    }
  }
}

/** The worst of the open anomalies on vehicles in the middle of the map, or of all. */
async function worst(server: BarServer): Promise<Listed> {
  const { vehicles } = await server.json("/api/vehicles?limit=10000");
  const near = new Set(
    (Array.isArray(vehicles) ? vehicles : []).filter(({ lat, lon }) =>
      Math.abs(lat - MIDDLE.lat) < NEAR.lat && Math.abs(lon - MIDDLE.lon) < NEAR.lon
    ).map(({ id }) => String(id)),
  );
  const list = await until(
    async () => (await server.json("/api/anomalies?state=open&limit=100")).anomalies,
    (found) => Array.isArray(found) && found.length > 0,
  );
  const anomalies: Listed[] = Array.isArray(list) ? list : [];
  const inSight = anomalies.filter(({ vehicle }) => near.has(vehicle));
  const choice = inSight.length > 0 ? inSight : anomalies;
  return choice.find(({ severity }) => severity === "critical") ?? choice[0];
}

const path = await findChromium();
if (path === null) throw new Error("Cannot take pictures: chromium is not installed");
const zones = await Deno.makeTempFile({ suffix: ".geojson" });
await Deno.writeTextFile(zones, JSON.stringify(ZONES));
await Deno.mkdir(OUT, { recursive: true });
{
  await using server = await BarServer.start(["--vehicles", "600", "--zones", zones]);
  const browser = await startChromium(path);
  try {
    const context = await browser.newContext({ timezoneId: "Europe/Stockholm" });
    const live = await context.newPage();
    await live.setViewportSize(WIDTHS[0]);
    await live.goto(`${server.url}/?z=${CAMERA}`);
    await isLive(live);
    await live.waitForTimeout(LEARN_MS);
    const { id, vehicle, rule } = await worst(server);
    await live.locator(`.queue .card[data-id="${id}"]`).click({ position: { x: 300, y: 8 } });
    await take(live, "live");
    const page = await context.newPage();
    for (
      const [name, address] of [
        ["anomalies", "/anomalies"],
        ["why", `/anomalies/${id}`],
        ["vehicle", `/v/${encodeURIComponent(vehicle)}`],
        ["rules", "/rules"],
        ["rule", `/rules/${encodeURIComponent(rule)}`],
        ["pipeline", "/pipeline"],
      ]
    ) {
      await page.goto(server.url + address);
      await isLive(page);
      // What rules cost is measured when it is first asked for.
      await page.locator("td", { hasText: /^…$/ }).first()
        .waitFor({ state: "detached", timeout: MEASURED_MS });
      await take(page, name);
    }
  } finally {
    await browser.close();
    await Deno.remove(zones);
  }
}
