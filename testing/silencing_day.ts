/**
 * `deno task prove`: for 1,000 anomalies of a simulated day, moving each limit to the nearest value
 * that is said not to fire makes exactly that anomaly disappear, and a hair less does not.
 *
 * `KILTER_ANOMALIES` and `KILTER_SEED` choose how many, and another day; `KILTER_PART=2/4` checks
 * the second quarter of them alone.
 */
import type { Silencing } from "./silencing.ts";
import { checkCases, checkDay, readAllRules } from "./silencing_runs.ts";

const anomalies = Number(Deno.env.get("KILTER_ANOMALIES") ?? 1_000);
const seed = Number(Deno.env.get("KILTER_SEED") ?? 1);
const [part = 1, of = 1] = (Deno.env.get("KILTER_PART") ?? "1/1").split("/").map(Number);
const startedAt = performance.now();
const encoder = new TextEncoder();
const say = (text: string) => Deno.stdout.writeSync(encoder.encode(`${text}\n`));

const all = await readAllRules();
const faults = [...await checkCases(all)];
say(`one anomaly of each rule's own test: ${faults.length} faults`);
const dir = await Deno.makeTempDir({ prefix: "kilter-day-" });
try {
  const day = { vehicles: 36, seed, startMs: Date.UTC(2026, 0, 5), durationMs: 86_400_000 };
  const onVehicle = (done: number, of: number, counts: ReadonlyMap<string, Silencing>) => {
    const seconds = Math.round((performance.now() - startedAt) / 1e3);
    say(`  ${done} of ${of} vehicles, ${seconds} s: ${totals(counts)}`);
  };
  const counts = await checkDay(all.together, {
    ...day,
    anomalies,
    part: { part: part - 1, of },
    dir,
    onVehicle,
  });
  say("rule                          anomalies  limits agreed  durations agreed  none agreed");
  for (const [rule, { faults: own, ...counted }] of [...counts].sort()) {
    const { limits, limitsAgreed, durations, durationsAgreed, without, withoutAgreed } = counted;
    const cells = [
      ...[rule.padEnd(30), String(counted.anomalies).padStart(8)],
      `${limitsAgreed}/${limits}`.padStart(14),
      `${durationsAgreed}/${durations}`.padStart(17),
      `${withoutAgreed}/${without}`.padStart(12),
    ];
    say(cells.join(" "));
    faults.push(...own);
  }
  say(totals(counts));
  say(`${Math.round((performance.now() - startedAt) / 1e3)} s`);
} finally {
  await Deno.remove(dir, { recursive: true });
}
for (const fault of faults) say(`FAULT ${fault}`);
if (faults.length > 0) Deno.exitCode = 1;

/** All rules together, in a line. */
function totals(counts: ReadonlyMap<string, Silencing>): string {
  const all = [...counts.values()];
  const sum = (of: (each: Silencing) => number) => all.reduce((total, each) => total + of(each), 0);
  const agreed = (of: (each: Silencing) => number, yes: (each: Silencing) => number) =>
    `${sum(of)} checked, ${sum(yes)} agreed`;
  return [
    `${sum(({ anomalies }) => anomalies)} anomalies`,
    `limits: ${agreed(({ limits }) => limits, ({ limitsAgreed }) => limitsAgreed)}`,
    `durations: ${agreed(({ durations }) => durations, ({ durationsAgreed }) => durationsAgreed)}`,
    `"no limit would do": ${agreed(({ without }) => without, (each) => each.withoutAgreed)}`,
    `gone with one at the same value: ${sum(({ ties }) => ties)}`,
    `let through or swallowed by a cooldown: ${sum(({ swallowed }) => swallowed)}`,
    `faults: ${sum(({ faults }) => faults.length)}`,
  ].join("; ");
}
