/** Random telemetry texts for the scan's tests: orderly, odd but valid, and broken ones. */
import type { Seeded } from "../../testing/seeded.ts";
import type { Catalog, Signal, SignalType } from "../../contract/catalog.ts";

/** A catalog with one of each kind of signal, dotted keys, aliases and odd names. */
export const TEXT_CATALOG: Catalog = {
  signals: [
    ...["a", "b", "c", "d", "e", "f"].map((name) => signal(name, "number", {})),
    signal("lat", "number", { min: -90, max: 90, keys: ["lat", "gps.lat", "gps.pos.lat"] }),
    signal("lon", "number", {
      min: -180,
      max: 180,
      keys: ["lon", "gps.lon", "Vehicle.Position.Lon"],
    }),
    signal("speed", "number", { min: -100, max: 400, keys: ["speed", "spd", "Vehicle.Speed"] }),
    signal("on", "boolean", { keys: ["on", "ignition"] }),
    signal("gear", "name", { names: ["park", "reverse", "drive", "Ü-turn"] }),
    signal("long", "number", {
      keys: ["a_key_longer_than_sixteen_bytes", "Vehicle.Powertrain.CombustionEngine.Oil.Pressure"],
    }),
    signal("höhe", "number", {}),
  ],
  vehicleKeys: ["vehicle", "vehicle_id", "device.id"],
  timeKeys: ["ts", "timestamp"],
};

function signal(name: string, type: SignalType, rest: Partial<Signal>): Signal {
  return {
    name,
    type,
    unit: "",
    min: -Number.MAX_VALUE,
    max: Number.MAX_VALUE,
    staleAfterMs: 60_000,
    names: [],
    keys: [name],
    vss: "",
    description: "",
    ...rest,
  };
}

const ALL_KEYS = [
  ...TEXT_CATALOG.signals.flatMap(({ keys }) => keys),
  ...TEXT_CATALOG.vehicleKeys,
  ...TEXT_CATALOG.timeKeys,
];

/** One object's text; most have a vehicle and a time. */
export function randomObject(random: Seeded): string {
  const space = random.chance(0.6) ? () => "" : () => randomSpace(random);
  const fields: string[] = [];
  if (random.chance(0.95)) fields.push(`"vehicle":${space()}${randomVehicle(random)}`);
  if (random.chance(0.95)) fields.push(`"ts"${space()}:${randomTime(random)}`);
  for (let i = random.below(10); i > 0; i--) {
    fields.push(`${space()}${randomField(random, 0, space)}${space()}`);
  }
  const ordered = random.chance(0.3) ? random.shuffled(fields) : fields;
  return `{${ordered.join(",")}}`;
}

function randomField(random: Seeded, depth: number, space: () => string): string {
  const key = randomKey(random);
  const value = depth < 4 && random.chance(0.12)
    ? randomNested(random, depth, space)
    : randomValue(random, key, depth);
  return `${key}${space()}:${space()}${value}`;
}

function randomNested(random: Seeded, depth: number, space: () => string): string {
  const fields = Array.from(
    { length: random.below(4) },
    () => randomField(random, depth + 1, space),
  );
  return `{${space()}${fields.join(",")}}`;
}

function randomKey(random: Seeded): string {
  const parts = random.pick(ALL_KEYS).split(".");
  const key = random.chance(0.25)
    ? random.pick(["gps", "pos", "Vehicle", "device", "id", "lat", "Position.Lon", "", "x.y", "fw"])
    : random.chance(0.5)
    ? parts.join(".")
    : random.pick(parts);
  if (random.chance(0.9)) return JSON.stringify(key);
  const escaped = [...key].map((c) => random.chance(0.3) ? unicodeEscape(c) : c).join("");
  return `"${escaped}"`;
}

function unicodeEscape(c: string): string {
  return [...Array(c.length).keys()]
    .map((i) => `\\u${c.charCodeAt(i).toString(16).padStart(4, "0")}`).join("");
}

function randomVehicle(random: Seeded): string {
  if (random.chance(0.6)) return `"VH-${random.below(50)}"`;
  if (random.chance(0.2)) return randomNumber(random);
  if (random.chance(0.1)) return randomValue(random, "", 3);
  if (random.chance(0.2)) return `"${"x".repeat(120 + random.below(12))}"`;
  return randomString(random);
}

function randomTime(random: Seeded): string {
  if (random.chance(0.5)) return String(1_763_886_400_000 + random.below(100_000_000));
  if (random.chance(0.3)) return randomNumber(random);
  if (random.chance(0.1)) return randomValue(random, "", 3);
  const two = (most: number) => String(random.below(most)).padStart(2, "0");
  let text = `${random.pick(["19", "20", "99", "00"])}${two(100)}-${two(14)}-${two(33)}`;
  if (random.chance(0.8)) {
    text += `${random.pick(["T", "t", " "])}${two(random.chance(0.9) ? 24 : 30)}:${two(61)}`;
    if (random.chance(0.8)) text += `:${two(61)}`;
    if (random.chance(0.4)) text += `${random.pick([".", ","])}${random.below(100_000)}`;
    const zones = ["Z", "z", "+01:00", "-0530", "+14", "+2", "+24:00", " Z", "-00:00", "+01:60"];
    if (random.chance(0.6)) text += random.pick(zones);
  }
  return random.chance(0.1) ? `"${unicodeEscape(text.slice(0, 3))}${text.slice(3)}"` : `"${text}"`;
}

