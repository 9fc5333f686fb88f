/// <reference lib="dom" />
/** Triage in a real browser: by keyboard, without scripts, and seen by everybody at once. */
import { assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import type { Browser, Page } from "playwright-core";
import { type RunningKilter, startKilter } from "./harness.ts";
import { browserTest, isLive, open, until, WAIT } from "./pages.ts";

/** Others see a step within this long, milliseconds; machines that run tests are shared. */
const SEEN_MS_MAX = Deno.env.get("CI") === "true" ? 3_000 : 1_000;

interface Chosen {
  readonly id: string;
  readonly vehicle: string;
}

async function anOpenOne(kilter: RunningKilter): Promise<Chosen> {
  const { anomalies } = await until(
    async () => await (await fetch(`${kilter.url}/api/anomalies?state=open&limit=50`)).json(),
    ({ anomalies }) => anomalies.length > 0,
  );
  return anomalies[0];
}

/** Selects an anomaly on the live page by J and K alone. */
async function chooseByKeys(page: Page, id: string): Promise<void> {
  for (let k = 0; k < 300; k++) {
    await page.keyboard.press("j");
    const chosen = page.locator(".queue .card[aria-current]");
    await chosen.waitFor(WAIT);
    if (await chosen.getAttribute("data-id") === id) return;
  }
  throw new Error(`J never came to ${id}`);
}

async function seenByAll(browser: Browser, kilter: RunningKilter): Promise<void> {
  const { id, vehicle } = await anOpenOne(kilter);
  const acting = await open(browser, `${kilter.url}/`);
  const listed = await open(browser, `${kilter.url}/anomalies?vehicle=${vehicle}`);
  const own = await open(browser, `${kilter.url}/v/${vehicle}`);
  const watching = await open(browser, `${kilter.url}/`);
  for (const { page } of [acting, listed, own, watching]) await isLive(page);
  await chooseByKeys(acting.page, id);
  const card = ({ page }: { page: Page }) => page.locator(`#a-${id}`);
  const seen = async (what: string) => {
    const from = performance.now();
    for (const watched of [listed, own]) {
      await until(() => card(watched).innerText(), (text) => text.includes(what));
    }
    assertLess(performance.now() - from, SEEN_MS_MAX, `${what} was seen too late`);
  };

  await acting.page.keyboard.press("n");
  await acting.page.locator("dialog.step textarea").fill("Driver called\nback at 15:00");
  await acting.page.locator("dialog.step").getByLabel("Your name").fill("Åsa");
  await acting.page.locator("dialog.step textarea").press("Control+Enter");
  await seen("Driver called");
  assertStringIncludes(await card(listed).innerText(), "Åsa");

  await acting.page.keyboard.press("i");
  await acting.page.getByRole("button", { name: "To me" }).click();
  await seen("with Åsa");
  await until(() => card(watching).innerText(), (text) => text.includes("With Åsa"));

  await acting.page.keyboard.press("s");
  await acting.page.locator("dialog.step .choose").waitFor(WAIT);
  await acting.page.keyboard.press("3");
  assertStringIncludes(await acting.page.locator(".toast").innerText(), "Snoozed for 4 h");
  await seen("Snoozed until");
  await acting.page.keyboard.press("u");
  await seen("Open ·");

  await acting.page.locator(`.queue #a-${id}[aria-current]`).waitFor(WAIT);
  await acting.page.keyboard.press("a");
  await seen("Acknowledged ·");
  await listed.page.reload();
  const told = await card(listed).locator("details.doings").textContent();
  assertStringIncludes(told ?? "", "Åsa acknowledged it");
  for (const { faults } of [acting, listed, own, watching]) assertEquals(faults, []);
}

/** Everything goes by keys on the pages that list anomalies, too. */
async function keysOnLists(browser: Browser, kilter: RunningKilter): Promise<void> {
  const { vehicle } = await anOpenOne(kilter);
  for (const path of ["/anomalies", `/v/${vehicle}`]) {
    const { page, context, faults } = await open(browser, kilter.url + path);
    await isLive(page);
    await page.keyboard.press("j");
    const chosen = page.locator(".cards .card[aria-current]");
    await chosen.waitFor(WAIT);
    await page.keyboard.press("e");
    await page.locator("dialog.why").waitFor(WAIT);
    await page.keyboard.press("Escape");
    await page.locator("dialog.why").waitFor({ state: "detached", ...WAIT });
    await page.keyboard.press("n");
    const field = page.locator("dialog.step textarea");
    await field.fill(`seen on ${path}`);
    await field.press("Control+Enter");
    await until(() => chosen.innerText(), (text) => text.includes(`seen on ${path}`));
    await page.keyboard.press("u");
    await until(() => chosen.innerText(), (text) => !text.includes(`seen on ${path}`));
    await page.keyboard.press("?");
    assertStringIncludes(await page.locator("dialog.keys").innerText(), "Acknowledge");
    await page.keyboard.press("Escape");
    assertEquals(faults, []);
    await context.close();
  }
}

async function withoutScripts(browser: Browser, kilter: RunningKilter): Promise<void> {
  const { id, vehicle } = await anOpenOne(kilter);
  const place = `${kilter.url}/v/${vehicle}`;
  const { page } = await open(browser, place, { javaScriptEnabled: false });
  const card = page.locator(`#a-${id}`);
  await card.getByText("More").click();
  await card.getByLabel("Your name").fill("Bo");
  await card.getByLabel("Note").fill("by hand");
  await card.getByRole("button", { name: "Add the note" }).click();
  assertEquals(page.url(), `${place}#a-${id}`);
  assertStringIncludes(await card.innerText(), "by hand");
  assertStringIncludes(await card.innerText(), "Bo");
  await card.getByText("More").click();
  await card.getByLabel("Assign to").fill("Åsa");
  await card.getByRole("button", { name: "Assign", exact: true }).click();
  assertStringIncludes(await card.innerText(), "with Åsa");
  await card.getByText("More").click();
  await card.getByLabel("Snooze for").selectOption("15");
  await card.getByRole("button", { name: "Snooze", exact: true }).click();
  assertStringIncludes(await card.innerText(), "Snoozed until");
  await card.getByRole("button", { name: "Wake" }).click();
  await card.getByRole("button", { name: "Acknowledge" }).click();
  assertStringIncludes(await card.innerText(), "Acknowledged");
  await card.getByRole("link", { name: "Why?" }).click();
  assertEquals(page.url(), `${kilter.url}/anomalies/${id}`);
  await page.locator("table.terms tbody tr").first().waitFor(WAIT);
  await page.locator(".minute svg polyline").first().waitFor(WAIT);
  assertStringIncludes(await page.locator(".particulars").innerText(), "partition");
  await page.goto(`${kilter.url}/`);
  const first = page.locator(".queue .card").first();
  await first.getByRole("button", { name: "Acknowledge" }).click();
  assertEquals(new URL(page.url()).pathname, "/");
}

/** Signing in is a plain form, too. */
async function signIn(browser: Browser): Promise<void> {
  const token = "a token of some length";
  const kilter = await startKilter([], { command: "start", env: { KILTER_TOKEN: token } });
  try {
    const { page } = await open(browser, `${kilter.url}/anomalies`, { javaScriptEnabled: false });
    await page.getByLabel("Token").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();
    assertStringIncludes(await page.locator("body").innerText(), "That is not the token");
    await page.getByLabel("Token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
    assertEquals(page.url(), `${kilter.url}/anomalies`);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Token").waitFor(WAIT);
  } finally {
    await kilter.stop();
  }
}

browserTest("triage: in the browser", async (browser, step) => {
  const kilter = await startKilter(["--vehicles", "120", "--seed", "1"]);
  try {
    await step("every step is seen on all open pages in time", () => seenByAll(browser, kilter));
    await step("lists and a vehicle's page go by keys too", () => keysOnLists(browser, kilter));
    await step("forms do without scripts", () => withoutScripts(browser, kilter));
  } finally {
    await kilter.stop();
  }
  await step("signing in and out does without scripts", () => signIn(browser));
});
