/// <reference lib="dom" />
/** A first-time operator's path through the pages, by keyboard alone. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { Page } from "playwright-core";
import { type RunningKilter, startKilter } from "./harness.ts";
import { browserTest, isLive, open, until, WAIT } from "./pages.ts";

/** Three vehicles: one beyond the critical limit, one beyond the first, one within. */
const SPEEDS = { "VAN-1": 171, "VAN-2": 138, "VAN-3": 80 };

async function drive(kilter: RunningKilter): Promise<void> {
  const start = Date.now() - 30_000;
  const samples = Object.entries(SPEEDS).flatMap(([vehicle, speed], v) =>
    Array.from({ length: 25 }, (_, k) => ({
      ...{ vehicle, ts: start + k * 1_000, speed, rpm: 3_000 },
      ...{ lat: 57.2644 + v * 0.01 + k * 0.0003, lon: 16.434 },
    }))
  );
  const body = samples.map((sample) => JSON.stringify(sample)).join("\n");
  const answer = await fetch(`${kilter.url}/api/telemetry`, { method: "POST", body });
  assertEquals(answer.status, 202, await answer.text());
  await until(
    async () => await (await fetch(`${kilter.url}/api/anomalies?limit=9`)).json(),
    ({ open }) => open.critical === 1 && open.warning === 1,
  );
}

const rowsOf = (page: Page) => page.locator(".table tbody tr[data-row] th").allInnerTexts();

browserTest(
  "operator: from the first look to a shared link, by keyboard alone",
  async (browser) => {
    const kilter = await startKilter([], { command: "start" });
    try {
      await drive(kilter);
      const { page, context, faults } = await open(browser, `${kilter.url}/`);
      await context.grantPermissions(["clipboard-read", "clipboard-write"]);
      await isLive(page);

      // The most urgent comes first.
      await page.keyboard.press("j");
      const chosen = page.locator(".queue .card[aria-current]");
      await chosen.waitFor(WAIT);
      assertStringIncludes(await chosen.getAttribute("class") ?? "", "critical");
      assertStringIncludes(await chosen.innerText(), "VAN-1");
      const id = await chosen.getAttribute("data-id");

      // Why did it fire?
      await page.keyboard.press("e");
      const why = page.locator("dialog.why");
      await why.locator("table.terms").waitFor(WAIT);
      assertStringIncludes(await why.innerText(), "speed > 130 km/h");
      await why.locator(".silencing").waitFor(WAIT);

      // The vehicle at that moment: the link before the button that has the focus.
      await page.keyboard.press("Shift+Tab");
      await page.keyboard.press("Enter");
      await page.waitForURL(/\/v\/VAN-1\?t=\d+$/, WAIT);
      await page.locator(".chart canvas").first().waitFor(WAIT);
      assertStringIncludes(await page.locator(".moment").innerText(), "Held at");
      await page.locator(`#a-${id}[aria-current]`).waitFor(WAIT);
      await isLive(page);

      // A note, and the acknowledgement.
      await page.keyboard.press("n");
      await page.locator("dialog.step textarea").waitFor(WAIT);
      await page.keyboard.type("Driver called, slows down");
      await page.keyboard.press("Control+Enter");
      await page.locator("dialog.step").waitFor({ state: "detached", ...WAIT });
      await page.keyboard.press("a");
      const told = await until(
        async () =>
          (await (await fetch(`${kilter.url}/api/anomalies/${id}?proof=no`)).json()).anomaly,
        ({ state, notes }) => state === "acknowledged" && notes.length === 1,
      );
      assertEquals(told.notes[0].text, "Driver called, slows down");

      // The live page with that vehicle alone.
      await page.keyboard.press("/");
      await page.locator("dialog.search input").waitFor(WAIT);
      await page.keyboard.type("live");
      await page.keyboard.press("Enter");
      await page.waitForURL(`${kilter.url}/`, WAIT);
      await isLive(page);
      await until(() => rowsOf(page), (rows) => rows.length === 3);
      await page.keyboard.press("f");
      await page.keyboard.type("van-1");
      await page.keyboard.press("Enter");
      assertEquals(await until(() => rowsOf(page), (rows) => rows.length === 1), ["VAN-1"]);

      // Shared, it is the same to somebody else.
      await page.keyboard.press("c");
      await page.locator(".toast").getByText("Link to this view copied").waitFor(WAIT);
      const link = await page.evaluate(() => navigator.clipboard.readText());
      assert(link.includes("q=van-1"), link);
      const other = await open(browser, link);
      await isLive(other.page);
      assertEquals(await until(() => rowsOf(other.page), (rows) => rows.length === 1), ["VAN-1"]);
      assertEquals(await other.page.locator(".chips input").inputValue(), "van-1");
      const tab = other.page.getByRole("button", { name: "Acked 1" });
      await tab.waitFor(WAIT);
      await tab.press("Enter");
      const card = other.page.locator(`.queue #a-${id}`);
      await card.waitFor(WAIT);
      assertStringIncludes(await card.innerText(), "1 note");
      assertEquals([...faults, ...other.faults], []);
    } finally {
      await kilter.stop();
    }
  },
);
