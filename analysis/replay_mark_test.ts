import { assertEquals } from "@std/assert";
import { Seeded } from "../testing/seeded.ts";
import { decodeMark, encodeMark, Marks, toRuns } from "./replay_mark.ts";

const text = new TextEncoder();

Deno.test("replay marks: runs, marks and the set of them agree with plain sets", () => {
  for (let seed = 1; seed <= 200; seed++) {
    const chance = new Seeded(seed);
    const marks = new Marks();
    const replayed = new Set<number>();
    const letters: number[] = [];
    for (let offset = chance.below(5); letters.length < 120; offset += 1 + chance.below(3)) {
      letters.push(offset);
    }
    for (let sequence = 1; sequence <= 6; sequence++) {
      const from = chance.below(100);
      const piece = letters.slice(from, from + 40);
      const sent = piece.filter((offset) => !replayed.has(offset) && chance.chance(0.6));
      for (const offset of sent) replayed.add(offset);
      const mark = decodeMark(encodeMark({ sequence, runs: toRuns(sent, piece) }));
      if (mark === null) throw new Error(`seed ${seed}: a mark cannot be read back`);
      marks.add(mark);
      for (const offset of letters) {
        assertEquals(marks.has(offset), replayed.has(offset), `seed ${seed}, offset ${offset}`);
      }
      assertEquals(marks.sequence, sequence);
    }
    assertEquals(marks.end, Math.max(-1, ...replayed) + 1, `seed ${seed}`);
  }
});

Deno.test("replay marks: what is none is not taken for one", () => {
  const none = [
    "",
    "{",
    "null",
    "[]",
    "{}",
    '{"sequence":1}',
    '{"sequence":1,"replayed":[[2,1]]}',
    '{"sequence":1,"replayed":[[1]]}',
    '{"sequence":1.5,"replayed":[]}',
    '{"sequence":1,"replayed":[[0,9007199254740993]]}',
  ];
  for (const each of none) assertEquals(decodeMark(text.encode(each)), null, each);
});
