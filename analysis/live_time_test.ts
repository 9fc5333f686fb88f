/** Time as the agent lets it pass: ticks for what is due, and the same again in a back-test. */
import { assertEquals } from "@std/assert";
import { TOPICS } from "../contract/topics.ts";
import { createEngine } from "../rules-wasm/engine.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { traceRules } from "../testing/engine_trace.ts";
import { backtestLog } from "./backtest.ts";
import { Site, until } from "./test_support.ts";

const RULES = traceRules(`version: 1
settings: { lateness: 20 s }
rules: [{ id: fast, when: speed > 100 }, { id: silent, when: absent(60 s) }]`);

/** What a back-test over all of the log writes, line by line. */
async function backtest(site: Site, ruleSet: RuleSet): Promise<string[]> {
  const lines: string[] = [];
  await backtestLog({
    bus: site.bus,
    topic: TOPICS.telemetry,
    ruleSet,
    createEngine,
    fromMs: -Infinity,
    toMs: Infinity,
    signal: new AbortController().signal,
    output: (bytes) => lines.push(new TextDecoder().decode(bytes).trimEnd()),
    progress: () => {},
    turn: () => Promise.resolve(),
  });
  return lines;
}

Deno.test("analysis: a waiting sample and a silence need no more than a tick, as in a back-test", () =>
  Site.with(async (site) => {
    await site.sample("V", { speed: 120 });
    let heard = 0;
    for await (const batch of site.bus.range(TOPICS.telemetry, 0, 0, Infinity)) {
      heard = batch.appendTimes[0];
    }
    const opened = async (count: number) => (await site.transitions()).length >= count;
    await site.run(RULES, async (over) => {
      await until("the sample waits", () => Promise.resolve(over() || site.metrics.waiting === 1));
      site.aheadMs += 21_000;
      await until("it is evaluated", async () => over() || await opened(1));
      site.aheadMs += 40_000;
      await until("the vehicle is silent", async () => over() || await opened(2));
      await until("none waits", () => Promise.resolve(over() || site.metrics.waiting === 0));
    });
    const seen = await site.transitions();
    assertEquals(
      seen.map(({ rule, append }) => [rule, append - heard]),
      [["fast", 20_000], ["silent", 60_000]],
    );
    const published = (await site.values(TOPICS.anomalies)).map((each) =>
      new TextDecoder().decode(each)
    );
    assertEquals(await backtest(site, RULES), published);
  }));
