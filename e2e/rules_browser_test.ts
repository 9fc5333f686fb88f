/// <reference lib="dom" />
/** Rules in a real browser: pages that follow a change, and why an anomaly fired back then. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import type { Browser } from "playwright-core";
import { type RunningKilter, startKilter } from "./harness.ts";
import { browserTest, isLive, open, until, WAIT } from "./pages.ts";

function rules(limit: number): string {
  return `version: 1\nrules:\n  - id: too-fast\n    when: speed > ${limit} km/h\n` +
    `    severity: critical\n    message: "{vehicle} at {speed}"\n` +
    `  - id: too-hot\n    when: coolant > 100 degC\n`;
}

async function drive(kilter: RunningKilter, vehicle: string, speed: number): Promise<void> {
  const now = Date.now();
  const samples = Array.from({ length: 20 }, (_, k) => ({
    vehicle,
    ts: now - (20 - k) * 1_000,
    speed: k < 10 ? 20 : speed,
    coolant: 80,
  }));
  const response = await fetch(`${kilter.url}/api/telemetry`, {
    method: "POST",
    body: samples.map((sample) => JSON.stringify(sample)).join("\n"),
  });
  await response.body?.cancel();
  assertEquals(response.status, 202);
}

async function anomalyOf(kilter: RunningKilter, vehicle: string) {
  const { anomalies } = await until(
    async () => await (await fetch(`${kilter.url}/api/anomalies?vehicle=${vehicle}`)).json(),
    ({ anomalies }) => anomalies.length > 0,
  );
  return anomalies[0];
}

async function followsAChange(
  browser: Browser,
  kilter: RunningKilter,
  file: string,
): Promise<void> {
  await drive(kilter, "VH-1", 70);
  const { id } = await anomalyOf(kilter, "VH-1");
  const list = await open(browser, `${kilter.url}/rules`);
  const one = await open(browser, `${kilter.url}/rules/too-fast`);
  for (const { page } of [list, one]) await isLive(page);
  const row = list.page.locator("tr#too-fast");
  assertStringIncludes(await row.innerText(), "Critical");
  await until(() => row.innerText(), (text) => /\t1\t.*ago/.test(text));
  await drive(kilter, "VH-2", 70);
  await until(() => row.innerText(), (text) => /\t2\t.*ago/.test(text));

  await Deno.writeTextFile(file, rules(90));
  await until(
    () => list.page.locator("main").innerText(),
    (text) => /The rules changed at .*1 rule changed: Too fast/.test(text),
  );
  assertStringIncludes(await row.innerText(), "changed");
  await one.page.getByRole("link", { name: "Show how they are now" }).click();
  const difference = one.page.locator("pre.diff");
  await difference.waitFor(WAIT);
  assertStringIncludes(await difference.locator("del").innerText(), "speed > 50 km/h");
  assertStringIncludes(await difference.locator("ins").innerText(), "speed > 90 km/h");

  // The anomaly is explained by the rule that raised it, not by the one in force.
  const why = await open(browser, `${kilter.url}/v/VH-1`);
  await isLive(why.page);
  await why.page.locator(`#a-${id}`).getByRole("button", { name: "Why?" }).click();
  const dialog = why.page.locator("dialog.why");
  await dialog.locator(".minute path.limit").waitFor({ state: "attached", ...WAIT });
  const told = (await dialog.textContent()) ?? "";
  for (
    const text of ["speed > 50 km/h", "+20 km/h", "limit 50 km/h", "vehicle.telemetry", "otherwise"]
  ) assertStringIncludes(told, text);
  assertEquals(told.includes("speed > 90"), false);
  await dialog.getByRole("link", { name: "Open the moment" }).click();
  assertStringIncludes(await why.page.locator(".moment").innerText(), "Held at");
  for (const { faults } of [list, one, why]) assertEquals(faults, []);
}

async function ofBefore(browser: Browser, kilter: RunningKilter, file: string): Promise<void> {
  await Deno.writeTextFile(file, rules(90).replace(/ {2}- id: too-hot[^]*/, ""));
  const read = async () => await (await fetch(`${kilter.url}/api/rules`)).json();
  await until(read, (answer) => answer.rules.length === 1);
  const { page } = await open(browser, `${kilter.url}/rules/too-hot`, {
    javaScriptEnabled: false,
  });
  const text = await page.locator("main").innerText();
  assertStringIncludes(text, "not in force any more");
  assertStringIncludes(text, "coolant > 100 degC");
}

browserTest("rules: in the browser", async (browser, step) => {
  const dir = await Deno.makeTempDir();
  const file = `${dir}/rules.yaml`;
  await Deno.writeTextFile(file, rules(50));
  const kilter = await startKilter(["--rules", file], { command: "start" });
  try {
    await step("pages follow a change, and an anomaly keeps the rule that raised it", () => {
      return followsAChange(browser, kilter, file);
    });
    await step("a rule that is gone can still be read", () => ofBefore(browser, kilter, file));
  } finally {
    await kilter.stop();
    await Deno.remove(dir, { recursive: true });
  }
});
