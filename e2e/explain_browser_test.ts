/// <reference lib="dom" />
/** "Why?" in a real browser: the limits that would have kept an anomaly from firing. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { startKilter } from "./harness.ts";
import { browserTest, isLive, open, until, WAIT } from "./pages.ts";

const RULES = `version: 1
rules:
  - id: fast
    when: speed > 100 km/h
    for: 3 s
`;

browserTest("explain: the dialog tells what would not have fired", async (browser) => {
  const dir = await Deno.makeTempDir({ prefix: "kilter-e2e-" });
  const rules = `${dir}/rules.yaml`;
  await Deno.writeTextFile(rules, RULES);
  const kilter = await startKilter(["--rules", rules], { data: `${dir}/data`, command: "start" });
  try {
    const start = Date.now() - 30_000;
    const body = [90, 101, 104, 103, 102.5, 107, 108].map((speed, i) =>
      JSON.stringify({ vehicle: "VAN-1", ts: start + i * 1_000, speed })
    ).join("\n");
    await (await fetch(`${kilter.url}/api/telemetry`, { method: "POST", body })).body?.cancel();
    await until(
      async () => await (await fetch(`${kilter.url}/api/anomalies`)).json(),
      ({ anomalies }) => anomalies.length === 1,
    );
    const { page, context, faults } = await open(browser, `${kilter.url}/anomalies`);
    await isLive(page);
    await page.keyboard.press("j");
    await page.keyboard.press("e");
    const told = page.locator("dialog.why .silencing");
    await told.waitFor(WAIT);
    const text = await told.innerText();
    assertStringIncludes(text, "speed > 100 km/h with a limit of 102.5");
    assertStringIncludes(text, "with a duration of 5.001 s");
    assertEquals(faults, []);
    await context.close();
  } finally {
    await kilter.stop();
    await Deno.remove(dir, { recursive: true });
  }
});
