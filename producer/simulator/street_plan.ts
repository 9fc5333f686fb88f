/**
 * Draws a town by the sea that exists nowhere: an old centre of rings and spokes, districts of
 * crooked blocks, a motorway around it and motorways out to smaller towns.
 */
import { RandomStreams } from "./random.ts";
import { MOTORWAY, type NetworkPlan, type StreetPlan } from "./street_network.ts";

const RESIDENTIAL = 0;
const STREET = 1;
const ARTERIAL = 2;

/** Longest straight piece of a curve, metres. */
const PIECE_METRES = 24;
const DEGREE = Math.PI / 180;

/** Azimuths (degrees clockwise from north) between which the sea lies, and how far from the centre. */
const SEA = { from: 68, to: 142, beyondMetres: 1300 };
/** Azimuths of the motorways to the other towns, with their length in metres. */
const OUTBOUND = [
  { azimuth: 188, metres: 15_000 },
  { azimuth: 244, metres: 19_000 },
  { azimuth: 302, metres: 13_000 },
  { azimuth: 8, metres: 17_000 },
];
const CENTRE_RINGS = [320, 640, 1000, 1450, 2000];
const SPOKES = 20;
const RING_ROAD_METRES = 4300;

/** Draws the network around a centre; the same seed draws the same. */
export function drawStreets(lat: number, lon: number, seed: number): NetworkPlan {
  const draft = new Draft(new RandomStreams(seed ^ 0x57ee7, 1));
  const outer = drawCentre(draft);
  const ringRoad = drawRingRoad(draft);
  const arterials = drawArterials(draft, outer, ringRoad);
  for (const azimuth of [22, 160, 205, 250, 295, 340]) {
    drawDistrict(draft, azimuth, 3150, 5, 185, azimuth * 0.7, [...arterials, ...outer.values()]);
  }
  for (const out of OUTBOUND) drawOutbound(draft, ringRoad, out.azimuth, out.metres);
  return draft.plan(lat, lon);
}

/** Nodes of the centre's outermost ring by azimuth. */
function drawCentre(draft: Draft): Map<number, number> {
  const rings: Map<number, number>[] = [];
  CENTRE_RINGS.forEach((radius, k) => {
    const ring = new Map<number, number>();
    const spokes = k < 2 ? SPOKES / 2 : SPOKES;
    for (let i = 0; i < spokes; i++) {
      const azimuth = i * 360 / spokes;
      if (atSea(azimuth, radius)) continue;
      const jitter = k === CENTRE_RINGS.length - 1 ? 0 : 0.06;
      const node = draft.polar(
        azimuth + draft.swing(4),
        radius * (1 + draft.swing(jitter)),
        true,
      );
      ring.set(azimuth, node);
    }
    const azimuths = [...ring.keys()];
    azimuths.forEach((azimuth, i) => {
      const next = azimuths[(i + 1) % azimuths.length];
      const step = (next - azimuth + 360) % 360;
      const [a, b] = [ring.get(azimuth), ring.get(next)];
      if (a === undefined || b === undefined || step > 40) return;
      if (k === CENTRE_RINGS.length - 1) draft.arc(a, b, ARTERIAL, 60);
      else if (draft.chance(0.9)) draft.arc(a, b, k < 2 ? RESIDENTIAL : STREET, k < 2 ? 30 : 50);
    });
    const inner = rings[k - 1];
    if (inner !== undefined) {
      for (const [azimuth, node] of ring) {
        const within = inner.get(azimuth);
        const main = azimuth % 72 === 0;
        if (within !== undefined && (main || draft.chance(0.85))) {
          draft.line(within, node, main ? ARTERIAL : STREET, main ? 50 : k < 3 ? 30 : 50);
        }
      }
    }
    rings.push(ring);
  });
  return rings[rings.length - 1];
}

/** Nodes of the motorway around the town, by azimuth; it ends at the sea on both sides. */
function drawRingRoad(draft: Draft): Map<number, number> {
  const ring = new Map<number, number>();
  let before = -1;
  for (let azimuth = 148; azimuth <= 148 + 268; azimuth += 268 / 16) {
    const node = draft.polar(azimuth, RING_ROAD_METRES, false);
    if (before >= 0) draft.arc(before, node, MOTORWAY, 110);
    ring.set(azimuth % 360, node);
    before = node;
  }
  return ring;
}

