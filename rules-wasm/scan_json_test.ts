/** The kernel's scan against `JSON.parse` itself: what is accepted, what refused, every number. */
import { assert, assertEquals } from "@std/assert";
import type { Refusal } from "../contract/telemetry.ts";
import { Seeded } from "../testing/seeded.ts";
import { createDecoder } from "./decoder.ts";
import type { Decoder } from "./decoder_port.ts";
import { NUMBER_KEYS, randomDocument } from "./reference/random_json.ts";
import { TEXT_CATALOG } from "./reference/random_text.ts";

/** Documents to try, and the seed; `KILTER_DOCUMENTS=1000000` takes about a minute. */
const DOCUMENTS = Number(Deno.env.get("KILTER_DOCUMENTS") ?? 100_000);
const SEED = Number(Deno.env.get("KILTER_SEED") ?? 1);

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const SIGNALS = NUMBER_KEYS.map((key) =>
  TEXT_CATALOG.signals.findIndex(({ name }) => name === key)
);

/** What the kernel made of one record. */
interface Read {
  /** Values of the compared signals of each object accepted; NaN where one is missing. */
  readonly rows: number[][];
  readonly refusals: Refusal["reason"][];
}

function kernelReads(kernel: Decoder, records: readonly Uint8Array[]): Read[] {
  const reads = records.map((): Read => ({ rows: [], refusals: [] }));
  const valueEnds = new Uint32Array(records.length);
  let size = 0;
  records.forEach((bytes, i) => valueEnds[i] = size += bytes.length);
  const values = new Uint8Array(size);
  records.forEach((bytes, i) => values.set(bytes, valueEnds[i] - bytes.length));
  const appendTimes = new Float64Array(records.length).fill(1_800_000_000_000);
  kernel.decode({ count: records.length, values, valueEnds, appendTimes }, {
    refused: ({ record, reason }) => reads[record].refusals.push(reason),
    rows(rows) {
      const columns = SIGNALS.map((signal) => rows.column(signal));
      for (let i = 0; i < rows.count; i++) {
        reads[rows.record[i]].rows.push(columns.map((column) => column[i]));
      }
    },
  });
  return reads;
}

/**
 * What `JSON.parse` says of bytes; "refused" for what is not UTF-8 either.
 *
 * V8 to at least 15.0 misreads a key that begins with an escape once any text had a key beginning
 * with a backslash (issues.chromium.org/issues/521080746). So values are taken from a text in which
 * the letters of our keys stand without escapes, which means the same.
 */
function parse(bytes: Uint8Array): { readonly value: unknown } | "refused" {
  try {
    const text = utf8.decode(bytes);
    JSON.parse(text);
    const plain = text.replace(
      /\\(?:u006([1-6])|[^])/g,
      (escape, letter) =>
        letter === undefined ? escape : String.fromCharCode(0x60 + Number(letter)),
    );
    const value: unknown = JSON.parse(plain);
    return { value };
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return "refused";
    throw error;
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether the kernel's reading of a document is that of `JSON.parse`; else what differs. */
function difference(bytes: Uint8Array, { rows, refusals }: Read): string {
  const parsed = parse(bytes);
  const broken = refusals.some((reason) =>
    reason === "malformed-json" || reason === "invalid-utf8"
  );
  if (parsed === "refused") {
    // Beyond a line feed a record may hold further documents, which stand by themselves.
    if (bytes.includes(0x0a)) return refusals.length + rows.length > 0 ? "" : "nothing came of it";
    if (rows.length > 0 || refusals.length !== 1) return "accepted, unlike JSON.parse";
    return broken || refusals[0] === "not-an-object" ? "" : `refused as ${refusals[0]} only`;
  }
  if (broken || refusals.length + rows.length !== 1) return "refused, unlike JSON.parse";
  if (!isObject(parsed.value)) return refusals[0] === "not-an-object" ? "" : "no object, yet read";
  const [row] = rows;
  if (row === undefined) return "";
  for (const [i, key] of NUMBER_KEYS.entries()) {
    const value = Object.hasOwn(parsed.value, key) ? parsed.value[key] : undefined;
    const expected = typeof value === "number" && Number.isFinite(value) ? value : NaN;
    if (!Object.is(row[i], expected)) return `${key} is ${row[i]}, by JSON.parse ${expected}`;
  }
  return "";
}

Deno.test(`scan: ${DOCUMENTS} documents accepted, refused and rounded as by JSON.parse`, () => {
  const random = new Seeded(SEED);
  const kernel = createDecoder(TEXT_CATALOG, { maxVehicles: 1_000_000, maxClockAheadMs: Infinity });
  let [accepted, refused, numbers] = [0, 0, 0];
  for (let done = 0; done < DOCUMENTS;) {
    const records = Array.from(
      { length: Math.min(1 + random.below(300), DOCUMENTS - done) },
      () => randomDocument(random),
    );
    const reads = kernelReads(kernel, records);
    reads.forEach((read, i) => {
      const differs = difference(records[i], read);
      if (differs !== "") {
        const text = JSON.stringify(new TextDecoder().decode(records[i]));
        throw new Error(
          `KILTER_SEED=${SEED}, document ${done + i}: ${differs}\n${text}\n[${records[i]}]`,
        );
      }
      if (read.refusals.length > 0) refused++;
      for (const row of read.rows) {
        accepted++;
        for (const value of row) if (!Number.isNaN(value)) numbers++;
      }
    });
    done += records.length;
  }
  // Both outcomes have to be common, or the test shows little.
  assert(accepted > DOCUMENTS * 0.4, `only ${accepted} of ${DOCUMENTS} were accepted`);
  assert(refused > DOCUMENTS * 0.15, `only ${refused} of ${DOCUMENTS} were refused`);
  assert(numbers > DOCUMENTS, `only ${numbers} numbers were compared`);
});

Deno.test("scan: nesting of any depth is read as JSON.parse reads it", () => {
  const kernel = createDecoder(TEXT_CATALOG, { maxVehicles: 10, maxClockAheadMs: Infinity });
  const encoder = new TextEncoder();
  for (const depth of [1, 63, 64, 65, 4096, 100_000, 1_000_000]) {
    const head = `{"vehicle":"v","ts":1700000000000,"x":`;
    const [open, close] = ["[".repeat(depth), "]".repeat(depth)];
    const [whole, short, long] = [`${open}${close}`, `${open}${close.slice(1)}`, `${open}${close}]`]
      .map((value) => encoder.encode(`${head}${value},"a":7}`));
    const reads = kernelReads(kernel, [whole, short, long]);
    assertEquals(reads.map((read, i) => difference([whole, short, long][i], read)), ["", "", ""]);
    assertEquals(reads[0].rows, [[7, NaN, NaN, NaN, NaN, NaN]]);
  }
});
