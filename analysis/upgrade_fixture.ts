/**
 * Data folders as earlier versions of the code left them, and how they are written.
 *
 * `deno run -A analysis/upgrade_fixture.ts FILE` at the version that is to be kept writes one; the
 * files under `testdata/` are never made anew: should one become unreadable, the reader is wrong.
 */
import { traceRules } from "../testing/engine_trace.ts";
import { Site, until } from "./test_support.ts";

/** The rules that were in force. */
export const UPGRADE_RULES = traceRules(`version: 1
rules:
  - { id: fast, when: speed > 100, for: 20 s, clear: speed < 90, clear_for: 10 s }
  - { id: hot, when: "avg(coolant, 60 s) > 110", cooldown: 30 s }
  - { id: fall, when: "delta(fuel, 60 s) < -5", for: 5 s }
  - { id: jump, when: "speed - prev(speed) > 60", once: true }
  - { id: silent, when: absent(15 s) }`);

/** A second of five vehicles; what is wrong with them lasts until `calm`. */
export async function second(site: Site, i: number, calm: boolean): Promise<void> {
  site.aheadMs += 1_000;
  const speed = (bad: boolean) => ({ speed: bad ? 120 + i % 7 : 50 + i % 5 });
  await site.sample("fast", speed(!calm));
  // Its condition holds for less than 20 s when the first version stops.
  await site.sample("pending", speed(i >= 40 && i < 70));
  await site.sample("hot", { coolant: calm ? 70 : 115 + i % 9 });
  await site.sample("fuel", { fuel: calm ? 20 : 90 - i });
  if (i < 3 || calm) await site.sample("quiet", speed(i % 20 === 19));
}

/** Seconds that the first version saw. */
export const SECONDS = 50;

/** Works until a checkpoint is behind it and records after that, then stops. */
async function write(path: string): Promise<void> {
  await Site.with(async (site) => {
    await site.run(UPGRADE_RULES, async (over) => {
      for (let i = 0; i < SECONDS; i++) {
        await second(site, i, false);
        await until("all is committed", async () => over() || await site.consumed(UPGRADE_RULES));
      }
    });
    await site.bus.close();
    const file = await Deno.open(`${site.dir}/bus.sqlite`);
    const target = await Deno.create(path);
    await file.readable.pipeThrough(new CompressionStream("gzip")).pipeTo(target.writable);
  });
}

if (import.meta.main) await write(Deno.args[0]);
