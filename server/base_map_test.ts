import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { pmtiles } from "../testing/pmtiles_file.ts";
import { BASE_MAP_PATH, BaseMap, BaseMapError } from "./base_map.ts";
import { onSite } from "./test_site.ts";

const GOOD = pmtiles({ tile: new Uint8Array([1, 2, 3]), attribution: "Nobody" });

async function withFile(bytes: Uint8Array, use: (path: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.writeFile(`${dir}/map.pmtiles`, bytes);
    await use(`${dir}/map.pmtiles`);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** The good file with some bytes changed. */
function spoilt(at: number, ...bytes: number[]): Uint8Array {
  const copy = GOOD.slice();
  copy.set(bytes, at);
  return copy;
}

Deno.test("base map: what is no PMTiles file is refused with what it is", async () => {
  const table: readonly (readonly [Uint8Array, string])[] = [
    [new Uint8Array(0), "too short"],
    [new TextEncoder().encode("{}".repeat(100)), "not a PMTiles file"],
    [spoilt(7, 2), "version 2"],
    [spoilt(97, 3), "brotli"],
    [spoilt(98, 4), "zstandard"],
    [spoilt(99, 0), "no kind of tile"],
    [GOOD.subarray(0, GOOD.length - 1), "cut short"],
  ];
  for (const [bytes, words] of table) {
    await withFile(bytes, (path) => {
      const fault = assertThrows(() => BaseMap.open(path), BaseMapError);
      assertStringIncludes(fault.message, words);
      assertStringIncludes(fault.message, path);
      return Promise.resolve();
    });
  }
  assertStringIncludes(
    assertThrows(() => BaseMap.open("/nowhere.pmtiles"), BaseMapError).message,
    "no such file",
  );
  assertStringIncludes(assertThrows(() => BaseMap.open("/"), BaseMapError).message, "folder");
});

Deno.test("base map: it comes in ranges, and in nothing else", () =>
  withFile(GOOD, (path) =>
    onSite(async (site) => {
      const get = (range?: string) =>
        site.get(BASE_MAP_PATH, { headers: range === undefined ? {} : { range } });
      const answer = await get("bytes=0-6");
      assertEquals([answer.status, await answer.text()], [206, "PMTiles"]);
      assertEquals(answer.headers.get("content-range"), `bytes 0-6/${GOOD.length}`);
      const end = await get(`bytes=${GOOD.length - 3}-${GOOD.length + 1000}`);
      assertEquals(new Uint8Array(await end.arrayBuffer()), new Uint8Array([1, 2, 3]));
      for (
        const range of [undefined, "bytes=5-", "bytes=-5", `bytes=${GOOD.length}-`, "bytes=9-3"]
      ) {
        const refused = await get(range);
        assertEquals(refused.status, 416, range);
        await refused.body?.cancel();
      }
      await Deno.remove(path);
      const gone = await get("bytes=0-6");
      assertEquals(gone.status, 404);
      await gone.body?.cancel();
    }, { baseMap: BaseMap.open(path) })));

Deno.test("base map: without one there is nothing at its address", () =>
  onSite(async (site) => {
    const answer = await site.get(BASE_MAP_PATH, { headers: { range: "bytes=0-6" } });
    assertEquals(answer.status, 404);
    await answer.body?.cancel();
  }));
