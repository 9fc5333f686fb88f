/**
 * A street network as flat arrays: directed edges along finely cut curves, and the way to anywhere.
 *
 * Plane coordinates are metres east (x) and north (y) of the network's centre.
 */

/** Kinds of street; the index is what `StreetNetwork.kind` holds. */
export const STREET_KINDS = ["residential", "street", "arterial", "motorway"] as const;
/** Index of "motorway" in `STREET_KINDS`. */
export const MOTORWAY = 3;

/** Metres of a degree of latitude on the sphere that positions are computed on. */
export const METRES_PER_DEGREE = 111_194.93;

/** Deceleration that bends are approached with at most, m/s². */
const BEND_BRAKING = 1.4;
/** Sideways acceleration that people take bends with, m/s². */
const BEND_LATERAL = 2.4;

/** One street before it is laid out: a line of points and what it is. */
export interface StreetPlan {
  readonly from: number;
  readonly to: number;
  readonly kind: number;
  /** Speed limit, km/h. */
  readonly limit: number;
  /** Points from `from` to `to`, both included: x0, y0, x1, y1, … */
  readonly points: readonly number[];
}

/** What a network is made of. */
export interface NetworkPlan {
  /** Centre of the plane. */
  readonly lat: number;
  readonly lon: number;
  readonly nodes: readonly { readonly x: number; readonly y: number; readonly light: boolean }[];
  /** Every street can be driven both ways. */
  readonly streets: readonly StreetPlan[];
  /** Nodes where people go. */
  readonly places: readonly number[];
}

/** The network, ready to drive on. Edge 2k runs along street k, edge 2k+1 against it. */
export class StreetNetwork {
  readonly lat: number;
  readonly lon: number;
  readonly places: readonly number[];
  readonly nodeCount: number;
  readonly edgeCount: number;
  /** Per edge: where it ends, its length in metres, limit in m/s, kind. */
  readonly edgeTo: Int32Array;
  readonly length: Float64Array;
  readonly limit: Float64Array;
  readonly kind: Uint8Array;
  /** Points of edge e are `pointStart[e]` to `pointStart[e + 1] - 1`. */
  readonly pointStart: Int32Array;
  readonly x: Float64Array;
  readonly y: Float64Array;
  /** Metres from the start of the edge to the point. */
  readonly along: Float64Array;
  /** Speed in m/s that the bends behind the point allow there. */
  readonly bendSpeed: Float64Array;
  /** Per node: whether traffic lights stand there. */
  readonly light: Uint8Array;
  readonly #edgeFrom: Int32Array;
  readonly #incoming: readonly Int32Array[];
  readonly #ways = new Map<number, Int32Array>();
  readonly #metresPerDegreeLon: number;

  constructor(plan: NetworkPlan) {
    this.lat = plan.lat;
    this.lon = plan.lon;
    this.places = plan.places;
    this.nodeCount = plan.nodes.length;
    this.edgeCount = plan.streets.length * 2;
    this.#metresPerDegreeLon = METRES_PER_DEGREE * Math.cos(plan.lat * Math.PI / 180);
    this.light = Uint8Array.from(plan.nodes, (node) => node.light ? 1 : 0);
    this.edgeTo = new Int32Array(this.edgeCount);
    this.#edgeFrom = new Int32Array(this.edgeCount);
    this.length = new Float64Array(this.edgeCount);
    this.limit = new Float64Array(this.edgeCount);
    this.kind = new Uint8Array(this.edgeCount);
    this.pointStart = new Int32Array(this.edgeCount + 1);
    const points = plan.streets.reduce((sum, street) => sum + street.points.length, 0);
    this.x = new Float64Array(points);
    this.y = new Float64Array(points);
    this.along = new Float64Array(points);
    this.bendSpeed = new Float64Array(points);
    let at = 0;
    plan.streets.forEach((street, k) => {
      at = this.#layOut(2 * k, street, street.from, street.to, at, false);
      at = this.#layOut(2 * k + 1, street, street.to, street.from, at, true);
    });
    const incoming: number[][] = plan.nodes.map(() => []);
    for (let e = 0; e < this.edgeCount; e++) incoming[this.edgeTo[e]].push(e);
    this.#incoming = incoming.map((edges) => Int32Array.from(edges));
  }

  /** Latitude of a point of the plane, degrees. */
  latOf(y: number): number {
    return this.lat + y / METRES_PER_DEGREE;
  }

  /** Longitude of a point of the plane, degrees. */
  lonOf(x: number): number {
    return this.lon + x / this.#metresPerDegreeLon;
  }

  /** The edge to take from each node to reach `place` soonest; -1 at the place itself. Kept. */
  wayTo(place: number): Int32Array {
    const known = this.#ways.get(place);
    if (known !== undefined) return known;
    const way = this.#findWay(place);
    this.#ways.set(place, way);
    return way;
  }

  /** Direction of travel at the end of an edge and at its start, radians clockwise from north. */
  endHeading(edge: number): number {
    const p = this.pointStart[edge + 1] - 1;
    return Math.atan2(this.x[p] - this.x[p - 1], this.y[p] - this.y[p - 1]);
  }

