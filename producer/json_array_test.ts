import { assertEquals } from "@std/assert";
import { splitArray } from "./json_array.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Elements as text; broken ones as `!` and the byte at which. */
function split(text: string): string[] {
  const bytes = encoder.encode(text);
  return splitArray(bytes, 0).map(({ start, end, brokenAt }) =>
    brokenAt >= 0 ? `!${brokenAt}` : decoder.decode(bytes.subarray(start, end))
  );
}

Deno.test("array: elements come byte for byte, and breaks at their byte", () => {
  const cases: [string, string[]][] = [
    ["[]", []],
    [" [ ] ".trimStart(), []],
    ["[1]", ["1"]],
    [`[{"a":1},{"b":[2,{"c":3}]}]`, [`{"a":1}`, `{"b":[2,{"c":3}]}`]],
    [`[ {"a":1} ,\n\t{"b":2}\r\n]\n`, [`{"a":1}`, `{"b":2}`]],
    [`[{"a":"]},{"},{"b":"\\"]\\\\"}]`, [`{"a":"]},{"}`, `{"b":"\\"]\\\\"}`]],
    ["[1,,2]", ["1", "!3", "2"]],
    ["[1,]", ["1", "!3"]],
    ["[,1]", ["!1", "1"]],
    [`[{"a":1} x,{"b":2}]`, ["!9", `{"b":2}`]],
    [`[{"a":1}{"b":2},{"c":3}]`, ["!8", `{"c":3}`]],
    [`[{"a":1}] trailing`, [`{"a":1}`, "!10"]],
    [`[{"a":1},{"b":2}`, [`{"a":1}`, `{"b":2}`, "!16"]],
    [`[{"a":1},{"b":`, [`{"a":1}`, "!14"]],
    [`[{"a":1},`, [`{"a":1}`, "!9"]],
    [`[{"a":"x`, ["!8"]],
    ["[", ["!1"]],
    ["[tru,nul]", ["tru", "nul"]],
  ];
  for (const [text, expected] of cases) assertEquals(split(text), expected, text);
});

Deno.test("array: whatever the bytes, it ends, and elements lie in order within the body", () => {
  const alphabet = encoder.encode(`[]{}",:\\ \n1a`);
  let seed = 1;
  for (let round = 0; round < 20_000; round++) {
    const bytes = new Uint8Array(1 + round % 14);
    bytes[0] = 0x5b;
    for (let i = 1; i < bytes.length; i++) {
      seed = Math.imul(seed, 1664525) + 1013904223 >>> 0;
      bytes[i] = alphabet[(seed >>> 16) % alphabet.length];
    }
    const text = decoder.decode(bytes);
    const elements = splitArray(bytes, 0);
    let last = 1;
    for (const { start, end } of elements) {
      assertEquals(start >= last && end >= start && end <= bytes.length, true, text);
      last = end;
    }
    let parsed: unknown[] | null = null;
    try {
      parsed = JSON.parse(text);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
    }
    if (parsed !== null) {
      const own = elements.map(({ start, end }) =>
        JSON.parse(decoder.decode(bytes.subarray(start, end)))
      );
      assertEquals(own, parsed, text);
    } else {
      const sound = elements.every(({ start, end, brokenAt }) => {
        try {
          JSON.parse(decoder.decode(bytes.subarray(start, end)));
        } catch (error) {
          if (error instanceof SyntaxError) return false;
          throw error;
        }
        return brokenAt < 0;
      });
      assertEquals(sound, false, `${text} is no JSON, but every element is taken`);
    }
  }
});
