/** Random signal catalogs for the differential test: the same signals in other units, ranges and keys. */
import type { Seeded } from "../../testing/seeded.ts";

/** A catalog's text, and under which keys a producer sends its signals. */
export interface RandomCatalog {
  readonly text: string;
  /** Keys by the name of a signal; any of them may be sent. */
  readonly keys: ReadonlyMap<string, readonly string[]>;
}

/** Units of the numbers that random rules name, each with a range about what random logs send. */
const NUMBERS = [
  { name: "speed", units: ["km/h", "mph", "m/s"], low: -100, high: 400 },
  { name: "rpm", units: ["rpm"], low: 0, high: 9_000 },
  { name: "coolant", units: ["degC", "degF"], low: -60, high: 250 },
  { name: "fuel", units: ["%"], low: 0, high: 100 },
  { name: "battery", units: ["V"], low: 0, high: 60 },
] as const;

/** A catalog of the signals that random rules name; each may be of another unit, range or key. */
export function randomCatalog(random: Seeded): RandomCatalog {
  const keys = new Map<string, readonly string[]>();
  const rows: string[] = [];
  const add = (name: string, fields: readonly string[]) => {
    const aliases = random.shuffled([`${name}_1`, `can.${name}`, `x.${name}.y`, `${name}É`])
      .slice(0, random.below(4));
    const vss = random.chance(0.3) ? `Vehicle.Test.${name[0].toUpperCase()}${name.slice(1)}` : "";
    keys.set(name, [name, ...aliases, ...(vss === "" ? [] : [vss])]);
    const all = [
      ...fields,
      ...(aliases.length > 0 ? [`keys: ${JSON.stringify(aliases)}`] : []),
      ...(vss === "" ? [] : [`vss: ${vss}`]),
      ...(random.chance(0.3) ? [`stale_after: ${random.pick(["2 s", "20 s", "5 min"])}`] : []),
    ];
    rows.push(`  ${name}: { ${all.join(", ")} }`);
  };
  for (const { name, units, low, high } of random.shuffled(NUMBERS)) {
    // Some ranges leave out a part of what is sent.
    const narrow = random.chance(0.3);
    const from = narrow ? low + (high - low) * random.pick([0, 0.05, 0.1]) : low;
    const to = narrow ? high - (high - low) * random.pick([0, 0.3, 0.5]) : high;
    add(name, [`unit: ${quoted(random.pick(units))}`, `range: [${from}, ${to}]`]);
  }
  add("ignition", ["type: boolean"]);
  add("mode", [`names: [${random.shuffled(["idle", "drive", "limp", "ödland"]).join(", ")}]`]);
  add("lat", ["unit: deg", "range: [-90, 90]"]);
  add("lon", ["unit: deg", "range: [-180, 180]"]);
  const heads = [
    "version: 1",
    `vehicle: [${random.shuffled(["vehicle", "vehicle_id", "who.id"]).join(", ")}]`,
    "time: [ts, when.at]",
  ];
  return { text: `${heads.join("\n")}\nsignals:\n${rows.join("\n")}\n`, keys };
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
