import { assertEquals } from "@std/assert";
import { CsvParser, type CsvRow, readCsv } from "./csv_reader.ts";

const encoder = new TextEncoder();

async function cellsOf(text: string | Uint8Array, pieceBytes: number): Promise<CsvRow[]> {
  const bytes = typeof text === "string" ? encoder.encode(text) : text;
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      yield bytes.subarray(at, at + pieceBytes);
    }
  }
  const rows: CsvRow[] = [];
  for await (const batch of readCsv(chunks())) rows.push(...batch);
  return rows;
}

Deno.test("CSV: cells and lines are the same however the bytes come in", async () => {
  const cases: [string, [number, string[]][]][] = [
    ["a,b\n1,2\n", [[1, ["a", "b"]], [2, ["1", "2"]]]],
    ["a,b\r\n1,2\r\n", [[1, ["a", "b"]], [2, ["1", "2"]]]],
    ["a,b\n1,2", [[1, ["a", "b"]], [2, ["1", "2"]]]],
    ["\ufeffa,b\n1,\n", [[1, ["a", "b"]], [2, ["1", ""]]]],
    ['a,b\n"x, y","say ""hi"""\n', [[1, ["a", "b"]], [2, ["x, y", 'say "hi"']]]],
    [
      'a,b\n"two\r\nlines",2\r\n3,4\n',
      [[1, ["a", "b"]], [2, ["two\r\nlines", "2"]], [4, ["3", "4"]]],
    ],
    ["a,b\n\n\n1,2\n", [[1, ["a", "b"]], [4, ["1", "2"]]]],
    ["a;b\n1,5;2\n", [[1, ["a", "b"]], [2, ["1,5", "2"]]]],
    ["a\tb\n1\t2\n", [[1, ["a", "b"]], [2, ["1", "2"]]]],
    ['a,b\n"",""\n', [[1, ["a", "b"]], [2, ["", ""]]]],
    ['a,b\nå"ä,ö\n', [[1, ["a", "b"]], [2, ['å"ä', "ö"]]]],
    ["a,b\n1\n1,2,3\n", [[1, ["a", "b"]], [2, ["1"]], [3, ["1", "2", "3"]]]],
    ["", []],
  ];
  for (const [text, expected] of cases) {
    for (const pieceBytes of [1, 2, 3, 7, 1000]) {
      const rows = await cellsOf(text, pieceBytes);
      const found = rows.map((row): [number, string[]] => [row.line, [...row.cells]]);
      assertEquals(found, expected, `${JSON.stringify(text)} in pieces of ${pieceBytes}`);
    }
  }
});

Deno.test("CSV: a row without end is skipped and told, and those behind it are read", () => {
  const skipped: string[] = [];
  const parser = new CsvParser({
    rowLengthMax: 20,
    onSkipped: (line, why) => skipped.push(`${line}: ${why}`),
  });
  const rows = [
    ...parser.push("a,b\n1,2\n", false),
    ...parser.push('3,"' + "x".repeat(30), false),
    ...parser.push("y".repeat(30) + "\n5,6\n", false),
    ...parser.push("z".repeat(30) + "\n7,8\n", true),
  ];
  assertEquals(rows.map((row) => row.line), [1, 2, 4, 6]);
  assertEquals(skipped.map((each) => each.split(":")[0]), ["3", "5"]);
});

Deno.test("CSV: a quote that is never closed costs its line, not the file", () => {
  const skipped: number[] = [];
  const parser = new CsvParser({ onSkipped: (line) => skipped.push(line) });
  const rows = parser.push('a,b\n1,"2\n3,4\n', true);
  assertEquals(skipped, [2]);
  assertEquals(rows.map((row) => row.cells), [["a", "b"], ["3", "4"]]);
});
