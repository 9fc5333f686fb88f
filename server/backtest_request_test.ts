import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { onSite, type Site } from "./test_site.ts";
import { fixedRules, RULE_SET } from "./test_support.ts";
import type { BacktestPort, BacktestRequest } from "./services.ts";
import { RuleHistory, type RuleVersion } from "../contract/rule_versions.ts";

const PATH = "/api/rules/backtest";
const CATALOG = Deno.readTextFileSync(new URL("../rules-wasm/signals.yaml", import.meta.url));
const DAY_MS = 86_400_000;

/** Rules in force as texts, so that others can take their place. */
function rulesWithTexts() {
  const history = new RuleHistory();
  const version: RuleVersion = {
    ...{ kind: "version", format: 1, version: RULE_SET.version, base: "", time: 1 },
    ...{ author: "a", message: "", source: "file", rules: "", catalog: CATALOG, zones: "" },
  };
  history.take(new TextEncoder().encode(JSON.stringify(version)));
  return { ...fixedRules(RULE_SET), history };
}

/** Gives the lines that it is told to, one at a time; one at a time runs. */
class FakeBacktests implements BacktestPort {
  readonly asked: BacktestRequest[] = [];
  cancelled = 0;
  running = false;
  /** Keeps the stream open. */
  hangs = false;

  start(request: BacktestRequest): ReadableStream<Uint8Array> | null {
    if (this.running) return null;
    this.asked.push(request);
    this.running = true;
    const text = new TextEncoder();
    return new ReadableStream({
      start: (controller) => {
        controller.enqueue(text.encode('{"kind":"opened"}\n'));
        if (this.hangs) return;
        controller.enqueue(text.encode('{"kind":"summary"}\n'));
        controller.close();
        this.running = false;
      },
      cancel: () => {
        this.cancelled++;
        this.running = false;
      },
    });
  }

  metrics(): Record<string, number> {
    return { backtests_total: this.asked.length };
  }

  close(): void {}
}

async function withPort(run: (site: Site, port: FakeBacktests) => Promise<void>): Promise<void> {
  const backtests = new FakeBacktests();
  await onSite((site) => run(site, backtests), { backtests, rules: rulesWithTexts() });
}

const RULES = "version: 1\nrules: [{ id: fast, when: speed > 100 }]";

Deno.test("backtest over HTTP: what is asked reaches it, and its lines come as they are", () =>
  withPort(async (site, port) => {
    const from = Date.now() - 2 * DAY_MS;
    const answer = await site.post(PATH, {
      ...{ rules: RULES, from, to: new Date(from + DAY_MS).toISOString() },
      ...{ vehicles: ["VAN-*", "BUS"], transitions: false },
    });
    assertEquals(answer.status, 200);
    assertEquals(answer.headers.get("content-type"), "application/x-ndjson");
    assertEquals(await answer.text(), '{"kind":"opened"}\n{"kind":"summary"}\n');
    const { ruleSet, ...rest } = port.asked[0];
    assertEquals(ruleSet.rules.map(({ id }) => id), ["fast"]);
    assertEquals(rest, {
      ...{ fromMs: from, toMs: from + DAY_MS, vehicles: ["VAN-*", "BUS"], transitions: false },
    });
    await (await site.post(PATH, {})).text();
    const [, second] = port.asked;
    assertEquals(second.ruleSet, RULE_SET, "without rules those in force");
    assertEquals([second.toMs, second.vehicles, second.transitions], [Infinity, [], true]);
    assert(Math.abs(Date.now() - DAY_MS - second.fromMs) < 60_000);
    const metrics = await (await site.get("/metrics")).text();
    assertStringIncludes(metrics, "kilter_server_backtests_total 2\n");
  }));

Deno.test("backtest over HTTP: who goes ends it, and while it runs others are told to wait", () =>
  withPort(async (site, port) => {
    port.hangs = true;
    const gone = new AbortController();
    const first = await site.post(PATH, {}, { signal: gone.signal });
    const reader = first.body?.getReader();
    await reader?.read();
    const second = await site.post(PATH, {});
    assertEquals([second.status, second.headers.get("retry-after")], [429, "5"]);
    assertStringIncludes((await second.json()).detail, "Another back-test is running");
    gone.abort();
    await reader?.read().catch(() => {});
    const end = performance.now() + 5_000;
    while (port.cancelled === 0 && performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    assertEquals([port.cancelled, port.running], [1, false]);
  }));

Deno.test("backtest over HTTP: what is not understood starts nothing", () =>
  withPort(async (site, port) => {
    const now = Date.now();
    const table: readonly [body: unknown, status: number, words: string][] = [
      [[], 400, "JSON object"],
      ["x", 400, "JSON object"],
      [{ rules: 7 }, 400, "rules is 7"],
      [{ rules: null }, 400, "rules is null"],
      [{ rules: "version: 1\nrules: [{ id: x, when: sped > 1 }]" }, 422, "sped"],
      [{ rules: "\u0000".repeat(100) }, 422, "rules.yaml"],
      [{ rules: "a: &a [*a, *a]" }, 422, "rules.yaml"],
      [{ rules: "x".repeat(1_100_000) }, 413, "1000000"],
      [{ from: "yesterday" }, 400, "from is"],
      [{ from: -1 }, 400, "from is"],
      [{ from: 1e300 }, 400, "from is"],
      [{ from: {} }, 400, "from is"],
      [{ from: now - 1_000, to: now - 2_000 }, 400, "before to"],
      [{ from: now - 1_000, to: now - 1_000 }, 400, "before to"],
      [{ from: now - 8 * DAY_MS }, 400, "days before to"],
      [{ from: 0, to: 9 * DAY_MS }, 400, "days before to"],
      [{ vehicles: "VAN-*" }, 400, "vehicles is"],
      [{ vehicles: [7] }, 400, "vehicles is"],
      [{ vehicles: [""] }, 400, "vehicles is"],
      [{ vehicles: ["x".repeat(257)] }, 400, "vehicles is"],
      [{ vehicles: Array(101).fill("V") }, 400, "vehicles is"],
      [{ transitions: "no" }, 400, "transitions is"],
    ];
    for (const [body, status, words] of table) {
      const answer = await site.post(PATH, body);
      const label = JSON.stringify(body).slice(0, 60);
      assertEquals(answer.status, status, label);
      assertEquals(answer.headers.get("content-type"), "application/problem+json", label);
      const { detail, faults } = await answer.json();
      assertStringIncludes(detail, words, label);
      if (status === 422) assert(Array.isArray(faults) && faults.length > 0, label);
    }
    for (const body of ["{", "\xff", '{"rules":']) {
      const answer = await site.post(PATH, undefined, { body });
      assertEquals(answer.status, 400, body);
      await answer.body?.cancel();
    }
    const foreign = await site.post(PATH, {}, { headers: { origin: "https://elsewhere.example" } });
    assertEquals(foreign.status, 403);
    await foreign.body?.cancel();
    const get = await site.get(PATH);
    assertEquals([get.status, get.headers.get("allow")], [405, "POST"]);
    await get.body?.cancel();
    assertEquals(port.asked, []);
  }));
