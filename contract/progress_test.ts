import { assertEquals, assertThrows } from "@std/assert";
import { decodeProgress, encodeProgress } from "./progress.ts";

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
const PLACE = { id: "7-0011223344556677", from: 3, chunks: 1, bytes: 99, next: 7 };

Deno.test("progress: what is written is read", () => {
  for (const checkpoint of [null, PLACE]) {
    const progress = { next: 9, version: "0123456789abcdef", since: 2, checkpoint, partitions: 8 };
    assertEquals(decodeProgress(encodeProgress(progress)), progress);
  }
});

Deno.test("progress: records of earlier formats are read, with what they did not keep", () => {
  const kept = { next: 9, version: "v", since: 2 };
  assertEquals(decodeProgress(bytes({ format: 1, ...kept })), {
    ...{ ...kept, checkpoint: null, partitions: 0 },
  });
  assertEquals(decodeProgress(bytes({ format: 2, ...kept, checkpoint: PLACE })), {
    ...{ ...kept, checkpoint: PLACE, partitions: 0 },
  });
});

Deno.test("progress: a later format is refused by its number, anything else as unknown", () => {
  const later = bytes({ format: 3, next: 9, version: "v", since: 2 });
  assertThrows(() => decodeProgress(later), SyntaxError, "format 3");
  for (const wrong of [{}, { format: 2, next: 9, version: "v", since: 2, checkpoint: { id: 1 } }]) {
    assertThrows(() => decodeProgress(bytes(wrong)), SyntaxError, "not of a known form");
  }
});
