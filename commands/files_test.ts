import { assertEquals, assertThrows } from "@std/assert";
import { decodeUserText, FileFaults, readUserFile } from "./files.ts";

const bytesOf = (...parts: readonly (string | number)[]) =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "string" ? [...new TextEncoder().encode(part)] : [part]
    ),
  );

Deno.test("files: what is no UTF-8 is told with its place, and what to do", () => {
  const cases: readonly [Uint8Array, string][] = [
    // An "é" as Windows writes it.
    [bytesOf("version: 1\nrules:\n  - id: caf", 0xe9, "\n"), "r.yaml:3:12"],
    [bytesOf(0xff, 0xfe, "v", 0, "e", 0), "r.yaml:1:1"],
    [bytesOf("a: é \ufffd ", 0x80), "r.yaml:1:8"],
    [bytesOf(0xef, 0xbb, 0xbf, "a: ", 0xc3), "r.yaml:1:4"],
  ];
  for (const [bytes, place] of cases) {
    const { message } = assertThrows(() => decodeUserText(bytes, "r.yaml"), FileFaults);
    const [head] = message.split("\n");
    assertEquals(head, `${place}: Cannot read the file here: it is no UTF-8`);
    assertEquals(message.split("\n").at(-1), "  save the file with the encoding UTF-8");
  }
  assertEquals(decodeUserText(bytesOf("a: é 🚚 \ufffd"), "r.yaml"), "a: é 🚚 \ufffd");
});

Deno.test("files: one that is not there says so", () => {
  const { message } = assertThrows(() => readUserFile("no/such.yaml"), FileFaults);
  assertEquals(message, "no/such.yaml: there is no such file");
});
