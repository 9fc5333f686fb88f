import { assertEquals } from "@std/assert";
import { isolatedText, visibleText } from "./visible_text.ts";

Deno.test("visible_text: hidden characters are written out, all others stay", () => {
  const table: [string, string][] = [
    ["VH-0412", "VH-0412"],
    ["<script>alert(1)</script>", "<script>alert(1)</script>"],
    ["VH\u202e2140", "VH<U+202E>2140"],
    ["a\u200bb\u2060c\ufeffd\u00ade", "a<U+200B>b<U+2060>c<U+FEFF>d<U+00AD>e"],
    ["a\nb\tc\0", "a<U+000A>b<U+0009>c<U+0000>"],
    ["\u2028\u3164\ud800", "<U+2028><U+3164><U+D800>"],
    ["VH-1\ufe0f", "VH-1<U+FE0F>"],
    ["tag\u{e0041}", "tag<U+E0041>"],
    ["مركبة-٧", "مركبة-٧"],
    ["Åsa 車 é", "Åsa 車 é"],
    ["🚚 ❤\ufe0f", "🚚 ❤\ufe0f"],
    ["👩\u200d🔧 👩🏽\u200d🚒", "👩\u200d🔧 👩🏽\u200d🚒"],
    ["a\u200db🚚\u200d", "a<U+200D>b🚚<U+200D>"],
    ["e\u0301", "e\u0301"],
    [`e${"\u0301".repeat(6)}`, `e${"\u0301".repeat(4)}<U+0301><U+0301>`],
  ];
  for (const [text, shown] of table) assertEquals(visibleText(text), shown);
  assertEquals(visibleText("a\nb\r", true), "a\nb<U+000D>");
  assertEquals(isolatedText("VH-1\u202e"), "VH-1<U+202E>");
  assertEquals(isolatedText("مركبة"), "\u2068مركبة\u2069");
});