/** Arterials from the centre to the ring road; returns the nodes along them. */
function drawArterials(
  draft: Draft,
  outer: ReadonlyMap<number, number>,
  ringRoad: ReadonlyMap<number, number>,
): number[] {
  const nodes: number[] = [];
  const inner = [...outer.keys()];
  [...ringRoad.entries()].forEach(([azimuth, junction], i) => {
    if (i % 2 === 1) return;
    const start = nearestAzimuth(inner, azimuth);
    let last = outer.get(start) ?? junction;
    for (const share of [0.34, 0.68]) {
      const radius = 2000 + (RING_ROAD_METRES - 2000) * share;
      const turn = ((azimuth - start + 540) % 360) - 180;
      const node = draft.polar(start + turn * share, radius, draft.chance(0.6));
      draft.line(last, node, ARTERIAL, 70);
      nodes.push(node);
      last = node;
    }
    draft.line(last, junction, ARTERIAL, 70);
  });
  return nodes;
}

/** A quarter of crooked blocks, tied to the two nearest of `anchors`. */
function drawDistrict(
  draft: Draft,
  azimuth: number,
  radius: number,
  size: number,
  block: number,
  turn: number,
  anchors: readonly number[],
): void {
  const cx = radius * Math.sin(azimuth * DEGREE);
  const cy = radius * Math.cos(azimuth * DEGREE);
  const [cos, sin] = [Math.cos(turn * DEGREE), Math.sin(turn * DEGREE)];
  const grid: number[] = [];
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const u = (column - (size - 1) / 2 + draft.swing(0.18)) * block;
      const v = (row - (size - 1) / 2 + draft.swing(0.18)) * block;
      grid.push(draft.node(cx + u * cos - v * sin, cy + u * sin + v * cos, draft.chance(0.2)));
    }
  }
  for (let i = 0; i < grid.length; i++) {
    const main = Math.floor(i / size) === size >> 1 || i % size === size >> 1;
    const [kind, limit] = main ? [STREET, 50] : [RESIDENTIAL, 30];
    if (i % size < size - 1 && draft.chance(main ? 1 : 0.85)) {
      draft.line(grid[i], grid[i + 1], kind, limit);
    }
    if (i + size < grid.length && draft.chance(main ? 1 : 0.85)) {
      draft.line(grid[i], grid[i + size], kind, limit);
    }
  }
  const near = [...anchors].sort((a, b) => draft.apart(a, cx, cy) - draft.apart(b, cx, cy));
  for (const anchor of near.slice(0, 3)) {
    const rim = [...grid].sort((a, b) => draft.between(a, anchor) - draft.between(b, anchor))[0];
    draft.line(rim, anchor, ARTERIAL, 70);
  }
}

/** A motorway from the ring road to a town of its own, with one exit to a village on the way. */
function drawOutbound(
  draft: Draft,
  ringRoad: ReadonlyMap<number, number>,
  azimuth: number,
  metres: number,
): void {
  const start = nearestAzimuth([...ringRoad.keys()], azimuth);
  let last = ringRoad.get(start) ?? 0;
  const junctions = Math.round(metres / 3500);
  for (let k = 1; k <= junctions; k++) {
    const radius = RING_ROAD_METRES + metres * k / junctions;
    const node = draft.polar(start, radius, false);
    draft.line(last, node, MOTORWAY, k === 1 ? 110 : 120);
    if (k === 2) {
      drawDistrict(draft, start + 1500 / radius / DEGREE, radius, 3, 170, start, [node]);
    }
    last = node;
  }
  const side = draft.chance(0.5) ? 1 : -1;
  const radius = RING_ROAD_METRES + metres + 900;
  drawDistrict(draft, start + side * 700 / radius / DEGREE, radius, 6, 180, start + 20, [last]);
}

function atSea(azimuth: number, radius: number): boolean {
  return radius > SEA.beyondMetres && azimuth > SEA.from && azimuth < SEA.to;
}

function nearestAzimuth(azimuths: readonly number[], azimuth: number): number {
  const off = (a: number) => Math.abs(((a - azimuth + 540) % 360) - 180);
  return azimuths.reduce((best, a) => off(a) < off(best) ? a : best);
}