function randomValue(random: Seeded, key: string, depth: number): string {
  if (key === '"gear"' && random.chance(0.8)) {
    return random.pick([
      '"park"',
      '"drive"',
      '"Drive"',
      '"\\u0070ark"',
      '"Ü-turn"',
      '"\\u00dc-turn"',
    ]);
  }
  const dice = random.next();
  if (dice < 0.65) return randomNumber(random);
  if (dice < 0.75) return randomString(random);
  if (dice < 0.9) return random.pick(["true", "false", "null", "0", "1", "-0", "1.0"]);
  if (depth > 5) return "[]";
  const inner = Array.from(
    { length: random.below(4) },
    () => random.chance(0.7) ? randomValue(random, "", depth + 1) : randomObject(random),
  );
  return `[${inner.join(random.pick([",", " , "]))}]`;
}

/** A number as text: what producers send, and what rounds with difficulty. */
export function randomNumber(random: Seeded): string {
  const sign = random.chance(0.2) ? "-" : "";
  const digits = (n: number) => Array.from({ length: n }, () => random.below(10)).join("");
  const whole = random.chance(0.2) ? "0" : `${1 + random.below(9)}${digits(random.below(6))}`;
  const dice = random.next();
  if (dice < 0.3) return sign + whole;
  if (dice < 0.6) return `${sign}${whole}.${digits(1 + random.below(5))}`;
  if (dice < 0.7) return `${sign}${whole}.${digits(1 + random.below(25))}`;
  if (dice < 0.85) {
    const fraction = random.chance(0.5) ? `.${digits(1 + random.below(20))}` : "";
    const e = random.pick(["e", "E", "e+", "e-", "E-"]);
    return `${sign}${whole}${fraction}${e}${random.below(random.pick([5, 30, 330, 1000]))}`;
  }
  if (dice < 0.9) return `${sign}${1 + random.below(9)}${digits(random.below(40))}`;
  return String(randomDouble(random));
}

/** Any finite double: its shortest text, or one digit more or less. */
function randomDouble(random: Seeded): string {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setUint32(0, random.below(2 ** 32));
  bits.setUint32(4, random.below(2 ** 32));
  const value = bits.getFloat64(0);
  if (!Number.isFinite(value)) return "0";
  return random.chance(0.7) ? String(value) : value.toPrecision(1 + random.below(25));
}

function randomString(random: Seeded): string {
  const pieces = [
    "abc",
    "x".repeat(random.below(40)),
    "é",
    "日本",
    "🚚",
    '\\"',
    "\\\\",
    "\\/",
    "\\n",
  ];
  pieces.push("\\u0041", "\\ud83d\\ude9a", "\\ud800", "\\udc00", "{", "}", "[", ",", ":", "\u007f");
  const text = Array.from({ length: random.below(5) }, () => random.pick(pieces)).join("");
  return `"${text}"`;
}

function randomSpace(random: Seeded): string {
  return random.chance(0.5) ? "" : random.pick([" ", "  ", "\n", "\t", "\r\n", " ".repeat(20)]);
}

const BYTES = [...new TextEncoder().encode('{}[]",:\\0123456789eE+-.tfn \n\t\ru/')];

/** The bytes with one to three places changed, cut, doubled or filled in. */
export function mutate(random: Seeded, bytes: Uint8Array): Uint8Array {
  let out = [...bytes];
  for (let i = 1 + random.below(3); i > 0; i--) {
    const at = random.below(out.length + 1);
    const byte = random.chance(0.7) ? random.pick(BYTES) : random.below(256);
    const dice = random.below(6);
    if (dice === 0) out[Math.min(at, out.length - 1)] = byte;
    else if (dice === 1) out.splice(at, 0, byte);
    else if (dice === 2) out.splice(at, 1 + random.below(4));
    else if (dice === 3) out = out.slice(0, at);
    else if (dice === 4) out.splice(at, 0, ...out.slice(at, at + random.below(20)));
    else out.splice(at, 0, ...random.pick(SEQUENCES));
  }
  return Uint8Array.from(out);
}

/** Well-formed and ill-formed UTF-8, and words that are no JSON. */
const SEQUENCES: readonly (readonly number[])[] = [
  [0xc3, 0xa9],
  [0xc3],
  [0xc0, 0x80],
  [0xe2, 0x82, 0xac],
  [0xe2, 0x82],
  [0xe0, 0x80, 0x80],
  [0xed, 0xa0, 0x80],
  [0xf0, 0x9f, 0x9a, 0x9a],
  [0xf0, 0x80, 0x80, 0x80],
  [0xf4, 0x90, 0x80, 0x80],
  [0xf5],
  [0xef, 0xbb, 0xbf],
  ...["NaN", "Infinity", "-", "01", "1.", ".5", "1e", "tru", "'x'", "\n{", "}\n", "//", "\0"]
    .map((word) => [...new TextEncoder().encode(word)]),
];
