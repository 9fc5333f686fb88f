/** Rules that change under a running agent: what goes on, what ends, what is warmed. */
import { assertEquals, assertGreater } from "@std/assert";
import { decodeRuleRecord } from "../contract/rule_versions.ts";
import { TOPICS } from "../contract/topics.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { traceRules } from "../testing/engine_trace.ts";
import { changingRules, Site, until } from "./test_support.ts";

const FAST = (message: string) =>
  `{ id: fast, when: speed > 100, for: 30 s, message: "${message}" }`;
const rules = (...lines: string[]) =>
  traceRules(`version: 1\nrules:\n${lines.map((line) => `  - ${line}\n`).join("")}`);

const kinds = async (site: Site) =>
  (await site.transitions()).map(({ kind, reason, rule, message }) =>
    `${kind}${reason === undefined ? "" : ` (${reason})`} ${rule}: ${message}`
  );

/** Version, offset and start of warming of each. */
const activations = async (site: Site) =>
  (await site.values(TOPICS.rules)).map((value) => {
    const record = decodeRuleRecord(value);
    return record?.kind === "activation"
      ? [record.version, record.offset, record.warmedFrom]
      : [record?.kind];
  });

/** Runs an agent over steps; between two of them the rules change. */
async function changing(
  site: Site,
  versions: readonly RuleSet[],
  step: (i: number) => Promise<void>,
): Promise<void> {
  let current = versions[0];
  await site.run(changingRules(() => current, versions), async (over) => {
    for (const [i, version] of versions.entries()) {
      current = version;
      await step(i);
      await until(`step ${i} is committed`, async () => over() || await site.consumed(version));
    }
  });
}

Deno.test("rules: an edited message under a running `for` fires when it would have", () =>
  Site.with(async (site) => {
    await changing(site, [rules(FAST("a")), rules(FAST("b"))], async (i) => {
      if (i === 0) {
        await site.sample("V", { speed: 120 });
        site.aheadMs += 20_000;
        await site.sample("V", { speed: 120 });
      } else {
        site.aheadMs += 11_000;
        await site.sample("V", { speed: 120 });
      }
    });
    assertEquals(await kinds(site), ["opened fast: b"]);
    const [{ onset, at }] = await site.transitions();
    assertGreater(at - onset, 30_000);
  }));

Deno.test("rules: what is removed clears, what stays stays open, in one step with the activation", () =>
  Site.with(async (site) => {
    const both = rules(
      "{ id: fast, when: speed > 100, message: m }",
      "{ id: hot, when: coolant > 110, message: m }",
    );
    const one = rules("{ id: hot, when: coolant > 110, message: m }");
    await changing(site, [both, one], async (i) => {
      await site.sample("V", { speed: 120, coolant: 120 });
      if (i === 1) await site.sample("V", { speed: 120, coolant: 100 });
      site.aheadMs += 1_000;
    });
    assertEquals(await kinds(site), [
      "opened fast: m",
      "opened hot: m",
      "cleared (rule changed) fast: m",
      "cleared (condition) hot: m",
    ]);
    assertEquals(await activations(site), [[both.version, 0, 0], [one.version, 1, 1]]);
  }));

Deno.test("rules: new ones are warmed from the log, and open at their first true from then on", () =>
  Site.with(async (site) => {
    const before = rules("{ id: hot, when: coolant > 110, message: m }");
    const after = rules("{ id: hot, when: coolant > 110, message: m }", FAST("late"));
    await changing(site, [before, after], async (i) => {
      if (i === 0) {
        for (let n = 0; n < 5; n++) {
          await site.sample("V", { speed: 120, coolant: 90 });
          site.aheadMs += 10_000;
        }
      } else await site.sample("V", { speed: 120, coolant: 90 });
    });
    const [opened, ...more] = await site.transitions();
    assertEquals(more, []);
    // Its run began before it was in force.
    assertGreater(opened.at - opened.onset, 45_000);
    assertEquals(await activations(site), [[before.version, 0, 0], [after.version, 5, 0]]);
  }));

Deno.test("rules: a partition that nothing is sent to changes too, with a tick", () =>
  Site.with(async (site) => {
    const [a, b] = [rules(FAST("a")), rules(FAST("b"))];
    await changing(site, [a, b], async (i) => {
      if (i === 0) await site.sample("V", { speed: 120 });
    });
    const values = await site.values(TOPICS.telemetry);
    assertEquals(values.map((value) => value.length > 0), [true, false]);
    assertEquals((await site.progress())?.version, b.version);
  }));

Deno.test("rules: changed while nothing ran, they take over the state of those before", () =>
  Site.with(async (site) => {
    const versions = [rules(FAST("a")), rules(FAST("b"))];
    await changing(site, versions.slice(0, 1), async () => {
      await site.sample("V", { speed: 120 });
      site.aheadMs += 31_000;
      await site.sample("V", { speed: 120 });
    });
    let current = versions[1];
    const source = changingRules(() => current, versions);
    await site.run(source, async (over) => {
      await site.sample("V", { speed: 90 });
      await until("it is committed", async () => over() || await site.consumed(current));
      current = versions[1];
    });
    assertEquals(await kinds(site), ["opened fast: a", "cleared (condition) fast: b"]);
  }));
