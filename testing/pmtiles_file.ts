/** A PMTiles file of one tile of the whole world, and vector tiles, for tests. */

const HEADER_BYTES = 127;

/** What the file holds. */
export interface TestMap {
  /** The tile at zoom 0, not compressed. */
  readonly tile: Uint8Array;
  readonly attribution: string;
}

/** Makes the file: version 3, nothing compressed, vector tiles. */
export function pmtiles({ tile, attribution }: TestMap): Uint8Array<ArrayBuffer> {
  // One entry: tile 0, a run of one, its length, and its offset plus one.
  const directory = new Uint8Array([...varint(1), 0, 1, ...varint(tile.length), 1]);
  const metadata = new TextEncoder().encode(JSON.stringify({ attribution }));
  const metadataAt = HEADER_BYTES + directory.length;
  const tileAt = metadataAt + metadata.length;
  const bytes = new Uint8Array(tileAt + tile.length);
  const view = new DataView(bytes.buffer);
  const put = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  bytes.set(new TextEncoder().encode("PMTiles"));
  bytes[7] = 3;
  put(8, HEADER_BYTES);
  put(16, directory.length);
  put(24, metadataAt);
  put(32, metadata.length);
  put(40, tileAt);
  put(48, 0);
  put(56, tileAt);
  put(64, tile.length);
  for (const at of [72, 80, 88]) put(at, 1);
  // Clustered; inner and outer compression none; vector tiles; zoom 0 to 0.
  bytes.set([1, 1, 1, 1, 0, 0], 96);
  const bounds = [-180, -85, 180, 85].map((degrees) => Math.round(degrees * 1e7));
  bounds.forEach((value, k) => view.setInt32(102 + 4 * k, value, true));
  bytes.set(directory, HEADER_BYTES);
  bytes.set(metadata, metadataAt);
  bytes.set(tile, tileAt);
  return bytes;
}

/** A vector tile with one layer of one polygon over all of it. */
export function fullTile(layer: string): Uint8Array {
  const extent = 4096;
  const zigzag = (value: number) => value < 0 ? -2 * value - 1 : 2 * value;
  // Move to the corner, three lines, close; steps from point to point.
  const steps = [[extent, 0], [0, extent], [-extent, 0]].flat();
  const geometry = [
    ...[1 | 1 << 3, 0, 0],
    ...[2 | 3 << 3, ...steps.map(zigzag)],
    7 | 1 << 3,
  ].flatMap(varint);
  const feature = [...field(3, [3]), ...bytesField(4, geometry)];
  const name = [...new TextEncoder().encode(layer)];
  return new Uint8Array(bytesField(3, [
    ...bytesField(1, name),
    ...bytesField(2, feature),
    ...field(5, varint(extent)),
    ...field(15, [2]),
  ]));
}

function field(number: number, value: readonly number[]): number[] {
  return [...varint(number << 3), ...value];
}

function bytesField(number: number, bytes: readonly number[]): number[] {
  return [...varint(number << 3 | 2), ...varint(bytes.length), ...bytes];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  for (; value > 127; value = Math.floor(value / 128)) bytes.push(value % 128 + 128);
  return [...bytes, value];
}
