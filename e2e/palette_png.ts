/** Pictures of pages as PNG with a palette: a third of the size, since pages have few colours. */

const COLOURS_MAX = 256;
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** A picture: 4 bytes a pixel, row by row, opaque. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

/**
 * Encodes a picture (PNG, third edition, colour type 3).
 *
 * The palette is the 256 most frequent colours of those that differ by more than a shade; every
 * other colour becomes the nearest of them.
 */
export async function palettePng(picture: Picture): Promise<Uint8Array<ArrayBuffer>> {
  const { width, height, rgba } = picture;
  const colours = paletteOf(rgba);
  const nearest = new Map<number, number>();
  const rows = new Uint8Array((width + 1) * height);
  for (let y = 0; y < height; y++) {
    // Each row begins with its filter: none.
    for (let x = 0; x < width; x++) {
      const colour = colourAt(rgba, y * width + x);
      let index = nearest.get(colour);
      if (index === undefined) nearest.set(colour, index = nearestOf(colours, colour));
      rows[y * (width + 1) + 1 + x] = index;
    }
  }
  const head = new DataView(new ArrayBuffer(13));
  head.setUint32(0, width);
  head.setUint32(4, height);
  head.setUint8(8, 8);
  head.setUint8(9, 3);
  const packed = new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate"));
  return concat([
    new Uint8Array(SIGNATURE),
    chunk("IHDR", new Uint8Array(head.buffer)),
    chunk("PLTE", new Uint8Array(colours.flatMap((colour) => [...channels(colour)]))),
    chunk("IDAT", new Uint8Array(await new Response(packed).arrayBuffer())),
    chunk("IEND", new Uint8Array(0)),
  ]);
}

function colourAt(rgba: Uint8Array, pixel: number): number {
  return rgba[4 * pixel] << 16 | rgba[4 * pixel + 1] << 8 | rgba[4 * pixel + 2];
}

function channels(colour: number): [number, number, number] {
  return [colour >> 16, colour >> 8 & 255, colour & 255];
}

/** Frequent colours first; of shades that no eye tells apart only the most frequent. */
function paletteOf(rgba: Uint8Array): number[] {
  const counts = new Map<number, number>();
  for (let pixel = 0; pixel < rgba.length / 4; pixel++) {
    const colour = colourAt(rgba, pixel);
    counts.set(colour, (counts.get(colour) ?? 0) + 1);
  }
  const frequent = [...counts].sort((a, b) => b[1] - a[1]).map(([colour]) => colour);
  for (const apart of [3, 6, 12, 24, 48]) {
    const chosen: number[] = [];
    for (const colour of frequent) {
      if (chosen.length > COLOURS_MAX) break;
      if (chosen.every((other) => distance(other, colour) >= apart * apart)) chosen.push(colour);
    }
    if (chosen.length <= COLOURS_MAX) return chosen;
  }
  return frequent.slice(0, COLOURS_MAX);
}

function distance(a: number, b: number): number {
  const [r, g, blue] = channels(a);
  const [r2, g2, blue2] = channels(b);
  return (r - r2) ** 2 + (g - g2) ** 2 + (blue - blue2) ** 2;
}

function nearestOf(colours: readonly number[], colour: number): number {
  let best = 0;
  for (let k = 1; k < colours.length; k++) {
    if (distance(colours[k], colour) < distance(colours[best], colour)) best = k;
  }
  return best;
}

function chunk(name: string, data: Uint8Array): Uint8Array {
  const named = concat([new TextEncoder().encode(name), data]);
  const whole = new DataView(new ArrayBuffer(8 + named.length));
  whole.setUint32(0, data.length);
  new Uint8Array(whole.buffer).set(named, 4);
  whole.setUint32(4 + named.length, crc32(named));
  return new Uint8Array(whole.buffer);
}

/** CRC-32 as PNG's annex D gives it, bit by bit. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? crc >>> 1 ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

function concat(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