  /** See `endHeading`. */
  startHeading(edge: number): number {
    const p = this.pointStart[edge];
    return Math.atan2(this.x[p + 1] - this.x[p], this.y[p + 1] - this.y[p]);
  }

  /** Speed in m/s at which one turns from the end of one edge into the next. */
  turnSpeed(edge: number, next: number): number {
    let angle = Math.abs(this.startHeading(next) - this.endHeading(edge));
    if (angle > Math.PI) angle = 2 * Math.PI - angle;
    // Wider streets have wider corners: the radius of the arc that rounds the corner off.
    const wide = this.kind[edge] === MOTORWAY && this.kind[next] === MOTORWAY;
    const radius = (wide ? 80 : 14) / Math.max(1e-6, Math.tan(Math.min(angle, 3) / 2));
    return Math.max(2, Math.sqrt(BEND_LATERAL * radius));
  }

  #layOut(
    edge: number,
    street: StreetPlan,
    from: number,
    to: number,
    at: number,
    back: boolean,
  ): number {
    const count = street.points.length / 2;
    this.#edgeFrom[edge] = from;
    this.edgeTo[edge] = to;
    this.kind[edge] = street.kind;
    this.limit[edge] = street.limit / 3.6;
    this.pointStart[edge] = at;
    for (let i = 0; i < count; i++) {
      const j = back ? count - 1 - i : i;
      const p = at + i;
      this.x[p] = street.points[2 * j];
      this.y[p] = street.points[2 * j + 1];
      this.along[p] = i === 0
        ? 0
        : this.along[p - 1] + Math.hypot(this.x[p] - this.x[p - 1], this.y[p] - this.y[p - 1]);
    }
    this.length[edge] = this.along[at + count - 1];
    this.pointStart[edge + 1] = at + count;
    this.#slowForBends(at, count);
    return at + count;
  }

  #slowForBends(at: number, count: number): void {
    const last = at + count - 1;
    this.bendSpeed[last] = 60;
    for (let p = last - 1; p >= at; p--) {
      const step = this.along[p + 1] - this.along[p];
      let allowed = 60;
      if (p > at) {
        const inward = Math.atan2(this.x[p] - this.x[p - 1], this.y[p] - this.y[p - 1]);
        const outward = Math.atan2(this.x[p + 1] - this.x[p], this.y[p + 1] - this.y[p]);
        let angle = Math.abs(outward - inward);
        if (angle > Math.PI) angle = 2 * Math.PI - angle;
        const run = (this.along[p + 1] - this.along[p - 1]) / 2;
        if (angle > 1e-9) allowed = Math.min(60, Math.sqrt(BEND_LATERAL * run / angle));
      }
      const ahead = this.bendSpeed[p + 1];
      this.bendSpeed[p] = Math.min(allowed, Math.sqrt(ahead * ahead + 2 * BEND_BRAKING * step));
    }
  }

  /** Dijkstra from the place backwards, by travel time; ties go to the lower edge. */
  #findWay(place: number): Int32Array {
    const cost = new Float64Array(this.nodeCount).fill(Infinity);
    const way = new Int32Array(this.nodeCount).fill(-1);
    const heap = new NodeHeap(this.nodeCount, cost);
    cost[place] = 0;
    heap.push(place);
    for (let node = heap.pop(); node >= 0; node = heap.pop()) {
      for (const edge of this.#incoming[node]) {
        const from = this.#edgeFrom[edge];
        // A junction costs some seconds besides the driving.
        const c = cost[node] + this.length[edge] / this.limit[edge] + 3;
        if (c < cost[from]) {
          cost[from] = c;
          way[from] = edge;
          heap.push(from);
        }
      }
    }
    return way;
  }
}

/** Binary heap of nodes by cost; pushing a node that is in it moves it up. */
class NodeHeap {
  readonly #nodes: Int32Array;
  readonly #place: Int32Array;
  #size = 0;

  constructor(nodes: number, readonly cost: Float64Array) {
    this.#nodes = new Int32Array(nodes);
    this.#place = new Int32Array(nodes).fill(-1);
  }

  push(node: number): void {
    let i = this.#place[node];
    if (i < 0) i = this.#size++;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (this.cost[this.#nodes[parent]] <= this.cost[node]) break;
      this.#put(i, this.#nodes[parent]);
      i = parent;
    }
    this.#put(i, node);
  }

  /** The cheapest node, or -1. */
  pop(): number {
    if (this.#size === 0) return -1;
    const top = this.#nodes[0];
    this.#place[top] = -1;
    const node = this.#nodes[--this.#size];
    let i = 0;
    for (let child = 1; child < this.#size; child = 2 * i + 1) {
      if (
        child + 1 < this.#size &&
        this.cost[this.#nodes[child + 1]] < this.cost[this.#nodes[child]]
      ) child++;
      if (this.cost[node] <= this.cost[this.#nodes[child]]) break;
      this.#put(i, this.#nodes[child]);
      i = child;
    }
    if (this.#size > 0) this.#put(i, node);
    return top;
  }

  #put(i: number, node: number): void {
    this.#nodes[i] = node;
    this.#place[node] = i;
  }
}
