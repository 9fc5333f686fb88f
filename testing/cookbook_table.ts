/** Writes what the rules of `docs/cookbook.md` find in a simulated day into its table. */
import { COOKBOOK, findings, readCookbook, withTable } from "./cookbook.ts";

const HOUR_MS = 3_600_000;

const page = await Deno.readTextFile(COOKBOOK);
const { rules } = await readCookbook(page);
const hour = await findings(rules, HOUR_MS);
const day = await findings(rules, 24 * HOUR_MS);
await Deno.writeTextFile(COOKBOOK, withTable(page, rules, hour, day));
for (const [rule, { opened, vehicles }] of day) {
  await Deno.stdout.write(
    new TextEncoder().encode(
      `${rule.padEnd(24)} opened ${opened} times for ${vehicles} vehicles\n`,
    ),
  );
}
