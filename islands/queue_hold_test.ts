import { assertEquals } from "@std/assert";
import { anomaly } from "./anomaly_fixture.ts";
import { holdList } from "./queue_hold.ts";

const EMPTY = { cards: [], waiting: 0 };

Deno.test("queue_hold: a held list keeps its cards in place, and counts what waits", () => {
  const [a, b, c] = ["a", "b", "c"].map((id) => anomaly(id));
  const shown = holdList(EMPTY, [a, b], true);
  assertEquals(shown.cards.map(({ anomaly }) => anomaly.id), ["a", "b"]);
  const held = holdList(shown, [c, b], true, (id) => id === "a" ? anomaly("a") : undefined);
  assertEquals(held.cards.map(({ anomaly, gone }) => [anomaly.id, gone]), [["a", true], [
    "b",
    false,
  ]]);
  assertEquals(held.waiting, 1);
  const free = holdList(held, [c, b], false);
  assertEquals(free.cards.map(({ anomaly }) => anomaly.id), ["c", "b"]);
  assertEquals(free.waiting, 0);
});