/** The plan in the making, in coordinates before the land bends it. */
class Draft {
  readonly #nodes: { x: number; y: number; light: boolean }[] = [];
  readonly #streets: { from: number; to: number; kind: number; limit: number; arc: boolean }[] = [];

  constructor(readonly random: RandomStreams) {}

  /** Symmetric around 0. */
  swing(width: number): number {
    return this.random.between(0, -width, width);
  }

  chance(share: number): boolean {
    return this.random.next(0) < share;
  }

  node(x: number, y: number, light: boolean): number {
    return this.#nodes.push({ x, y, light }) - 1;
  }

  polar(azimuth: number, radius: number, light: boolean): number {
    return this.node(
      radius * Math.sin(azimuth * DEGREE),
      radius * Math.cos(azimuth * DEGREE),
      light,
    );
  }

  line(from: number, to: number, kind: number, limit: number): void {
    this.#streets.push({ from, to, kind, limit, arc: false });
  }

  arc(from: number, to: number, kind: number, limit: number): void {
    this.#streets.push({ from, to, kind, limit, arc: true });
  }

  apart(node: number, x: number, y: number): number {
    return Math.hypot(this.#nodes[node].x - x, this.#nodes[node].y - y);
  }

  between(a: number, b: number): number {
    return this.apart(a, this.#nodes[b].x, this.#nodes[b].y);
  }

  /** Keeps what hangs together with node 0 and numbers it anew. */
  plan(lat: number, lon: number): NetworkPlan {
    const kept = this.#connected();
    const number = new Map(kept.map((node, i) => [node, i]));
    const degree = new Int32Array(kept.length);
    const motorway = new Uint8Array(kept.length);
    const streets: StreetPlan[] = [];
    for (const { from, to, kind, limit, arc } of this.#streets) {
      const [a, b] = [number.get(from), number.get(to)];
      if (a === undefined || b === undefined) continue;
      degree[a]++;
      degree[b]++;
      if (kind === MOTORWAY) motorway[a] = motorway[b] = 1;
      streets.push({ from: a, to: b, kind, limit, points: this.#curve(from, to, arc) });
    }
    const nodes = kept.map((node, i) => {
      const [x, y] = bend(this.#nodes[node].x, this.#nodes[node].y);
      return { x, y, light: this.#nodes[node].light && degree[i] > 2 && motorway[i] === 0 };
    });
    const places = nodes.map((_, i) => i).filter((i) => motorway[i] === 0 && i % 4 === 0);
    return { lat, lon, nodes, streets, places };
  }

  #connected(): number[] {
    const next: number[][] = this.#nodes.map(() => []);
    for (const { from, to } of this.#streets) {
      next[from].push(to);
      next[to].push(from);
    }
    const seen = new Set([0]);
    for (const node of seen) for (const other of next[node]) seen.add(other);
    return [...seen].sort((a, b) => a - b);
  }

  #curve(from: number, to: number, arc: boolean): number[] {
    const [a, b] = [this.#nodes[from], this.#nodes[to]];
    const pieces = Math.max(2, Math.ceil(Math.hypot(b.x - a.x, b.y - a.y) / PIECE_METRES));
    const ra = Math.hypot(a.x, a.y);
    const rb = Math.hypot(b.x, b.y);
    const ta = Math.atan2(a.x, a.y);
    let turn = Math.atan2(b.x, b.y) - ta;
    if (turn > Math.PI) turn -= 2 * Math.PI;
    if (turn < -Math.PI) turn += 2 * Math.PI;
    const points: number[] = [];
    for (let i = 0; i <= pieces; i++) {
      const f = i / pieces;
      const r = ra + (rb - ra) * f;
      const [x, y] = arc
        ? bend(r * Math.sin(ta + turn * f), r * Math.cos(ta + turn * f))
        : bend(a.x + (b.x - a.x) * f, a.y + (b.y - a.y) * f);
      points.push(x, y);
    }
    return points;
  }
}

/** Bends the plane gently, so that no street is straight; smooth and without folds. */
function bend(x: number, y: number): [number, number] {
  return [
    x + 90 * Math.sin(y / 900 + 0.7) + 260 * Math.sin(y / 3100 + 2.1) + 25 * Math.sin(x / 400),
    y + 80 * Math.sin(x / 800 + 1.9) + 240 * Math.sin(x / 2900 + 0.4) + 25 * Math.sin(y / 430),
  ];
}
