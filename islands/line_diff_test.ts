import { assertEquals } from "@std/assert";
import { lineDiff } from "./line_diff.ts";

Deno.test("line_diff: only what differs is told as gone or new", () => {
  const told = (before: string, after: string) =>
    lineDiff(before, after).map(({ kind, text }) => `${kind} ${text}`);
  assertEquals(told("a\nb\nc\n", "a\nB\nc\nd\n"), [
    "same a",
    "gone b",
    "new B",
    "same c",
    "new d",
  ]);
  assertEquals(told("", "a"), ["new a"]);
  assertEquals(told("a", ""), ["gone a"]);
  assertEquals(told("a\nb", "a\nb"), ["same a", "same b"]);
  const long = Array.from({ length: 500 }, (_, k) => `${k}`).join("\n");
  assertEquals(told(long, `${long}\nx`).length, 1001);
});
