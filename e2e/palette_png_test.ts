import { assertEquals } from "@std/assert";
import { palettePng } from "./palette_png.ts";

Deno.test("palette png: what is encoded is what the format says", async () => {
  const rgba = new Uint8Array([255, 0, 0, 255, 0, 0, 255, 255, 255, 0, 0, 255, 255, 0, 0, 255]);
  const png = await palettePng({ width: 2, height: 2, rgba });
  const view = new DataView(png.buffer);
  const chunks: Record<string, Uint8Array<ArrayBuffer>> = {};
  for (let at = 8; at < png.length;) {
    const length = view.getUint32(at);
    chunks[new TextDecoder().decode(png.subarray(at + 4, at + 8))] = png.slice(
      at + 8,
      at + 8 + length,
    );
    at += 12 + length;
  }
  assertEquals(Object.keys(chunks), ["IHDR", "PLTE", "IDAT", "IEND"]);
  assertEquals([...chunks.IHDR], [0, 0, 0, 2, 0, 0, 0, 2, 8, 3, 0, 0, 0]);
  assertEquals([...chunks.PLTE], [255, 0, 0, 0, 0, 255]);
  const rows = new Blob([chunks.IDAT]).stream().pipeThrough(new DecompressionStream("deflate"));
  const bytes = new Uint8Array(await new Response(rows).arrayBuffer());
  assertEquals([...bytes], [0, 0, 1, 0, 0, 0]);
  // The checksum of an empty IEND is known.
  assertEquals(view.getUint32(png.length - 4), 0xae426082);
});

Deno.test("palette png: of many colours the frequent stay, the others become near ones", async () => {
  const rgba = new Uint8Array(4 * 64 * 64);
  for (let pixel = 0; pixel < 64 * 64; pixel++) {
    const isGround = pixel % 2 === 0;
    rgba.set(isGround ? [14, 19, 24, 255] : [pixel & 255, pixel >> 4, 128, 255], 4 * pixel);
  }
  const png = await palettePng({ width: 64, height: 64, rgba });
  const at = 8 + 12 + 13;
  const length = new DataView(png.buffer).getUint32(at);
  assertEquals(length % 3, 0);
  assertEquals(length <= 768, true);
  assertEquals([...png.subarray(at + 8, at + 11)], [14, 19, 24]);
});
