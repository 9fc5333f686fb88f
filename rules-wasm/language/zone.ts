/**
 * Zones: areas on the map that rules ask about.
 *
 * Corners and positions are held against one another in whole steps of 1e-7 degrees (a centimetre):
 * products of such numbers fit 64 bits, so that every engine decides exactly.
 */

/** Steps of a degree. */
export const STEPS_PER_DEGREE = 1e7;

/** The nearest whole step of a longitude or latitude in degrees; halves go up. */
export function toSteps(degrees: number): number {
  return Math.floor(degrees * STEPS_PER_DEGREE + 0.5);
}

/**
 * Corners of a closed line, in steps: longitude and latitude by turns. The last is joined to the
 * first, which is not repeated.
 */
export type Ring = Int32Array;

/** An outer ring, then the holes in it. */
export type Polygon = readonly Ring[];

/** What a zone covers, its boundary included. */
export type ZoneShape =
  | { readonly kind: "polygons"; readonly polygons: readonly Polygon[] }
  | {
    readonly kind: "circle";
    /** Degrees. */
    readonly lat: number;
    readonly lon: number;
    /** Great-circle distance. */
    readonly radiusMetres: number;
  };

/** One zone. */
export interface Zone {
  /** What rules call it. */
  readonly id: string;
  /** For people; the id if the file gives none. */
  readonly name: string;
  readonly shape: ZoneShape;
  /** 16 hexadecimal digits of the shape: equal for equal shapes. */
  readonly digest: string;
}

/** A shape as text: equal text, equal shape. */
export function shapeText(shape: ZoneShape): string {
  if (shape.kind === "circle") return `circle ${shape.lat} ${shape.lon} ${shape.radiusMetres}`;
  return shape.polygons.map((polygon) => polygon.map((ring) => ring.join()).join(";")).join("|");
}
