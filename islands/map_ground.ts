/// <reference lib="dom" />
/** Land and zones on the map, clipped to what is seen: a continent may have 10,000 corners. */
import type { Outline } from "./land.ts";
import { fitted, type Palette } from "./map_shapes.ts";
import { visibleText } from "./visible_text.ts";

/** The part of the unit square that a picture shows, in pixels of the earth at its zoom. */
export interface View {
  readonly left: number;
  readonly top: number;
  /** Pixels of the unit square's side. */
  readonly scale: number;
  readonly width: number;
  readonly height: number;
}

/** A base map that is drawn over land and sea, as far as its tiles have come. */
export interface TileGround {
  /** Moves when there is more to draw. */
  readonly version: number;
  /** Draws what there is of a view, and asks for what there is not. */
  draw(g: CanvasRenderingContext2D, view: View & { readonly zoom: number }, palette: Palette): void;
}

/** A zone as the map draws it. */
export interface ZoneShape {
  readonly name: string;
  readonly outlines: readonly Outline[];
}

/** Lines are clipped this far outside the picture, so that the cut itself is not seen; pixels. */
const BEYOND = 8;
/** Corners nearer to the one before than this are left out, pixels. */
const NEAR = 0.4;
/** Zones narrower than this on the screen carry no name, pixels. */
const NAMED_PIXELS = 28;
/** Names of zones longer than this are cut, pixels. */
const ZONE_NAME_PIXELS_MAX = 240;

/** Fills the picture with sea, the land on it. */
export function drawLand(
  g: CanvasRenderingContext2D,
  view: View,
  land: readonly Outline[],
  palette: Palette,
): void {
  g.fillStyle = palette.sea;
  g.fillRect(0, 0, view.width, view.height);
  g.beginPath();
  for (const outline of land) addOutline(g, view, outline);
  g.fillStyle = palette.land;
  g.fill("evenodd");
  g.strokeStyle = palette.coast;
  g.lineWidth = 1;
  g.stroke();
}

/** Draws each zone's area and outline, then the names over them. */
export function drawZones(
  g: CanvasRenderingContext2D,
  view: View,
  zones: readonly ZoneShape[],
  palette: Palette,
): void {
  g.fillStyle = palette.zone;
  g.strokeStyle = palette.zone;
  g.lineWidth = 1.5;
  for (const { outlines } of zones) {
    g.beginPath();
    for (const outline of outlines) addOutline(g, view, outline);
    g.globalAlpha = 0.1;
    g.fill("evenodd");
    g.globalAlpha = 0.8;
    g.stroke();
  }
  g.globalAlpha = 1;
  g.font = "600 12px system-ui, sans-serif";
  g.textBaseline = "bottom";
  g.textAlign = "center";
  g.lineJoin = "round";
  for (const zone of zones) {
    const place = namePlace(view, zone.outlines);
    if (place === null) continue;
    const name = fitted(g, visibleText(zone.name), ZONE_NAME_PIXELS_MAX);
    g.strokeStyle = palette.land;
    g.lineWidth = 3;
    g.strokeText(name, place.x, place.y);
    g.fillStyle = palette.dim;
    g.fillText(name, place.x, place.y);
  }
  g.textAlign = "start";
}

/** Above the middle of the zone; null where it is too small or out of sight. */
function namePlace(view: View, outlines: readonly Outline[]): { x: number; y: number } | null {
  const first = outlines[0];
  if (first === undefined) return null;
  let { left, top, right } = first.box;
  for (const { box } of outlines) {
    left = Math.min(left, box.left);
    top = Math.min(top, box.top);
    right = Math.max(right, box.right);
  }
  if ((right - left) * view.scale < NAMED_PIXELS) return null;
  const x = (left + right) / 2 * view.scale - view.left;
  const y = top * view.scale - view.top - 4;
  const isSeen = x > 0 && y > 0 && x < view.width && y < view.height + 20;
  return isSeen ? { x, y } : null;
}

function addOutline(g: CanvasRenderingContext2D, view: View, outline: Outline): void {
  const { left, top, scale, width, height } = view;
  const { box } = outline;
  const isAway = box.right * scale < left - BEYOND || box.left * scale > left + width + BEYOND ||
    box.bottom * scale < top - BEYOND || box.top * scale > top + height + BEYOND;
  if (isAway) return;
  const xs: number[] = [];
  const ys: number[] = [];
  let lastX = Infinity;
  let lastY = Infinity;
  for (let k = 0; k < outline.x.length; k++) {
    const x = outline.x[k] * scale - left + BEYOND;
    const y = outline.y[k] * scale - top + BEYOND;
    if (Math.abs(x - lastX) < NEAR && Math.abs(y - lastY) < NEAR) continue;
    xs.push(x);
    ys.push(y);
    lastX = x;
    lastY = y;
  }
  const seen = clipped(xs, ys, width + 2 * BEYOND, height + 2 * BEYOND);
  for (let k = 0; k < seen.xs.length; k++) {
    const x = seen.xs[k] - BEYOND;
    const y = seen.ys[k] - BEYOND;
    if (k === 0) g.moveTo(x, y);
    else g.lineTo(x, y);
  }
  if (seen.xs.length > 0) g.closePath();
}

interface Corners {
  readonly xs: number[];
  readonly ys: number[];
}

/**
 * The part of a polygon within the box from 0, 0 to width, height (Sutherland and Hodgman 1974):
 * one side after the other is cut away. Costs a walk over the corners for each side.
 */
export function clipped(xs: number[], ys: number[], width: number, height: number): Corners {
  let corners: Corners = { xs, ys };
  corners = cut(corners, (x) => x);
  corners = cut(corners, (x) => width - x);
  corners = cut(corners, (_, y) => y);
  return cut(corners, (_, y) => height - y);
}

/** Cuts away where `depth` is negative; it is linear. */
function cut({ xs, ys }: Corners, depth: (x: number, y: number) => number): Corners {
  const out: Corners = { xs: [], ys: [] };
  const last = xs.length - 1;
  if (last < 0) return out;
  let before = depth(xs[last], ys[last]);
  for (let k = 0, j = last; k <= last; j = k++) {
    const here = depth(xs[k], ys[k]);
    if (here >= 0 !== before >= 0) {
      const share = before / (before - here);
      out.xs.push(xs[j] + (xs[k] - xs[j]) * share);
      out.ys.push(ys[j] + (ys[k] - ys[j]) * share);
    }
    if (here >= 0) {
      out.xs.push(xs[k]);
      out.ys.push(ys[k]);
    }
    before = here;
  }
  return out;
}
