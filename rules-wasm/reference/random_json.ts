/**
 * Random JSON documents and what is nearly JSON, for holding the scan against `JSON.parse`: numbers
 * that round with difficulty, escapes, nesting, keys that come again.
 */
import type { Seeded } from "../../testing/seeded.ts";
import { mutate, randomNumber } from "./random_text.ts";

/** Keys whose values are compared; the random catalog has them as plain numbers. */
export const NUMBER_KEYS = ["a", "b", "c", "d", "e", "f"] as const;

/** Deepest nesting of one document. */
const DEPTH_MAX = 3_000;

const encoder = new TextEncoder();

/** One document, valid or damaged, as bytes; never empty. */
export function randomDocument(random: Seeded): Uint8Array {
  const text = random.chance(0.03) ? topLevel(random) : documentText(random);
  const bytes = encoder.encode(text);
  if (random.chance(0.6)) return bytes;
  const damaged = random.chance(0.5) ? mutate(random, bytes) : flipped(random, bytes);
  return damaged.length === 0 ? bytes : damaged;
}

/** An object with a vehicle, a time and mostly numbers. */
function documentText(random: Seeded): string {
  const fields = ['"vehicle":"v"', `"ts":${1_700_000_000_000 + random.below(1e9)}`];
  for (let i = 1 + random.below(5); i > 0; i--) {
    const key = random.chance(0.03) ? randomText(random) : keyText(random);
    const dice = random.next();
    const value = dice < 0.8
      ? hardNumber(random)
      : dice < 0.97
      ? anyValue(random, 0)
      : nested(random, 1 + random.below(random.chance(0.02) ? DEPTH_MAX : 30));
    fields.push(`${key}${space(random)}:${space(random)}${value}`);
  }
  const ordered = random.chance(0.2) ? random.shuffled(fields) : fields;
  return `${space(random)}{${space(random)}${ordered.join(`,${space(random)}`)}}${space(random)}`;
}

/** A document that is no object, or with something behind it. */
function topLevel(random: Seeded): string {
  return random.pick([
    () => anyValue(random, 0),
    () => `${documentText(random)}${random.pick(["}", "]", ",", "x", "\0", '"', " {}", "1"])}`,
    () => `${random.pick(["\ufeff", "\u00a0", "\u2028", "\v", "\f"])}${documentText(random)}`,
    () => nested(random, 1 + random.below(DEPTH_MAX)),
  ])();
}

function keyText(random: Seeded): string {
  const key = random.pick(NUMBER_KEYS);
  const code = key.charCodeAt(0).toString(16).padStart(4, "0");
  return random.chance(0.97)
    ? `"${key}"`
    : `"\\u${random.chance(0.5) ? code : code.toUpperCase()}"`;
}

/** A number's text; any of them is valid JSON. */
export function hardNumber(random: Seeded): string {
  const sign = random.chance(0.2) ? "-" : "";
  return random.pick([
    () => randomNumber(random),
    () => randomNumber(random),
    () => sign + between(random),
    () => sign + longDigits(random),
    () => sign + smallest(random),
    () => sign + oddSpelling(random),
    () => random.pick(["-0", "0", "-0.0", "0e0", "-0e-5", "0.000", "-0E+9"]),
    () => sign + String(Number.MAX_SAFE_INTEGER - 2 + random.below(6)),
    () => random.pick(["1.7976931348623157e308", "1.7976931348623159e308", "2e308", "1e309"]),
  ])();
}

function digits(random: Seeded, count: number): string {
  return Array.from({ length: count }, () => random.below(10)).join("");
}

/** Just at, above or below the middle between two neighbouring doubles, written out in full. */
function between(random: Seeded): string {
  // (2 m + 1) 2^e lies midway between m 2^(e+1) and (m+1) 2^(e+1).
  const m = 2n ** 52n + BigInt(random.below(2 ** 31)) * BigInt(random.below(2 ** 21));
  const e = random.below(120) - 90;
  const odd = 2n * m + 1n;
  if (e >= 0) {
    const whole = odd * 2n ** BigInt(e);
    return String(whole + BigInt(random.pick([-1, 0, 0, 1])));
  }
  // odd / 2^-e = odd * 5^-e / 10^-e, exactly -e decimals.
  const text = String(odd * 5n ** BigInt(-e)).padStart(1 - e, "0");
  const exact = `${text.slice(0, text.length + e)}.${text.slice(text.length + e)}`;
  const dice = random.next();
  if (dice < 0.4) return exact;
  if (dice < 0.7) return `${exact}${"0".repeat(random.below(40))}1`;
  const last = Number(exact.at(-1)) - 1;
  return last < 0 ? exact : `${exact.slice(0, -1)}${last}${"9".repeat(random.below(40))}`;
}

