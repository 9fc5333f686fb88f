import { assert, assertEquals } from "@std/assert";
import type { Refusal, SampleCounts } from "../contract/telemetry.ts";
import { Seeded } from "../testing/seeded.ts";
import { createDecoder } from "./decoder.ts";
import type { Decoder, RecordColumns } from "./decoder_port.ts";
import { mutate, randomObject, TEXT_CATALOG } from "./reference/random_text.ts";
import { readTelemetry } from "./reference/telemetry_text.ts";

/** Documents of the random test; KILTER_DOCUMENTS asks for more. */
const DOCUMENTS = Number(Deno.env.get("KILTER_DOCUMENTS") ?? 60_000);
const SEED = Number(Deno.env.get("KILTER_SEED") ?? 1);
const APPEND = 1_763_900_000_000;

const encoder = new TextEncoder();

function decoder(maxVehicles = 100_000, maxClockAheadMs = Infinity): Decoder {
  return createDecoder(TEXT_CATALOG, { maxVehicles, maxClockAheadMs });
}

function columnsOf(records: readonly Uint8Array[]): RecordColumns {
  const valueEnds = new Uint32Array(records.length);
  let size = 0;
  records.forEach((bytes, i) => valueEnds[i] = size += bytes.length);
  const values = new Uint8Array(size);
  records.forEach((bytes, i) => values.set(bytes, valueEnds[i] - bytes.length));
  const appendTimes = new Float64Array(records.length).fill(APPEND);
  return { count: records.length, values, valueEnds, appendTimes };
}

interface Row {
  record: number;
  index: number;
  start: number;
  end: number;
  vehicle: string;
  t: number;
  values: Map<number, number>;
}

/** Rows and refusals in the order in which the kernel gives them. */
function kernelReads(kernel: Decoder, input: RecordColumns): (Row | Refusal)[] {
  const out: (Row | Refusal)[] = [];
  kernel.decode(input, {
    refused: (refusal) => out.push(refusal),
    rows(rows) {
      const columns = TEXT_CATALOG.signals.map((_, i) => rows.column(i));
      for (let i = 0; i < rows.count; i++) {
        const values = new Map<number, number>();
        columns.forEach((column, signal) => {
          if (!Number.isNaN(column[i])) values.set(signal, column[i]);
        });
        const record = rows.record[i];
        const base = record === 0 ? 0 : input.valueEnds[record - 1];
        out.push({
          record,
          index: rows.index[i],
          start: rows.start[i] - base,
          end: rows.end[i] - base,
          vehicle: kernel.vehicle(rows.slot[i]),
          t: rows.t[i],
          values,
        });
      }
    },
  });
  return out;
}

/** The same by the reference, and what it counts. */
function referenceReads(input: RecordColumns, counts: SampleCounts): (Row | Refusal)[] {
  const out: (Row | Refusal)[] = [];
  for (let record = 0; record < input.count; record++) {
    const from = record === 0 ? 0 : input.valueEnds[record - 1];
    const bytes = input.values.subarray(from, input.valueEnds[record]);
    if (bytes.length === 0) {
      counts.ticks++;
      continue;
    }
    for (const item of readTelemetry(bytes, TEXT_CATALOG)) {
      if (item.kind === "refused") {
        counts.refused++;
        out.push({ record, ...item.refusal });
      } else {
        counts.samples++;
        counts.unknownKeys += item.counts.unknownKeys;
        counts.outOfRange += item.counts.outOfRange;
        counts.wrongType += item.counts.wrongType;
        const { index, start, end, vehicle, t, values } = item;
        out.push({ record, index, start, end, vehicle, t, values: new Map(values) });
      }
    }
  }
  return out;
}

function same(a: Row | Refusal | undefined, b: Row | Refusal | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  if (a.record !== b.record || a.index !== b.index || a.start !== b.start || a.end !== b.end) {
    return false;
  }
  if ("reason" in a) return "reason" in b && a.reason === b.reason && a.position === b.position;
  if ("reason" in b || a.vehicle !== b.vehicle || !Object.is(a.t, b.t)) return false;
  if (a.values.size !== b.values.size) return false;
  for (const [signal, value] of a.values) {
    if (!Object.is(value, b.values.get(signal))) return false;
  }
  return true;
}

const zeroCounts = (): SampleCounts => ({
  samples: 0,
  refused: 0,
  unknownKeys: 0,
  outOfRange: 0,
  wrongType: 0,
  ticks: 0,
});

function randomRecord(random: Seeded): { bytes: Uint8Array; documents: number } {
  if (random.chance(0.01)) return { bytes: new Uint8Array(0), documents: 0 };
  const documents = random.chance(0.8) ? 1 : 1 + random.below(4);
  const separator = random.chance(0.9) ? "\n" : random.pick(["", " ", "\r\n", "\n\n", ","]);
  const texts = Array.from({ length: documents }, () => randomObject(random));
  const bytes = encoder.encode(texts.join(separator));
  return { bytes: random.chance(0.4) ? mutate(random, bytes) : bytes, documents };
}

Deno.test(`scan: ${DOCUMENTS} random documents read as JSON.parse reads them`, () => {
  const random = new Seeded(SEED);
  const kernel = decoder(1_000_000);
  const expected = zeroCounts();
  let accepted = 0;
  for (let documents = 0; documents < DOCUMENTS;) {
    const records: Uint8Array[] = [];
    for (let i = 1 + random.below(400); i > 0; i--) {
      const record = randomRecord(random);
      records.push(record.bytes);
      documents += record.documents;
    }
    const input = columnsOf(records);
    const got = kernelReads(kernel, input);
    const wanted = referenceReads(input, expected);
    const differs = wanted.findIndex((item, i) => !same(item, got[i]));
    const at = differs < 0 && got.length !== wanted.length ? wanted.length : differs;
    if (at >= 0) {
      const record = (wanted[at] ?? got[at]).record;
      const text = new TextDecoder().decode(records[record]);
      assertEquals(got[at], wanted[at], `seed ${SEED}, record ${JSON.stringify(text)}`);
    }
    assertEquals(kernel.counts(), expected, `seed ${SEED}`);
    accepted = expected.samples;
  }
  assert(accepted > DOCUMENTS * 0.3, `too few valid documents to mean anything: ${accepted}`);
});
