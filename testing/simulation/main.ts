/**
 * `deno task simulate:protocols`: runs seeds until one fails.
 *
 * KILTER_SEED is the first (default 1), KILTER_SEEDS how many (default 10,000).
 */
import { simulate } from "./run.ts";
import { scenarioOf } from "./scenario.ts";
import { report } from "./shrink.ts";

const SEEDS = 10_000;
const TELL_EVERY_MS = 10_000;

const say = (line: string) => Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
const setting = (name: string, otherwise: number): number => {
  const text = Deno.env.get(name);
  const value = text === undefined ? otherwise : Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new RangeError(`Cannot use ${name} as a whole number: it is ${text}`);
};

const first = setting("KILTER_SEED", 1);
const count = setting("KILTER_SEEDS", SEEDS);
const seen = new Map<string, number>();
const startedAt = performance.now();
let toldAt = startedAt;
let done = 0;
const rate = () => {
  const seconds = (performance.now() - startedAt) / 1_000;
  return `${done} seeds in ${seconds.toFixed(1)} s, ${(60 * done / seconds).toFixed(0)} a minute`;
};
for (let seed = first; seed < first + count; seed++) {
  const outcome = await simulate(scenarioOf(seed));
  if (outcome.failures.length > 0) {
    say(await report(scenarioOf(seed)));
    Deno.exit(1);
  }
  done++;
  for (const [what, times] of outcome.seen) seen.set(what, (seen.get(what) ?? 0) + times);
  if (performance.now() - toldAt < TELL_EVERY_MS) continue;
  toldAt = performance.now();
  say(rate());
}
say(rate());
for (const [what, times] of [...seen].sort()) say(`  ${what}: ${times}`);
