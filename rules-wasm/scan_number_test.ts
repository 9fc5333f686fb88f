import { assert, assertEquals } from "@std/assert";
import { Seeded } from "../testing/seeded.ts";
import { createDecoder } from "./decoder.ts";
import { randomNumber, TEXT_CATALOG } from "./reference/random_text.ts";

const NUMBERS = 100_000;
const SEED = Number(Deno.env.get("KILTER_SEED") ?? 1);

/** The decimal text that lies exactly between a random double and the next. */
function halfway(random: Seeded): string {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, 2 ** (random.below(150) - 75) * (1 + random.next()));
  const encoded = bits.getBigUint64(0);
  const mantissa = ((encoded & 0xfffffffffffffn) | 0x10000000000000n) * 2n + 1n;
  const exponent = Number(encoded >> 52n) - 1076;
  if (exponent >= 0) return String(mantissa << BigInt(exponent));
  const digits = String(mantissa * 5n ** BigInt(-exponent));
  const point = digits.length + exponent;
  if (point <= 0) return `0.${"0".repeat(-point)}${digits}`;
  return `${digits.slice(0, point)}.${digits.slice(point)}`;
}

/** A number that is hard to round. */
function hardNumber(random: Seeded): string {
  switch (random.below(5)) {
    case 0:
      return halfway(random);
    case 1:
      // A hair above halfway.
      return `${halfway(random)}${random.chance(0.5) ? "1" : "000000001"}`;
    case 2:
      // The first digits of halfway.
      return halfway(random).slice(0, 17 + random.below(6)).replace(/\.$/, "");
    case 3:
      return `${random.below(2 ** 53)}e${random.below(140) - 70}`;
    default:
      return randomNumber(random);
  }
}

Deno.test(`scan: ${NUMBERS} numbers that are hard to round are bit-equal to JSON.parse's`, () => {
  const random = new Seeded(SEED);
  const decoder = createDecoder(TEXT_CATALOG, { maxVehicles: 1, maxClockAheadMs: Infinity });
  const batch = 1000;
  for (let done = 0; done < NUMBERS; done += batch) {
    const texts = Array.from({ length: batch }, () => hardNumber(random));
    const records = texts.map((text) =>
      new TextEncoder().encode(`{"vehicle":1,"ts":1,"a":${text}}`)
    );
    const valueEnds = new Uint32Array(batch);
    let size = 0;
    records.forEach((bytes, i) => valueEnds[i] = size += bytes.length);
    const values = new Uint8Array(size);
    records.forEach((bytes, i) => values.set(bytes, valueEnds[i] - bytes.length));
    const appendTimes = new Float64Array(batch);
    let rowsRead = 0;
    decoder.decode({ count: batch, values, valueEnds, appendTimes }, {
      refused: ({ record }) => assert(false, `seed ${SEED}: ${texts[record]} was refused`),
      rows(rows) {
        const column = rows.column(0);
        for (let i = 0; i < rows.count; i++) {
          const wanted: unknown = JSON.parse(texts[rows.record[i]]);
          const got = Number.isNaN(column[i]) ? Infinity : column[i];
          const same = Object.is(wanted, got) || wanted === -Infinity && got === Infinity;
          assert(same, `seed ${SEED}: ${texts[rows.record[i]]} read as ${got}`);
        }
        rowsRead += rows.count;
      },
    });
    assertEquals(rowsRead, batch);
  }
});