/** Seventeen digits and many more, with an exponent that brings them back into range or not. */
function longDigits(random: Seeded): string {
  const long = `${1 + random.below(9)}${
    digits(random, 16 + random.below(random.pick([4, 60, 800])))
  }`;
  const dot = random.below(long.length);
  const number = dot === 0 ? long : `${long.slice(0, dot)}.${long.slice(dot)}`;
  return random.chance(0.5) ? number : `${number}e${random.below(700) - 350}`;
}

/** About the smallest doubles: normal, subnormal, and what rounds to 0. */
function smallest(random: Seeded): string {
  const exponent = 300 + random.below(30);
  return random.pick([
    () => `${random.below(10)}.${digits(random, 1 + random.below(20))}e-${exponent}`,
    () => `0.${"0".repeat(exponent)}${digits(random, 1 + random.below(20))}`,
    () => random.pick(["4.9406564584124654e-324", "5e-324", "2.4703282292062327e-324"]),
    () => random.pick(["2.4703282292062328e-324", "2.2250738585072014e-308", "1e-400"]),
    () => random.pick(["2.2250738585072011e-308", "2.225073858507201e-308"]),
  ])();
}

/** Zeros and exponents as nobody writes them. */
function oddSpelling(random: Seeded): string {
  const fraction = random.chance(0.5) ? `.${"0".repeat(random.below(30))}${digits(random, 3)}` : "";
  const e = random.pick(["e", "E"]) + random.pick(["", "+", "-"]);
  return `${random.below(2000)}${fraction}${e}${"0".repeat(random.below(6))}${random.below(25)}`;
}

function anyValue(random: Seeded, depth: number): string {
  const dice = random.next();
  if (dice < 0.3) return hardNumber(random);
  if (dice < 0.6) return randomText(random);
  if (dice < 0.75 || depth > 4) return random.pick(["true", "false", "null"]);
  const parts = Array.from({ length: random.below(4) }, () => anyValue(random, depth + 1));
  if (random.chance(0.5)) return `[${space(random)}${parts.join(",")}${space(random)}]`;
  return `{${parts.map((part) => `${randomText(random)}${space(random)}:${part}`).join(",")}}`;
}

/** Brackets and braces, so deep. */
function nested(random: Seeded, depth: number): string {
  const inner = random.pick(["", "1", '"x"', "{}"]);
  let [open, close] = ["", ""];
  for (let i = 0; i < depth; i++) {
    const isArray = random.chance(0.7) || (i === depth - 1 && inner === "");
    open += isArray ? "[" : '{"k":';
    close = (isArray ? "]" : "}") + close;
  }
  return open + inner + close;
}

/** A string with everything that a string may hold, quotes included. */
function randomText(random: Seeded): string {
  const hex = () => random.below(65_536).toString(16).padStart(4, "0");
  const pieces = Array.from({ length: random.below(5) }, () =>
    random.pick([
      () => "abc ",
      () => "x".repeat(random.below(40)),
      () => random.pick(['\\"', "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t"]),
      () => `\\u${random.chance(0.5) ? hex() : hex().toUpperCase()}`,
      () => random.pick(["\\ud83d\\ude9a", "\\ud83d", "\\ude9a", "\\ude9a\\ud83d", "\\u0000"]),
      () => random.pick(["é", "日本", "🚚", "\u007f", "\u0080", "\u07ff", "\u0800", "\uffff"]),
      () => random.pick(["{", "}", "[", "]", ",", ":", "'", "\u2028", "\ufeff"]),
    ])());
  return `"${pieces.join("")}"`;
}

function space(random: Seeded): string {
  return random.chance(0.85) ? "" : random.pick([" ", "\t", "\n", "\r\n", " ".repeat(17)]);
}

/** The bytes with one to four bits turned over. */
function flipped(random: Seeded, bytes: Uint8Array): Uint8Array {
  const out = Uint8Array.from(bytes);
  for (let i = 1 + random.below(4); i > 0; i--) {
    out[random.below(out.length)] ^= 1 << random.below(8);
  }
  return out;
}
