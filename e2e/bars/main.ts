/**
 * `deno task bars`: what the dashboard has to reach, measured in Chromium over the running program.
 *
 * --only A3,A4  --short (seconds in place of minutes, looser limits on time)  --vehicles N
 * --minutes N (of A9, which takes an hour otherwise)
 */
import { parseArgs } from "node:util";
import { say, writeData } from "../../commands/output.ts";
import { BARS, rowText, runBars } from "./run.ts";

const { values } = parseArgs({
  args: Deno.args.filter((arg) => arg !== "--"),
  options: {
    only: { type: "string", default: "" },
    short: { type: "boolean", default: false },
    vehicles: { type: "string", default: "2000" },
    minutes: { type: "string" },
  },
});
const only = values.only.split(",").filter((id) => id !== "").map((id) => id.toUpperCase());
const unknown = only.filter((id) => !BARS.some((bar) => bar.id === id));
if (unknown.length > 0) {
  say(`bars: there is no ${unknown.join(", ")}; there are ${BARS.map(({ id }) => id).join(", ")}`);
  Deno.exit(2);
}
const { short } = values;
const minutes = Number(values.minutes ?? (short ? 1 : 60));
writeData("bar  state        limit     measured  what\n");
const rows = await runBars(
  { only, short, minutes, vehicles: Number(values.vehicles) },
  (row) => writeData(`${rowText(row)}\n`),
);
const shortOf = rows.filter(({ ok }) => !ok).length;
writeData(`${rows.length} rows, ${shortOf} short of their limit\n`);
Deno.exit(shortOf === 0 ? 0 : 1);
