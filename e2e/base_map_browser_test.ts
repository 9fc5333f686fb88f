/// <reference lib="dom" />
/** A base map from a file in a real browser: drawn, from this server alone, or refused at the start. */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Page } from "playwright-core";
import { fullTile, pmtiles } from "../testing/pmtiles_file.ts";
import { startKilter } from "./harness.ts";
import { browserTest, isLive, open, until, WAIT } from "./pages.ts";

/** Somewhere on land: the coastline alone would draw it as such. */
const INLAND = "?z=57.6,14.5,7";

/** Colour in the middle of the map, and those of the page. */
async function colours(page: Page): Promise<{ middle: string; land: string; sea: string }> {
  return await page.evaluate(() => {
    const canvas = document.querySelector("canvas");
    if (canvas === null) throw new Error("There is no map");
    const drawn = canvas.getContext("2d")?.getImageData(
      canvas.width / 2 | 0,
      canvas.height / 2 | 0,
      1,
      1,
    );
    const probe = new OffscreenCanvas(1, 1).getContext("2d");
    const of = (data: Uint8ClampedArray | undefined) => String(data?.slice(0, 3));
    const named = (name: string) => {
      if (probe === null) throw new Error("There is no canvas");
      probe.fillStyle = getComputedStyle(canvas).getPropertyValue(`--${name}`).trim();
      probe.fillRect(0, 0, 1, 1);
      return of(probe.getImageData(0, 0, 1, 1).data);
    };
    return { middle: of(drawn?.data), land: named("land"), sea: named("sea") };
  });
}

browserTest("base map: a PMTiles file is drawn, and comes from nowhere else", async (browser) => {
  const dir = await Deno.makeTempDir({ prefix: "kilter-e2e-" });
  try {
    const file = `${dir}/world.pmtiles`;
    const attribution = '<a href="https://example.org">\u00a9 Test Survey</a>';
    await Deno.writeFile(file, pmtiles({ tile: fullTile("water"), attribution }));
    const plain = await startKilter([], { command: "start" });
    try {
      const { page, context } = await open(browser, `${plain.url}/${INLAND}`);
      await isLive(page);
      await until(() => colours(page), ({ middle, land }) => middle === land);
      await context.close();
    } finally {
      await plain.stop();
    }
    const kilter = await startKilter(["--base-map", file], { command: "start" });
    try {
      const { page, faults } = await open(browser, "about:blank");
      const requests: string[] = [];
      page.on("request", (request) => requests.push(request.url()));
      await page.goto(`${kilter.url}/${INLAND}`);
      await isLive(page);
      await until(() => colours(page), ({ middle, sea }) => middle === sea);
      await page.locator(".map-note").getByText("\u00a9 Test Survey").waitFor(WAIT);
      assertStringIncludes(await page.locator(".map-note").innerText(), "no internet needed");
      assert(requests.some((url) => url === `${kilter.url}/map.pmtiles`));
      assertEquals(requests.filter((url) => !url.startsWith(kilter.url)), []);
      assertEquals(faults, []);
    } finally {
      await kilter.stop();
    }
    await Deno.writeTextFile(file, "not a map");
    const refused = await assertRejects(
      () => startKilter(["--base-map", file], { command: "start" }),
      Error,
    );
    assertStringIncludes(refused.message, `${file}: it is too short for a PMTiles file`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
