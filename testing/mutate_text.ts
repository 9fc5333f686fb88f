/** Changes files of YAML by chance: bytes, words, lines, and what is special to YAML. */
import type { Seeded } from "./seeded.ts";

/** What is put in. */
export interface MutationPool {
  readonly pieces: readonly string[];
}

/** Odd things that files hold now and then, or that are made to harm. */
const ODD = [
  ...[
    "\t",
    "\r\n",
    "\r",
    "\0",
    "\ufeff",
    "\u00a0",
    "\u2028",
    "\ud800",
    "\ufffd",
    "\x1b[2J",
    "é",
    "🚚",
  ],
  ...[
    "---\n",
    "...\n",
    "%YAML 1.2\n",
    "&a ",
    "*a",
    "<<: *a\n",
    "!!binary ",
    "!x ",
    "? ",
    "- ",
    ": ",
  ],
  ...["|\n", ">\n", ">-\n", "|2\n", '"', "'", "{", "}", "[", "]", ",", "#", "~", "null", "true"],
  ...["1e999", "-0", "0x10", "1_000", ".inf", ".nan", "2026-01-01", "12:30:00", "__proto__: 1\n"],
  ...["constructor", "(", ")", "and ", "or ", "not ", "!", "==", "<", ">", "- id: a\n", "when: "],
];

/** The text with some changes. */
export function mutateText(text: string, random: Seeded, pool: MutationPool): string {
  let changed = text;
  for (let edits = 1 + random.below(4); edits > 0; edits--) {
    changed = random.pick(EDITS)(changed, random, pool);
  }
  return changed;
}

type Edit = (text: string, random: Seeded, pool: MutationPool) => string;

const inLines = (edit: (lines: string[], random: Seeded) => void): Edit => (text, random) => {
  const lines = text.split("\n");
  edit(lines, random);
  return lines.join("\n");
};

const EDITS: readonly Edit[] = [
  // Bytes, read back as a decoder does that replaces what is no UTF-8.
  (text, random) => {
    const bytes = new TextEncoder().encode(text);
    for (let n = 1 + random.below(3); n > 0 && bytes.length > 0; n--) {
      bytes[random.below(bytes.length)] = random.below(256);
    }
    return new TextDecoder().decode(bytes);
  },
  (text, random) => splice(text, random, 1 + random.below(6), ""),
  (text, random) => splice(text, random, 0, random.pick(ODD)),
  (text, random) => splice(text, random, random.below(3), random.pick(ODD)),
  // Words.
  (text, random, { pieces }) => {
    const own = text.split(/(?<=[\s:{},()<>"])/);
    own[random.below(own.length)] = random.pick(pieces);
    return own.join("");
  },
  (text, random, { pieces }) => splice(text, random, 0, random.pick(pieces)),
  // Lines.
  inLines((lines, random) => lines.splice(random.below(lines.length), 1)),
  inLines((lines, random) => {
    const at = random.below(lines.length);
    lines.splice(at, 0, lines[at]);
  }),
  inLines((lines, random) => {
    const [a, b] = [random.below(lines.length), random.below(lines.length)];
    [lines[a], lines[b]] = [lines[b], lines[a]];
  }),
  inLines((lines, random) => {
    const at = random.below(lines.length);
    lines[at] = random.chance(0.5) ? ` ${lines[at]}` : lines[at].replace(/^ /, "");
  }),
  inLines((lines, random) => {
    const at = random.below(lines.length);
    lines[at] = `${lines[at]} ${lines.splice(at + 1, 1).join("").trimStart()}`;
  }),
  // The whole.
  (text, random) => text.slice(0, random.below(text.length + 1)),
  (text, random) => text.slice(random.below(text.length + 1)),
  (text) => text.replaceAll("\n", "\r\n"),
  (text, random) => splice(text, random, 0, nest(random)),
];

function splice(text: string, random: Seeded, remove: number, insert: string): string {
  const at = random.below(text.length + 1);
  return text.slice(0, at) + insert + text.slice(at + remove);
}

/** A nest of up to a thousand levels. */
function nest(random: Seeded): string {
  const depth = 1 + random.below(random.chance(0.1) ? 1_000 : 30);
  const [open, close] = random.pick([["[", "]"], ["{ a: ", " }"], ["(", ")"], ["- ", ""], [
    "a: ",
    "",
  ]]);
  return open.repeat(depth) + (random.chance(0.7) ? close.repeat(depth) : "");
}
