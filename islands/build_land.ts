/**
 * Packs the land of Natural Earth (1:50,000,000, public domain; world-atlas) into `islands/land.bin`:
 * `deno task build:land`. The file is kept beside the sources, so that nobody else needs the package.
 */
import { packLand } from "./land.ts";

const LAND = new URL("./land.bin", import.meta.url);

/** What of a TopoJSON file is read: https://github.com/topojson/topojson-specification */
interface Topology {
  readonly transform: {
    readonly scale: readonly number[];
    readonly translate: readonly number[];
  };
  /** Points as steps from the one before, in whole units of `transform`. */
  readonly arcs: readonly (readonly (readonly number[])[])[];
  readonly objects: { readonly land: { readonly geometries: readonly MultiPolygon[] } };
}

/** Polygons of rings of arcs; a negative number is the arc of that number's complement, reversed. */
interface MultiPolygon {
  readonly arcs: readonly (readonly (readonly number[])[])[];
}

/** The packed land. */
export async function landBytes(): Promise<Uint8Array<ArrayBuffer>> {
  const { default: topology } = await import("world-atlas/land-50m.json", {
    with: { type: "json" },
  });
  return packLand(ringsOf(topology));
}

function ringsOf({ transform, arcs, objects }: Topology): number[][] {
  const [scaleX, scaleY] = transform.scale;
  const [left, bottom] = transform.translate;
  const lines = arcs.map((arc) => {
    let x = 0;
    let y = 0;
    return arc.map(([dx, dy]) => {
      x += dx;
      y += dy;
      return [x * scaleX + left, y * scaleY + bottom];
    });
  });
  const line = (arc: number) => arc < 0 ? lines[~arc].toReversed() : lines[arc];
  return objects.land.geometries.flatMap(({ arcs: polygons }) =>
    polygons.flat().map((ring) =>
      // Each arc begins where the one before it ends; the last ends where the first begins.
      ring.flatMap((arc) => line(arc).slice(1)).flat()
    )
  );
}

if (import.meta.main) await Deno.writeFile(LAND, await landBytes());
