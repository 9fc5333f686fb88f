/** Drives vehicles along the streets: limits, bends, lights, turns, stops, and the next errand. */
import type { RandomStreams } from "./random.ts";
import { MOTORWAY, type StreetNetwork } from "./street_network.ts";
import type { StreetPlace } from "./street_place.ts";
import { PHASE, resistance, type Vehicles } from "./vehicle.ts";

/** Hardest braking of an attentive driver, m/s². */
export const ATTENTIVE_BRAKING = 2.6;
/** Braking of who looked up too late, m/s². */
export const PANIC_BRAKING = 6.6;

/** Seconds of a round of traffic lights; each direction is green for 29 of them. */
const LIGHT_ROUND = 64;
/** Metres between a stop line and the middle of the junction. */
const STOP_LINE = 4;
/** Places that are looked at for the easiest turn. */
const PLACES_TRIED = 8;
/** Edges looked at ahead. */
const EDGES_AHEAD = 8;

/** Drives all vehicles of a fleet. */
export class Driver {
  /** Seconds of panic braking left. */
  readonly panic: Float64Array;
  /** Slow wandering of the pace around the driver's own, -0.02 to 0.02. */
  readonly #wander: Float64Array;
  readonly #lightOffset: Float64Array;
  readonly #lightGroup: Uint8Array;

  constructor(
    readonly streets: StreetNetwork,
    readonly all: Vehicles,
    readonly random: RandomStreams,
  ) {
    this.panic = new Float64Array(all.count);
    this.#wander = new Float64Array(all.count);
    this.#lightOffset = Float64Array.from(
      { length: streets.nodeCount },
      (_, node) => (node * 37) % LIGHT_ROUND,
    );
    this.#lightGroup = Uint8Array.from(
      { length: streets.edgeCount },
      (_, edge) => Math.abs(Math.cos(streets.endHeading(edge))) > Math.SQRT1_2 ? 0 : 1,
    );
  }

  /** Puts vehicle `i` on its way from `node` to a place, `share` of the way done; it stands. */
  place(i: number, node: number, share: number): void {
    const { all, streets } = this;
    all.place[i] = this.#choosePlace(i, node);
    const way = streets.wayTo(all.place[i]);
    let total = 0;
    for (let at = node; way[at] >= 0; at = streets.edgeTo[way[at]]) {
      total += streets.length[way[at]];
    }
    let left = total * share;
    let edge = way[node];
    while (left > streets.length[edge] && way[streets.edgeTo[edge]] >= 0) {
      left -= streets.length[edge];
      edge = way[streets.edgeTo[edge]];
    }
    this.#enter(i, edge, Math.min(left, streets.length[edge] - 1));
  }

  /**
   * Puts vehicle `i` where it was seen, on its way to a place that it can turn to with ease; its
   * speed and phase stay as they are.
   */
  putBack(i: number, at: StreetPlace): void {
    const { all, streets } = this;
    const node = streets.edgeTo[at.edge];
    this.panic[i] = 0;
    this.#wander[i] = 0;
    let easiest = -1;
    for (let tries = PLACES_TRIED; tries > 0; tries--) {
      const place = this.#choosePlace(i, node);
      const next = streets.wayTo(place)[node];
      // An edge and its way back are neighbours: nobody turns round in the street.
      const speed = next === (at.edge ^ 1) ? 0 : streets.turnSpeed(at.edge, next);
      if (speed <= easiest) continue;
      easiest = speed;
      all.place[i] = place;
    }
    all.accel[i] = 0;
    all.edge[i] = at.edge;
    all.along[i] = at.along;
    all.point[i] = at.point;
  }

  /** Metres left of the edge that vehicle `i` is on. */
  leg(i: number): number {
    return this.streets.length[this.all.edge[i]] - this.all.along[i];
  }

  /** Brings a vehicle that was just placed up to the speed of its street. */
  gatherSpeed(i: number): void {
    const { all } = this;
    if (all.phase[i] !== PHASE.driving) return;
    all.speed[i] = Math.min(this.#cruise(i), Math.max(0, this.#allowed(i, 1, 0)));
  }

  /** Moves vehicle `i` on by `dt` seconds (at most 1); `clock` is seconds of simulated time. */
  step(i: number, dt: number, clock: number): void {
    const { all } = this;
    if (all.phase[i] === PHASE.driving) {
      this.#drive(i, dt, clock);
      return;
    }
    all.speed[i] = 0;
    all.accel[i] = 0;
    all.timer[i] -= dt;
    if (all.timer[i] <= 0) this.#depart(i);
  }

  #drive(i: number, dt: number, clock: number): void {
    const { all, random } = this;
    const v = all.speed[i];
    const wander = this.#wander[i] * (1 - dt / 20) + 0.004 * Math.sqrt(dt) * random.bell(i);
    this.#wander[i] = Math.max(-0.02, Math.min(0.02, wander));
    let next = this.#paced(i, v, dt, clock);
    if (this.panic[i] > 0) {
      this.panic[i] -= dt;
      next = Math.min(next, Math.max(2, v - PANIC_BRAKING * dt));
    }
    if (all.halt[i] === 1) {
      next = Math.min(next, Math.max(0, v - 1.8 * dt));
      if (next === 0) this.#stopHere(i);
    }
    all.accel[i] = (next - v) / dt;
    all.speed[i] = next;
    this.#advance(i, (v + next) / 2 * dt);
  }

  /** Speed after the step by ordinary driving. */
  #paced(i: number, v: number, dt: number, clock: number): number {
    const { all } = this;
    const cruise = this.#cruise(i);
    const allowed = Math.min(cruise, this.#allowed(i, dt, clock));
    if (allowed < v) {
      const slowed = Math.max(allowed, v - ATTENTIVE_BRAKING * dt);
      return slowed < 0.25 ? 0 : slowed;
    }
    const spare = 0.55 * all.power[i] - resistance(all.mass[i], v) * v;
    const strength = spare / (all.mass[i] * Math.max(v, 3));
    const eager = all.pull[i] * (1 - Math.pow(v / Math.max(cruise, 1), 4)) + 0.05;
    const a = Math.max(0, Math.min(eager, strength, Math.max(0, all.accel[i]) + 1.3 * dt));
    return Math.min(allowed, v + a * dt);
  }

  /** Speed that the driver would like to go on this street. */
  #cruise(i: number): number {
    const { all, streets } = this;
    const edge = all.edge[i];
    return this.#pace(i, edge) * streets.limit[edge] * (1 + this.#wander[i]) * all.ease[i];
  }

  #pace(i: number, edge: number): number {
    const motorway = this.streets.kind[edge] === MOTORWAY;
    return motorway ? this.all.motorwayPace[i] : this.all.townPace[i];
  }

  /** Greatest speed after the step from which everything ahead can still be met in comfort. */
  #allowed(i: number, dt: number, clock: number): number {
    const { all, streets } = this;
    const v = all.speed[i];
    const b = all.brake[i];
    const way = streets.wayTo(all.place[i]);
    let edge = all.edge[i];
    const point = all.point[i] + 1;
    let allowed = meet(streets.bendSpeed[point], streets.along[point] - all.along[i], b, dt);
    let ahead = streets.length[edge] - all.along[i];
    const horizon = v * v / (2 * b) + 3 * v + 10;
    for (let k = 0; k < EDGES_AHEAD && ahead < horizon; k++) {
      const node = streets.edgeTo[edge];
      const next = way[node];
      if (next < 0) return Math.min(allowed, meet(0, ahead, b, dt));
      const line = ahead - STOP_LINE;
      if (line > 0 && streets.light[node] === 1 && this.#red(node, edge, clock)) {
        // Who cannot stop in comfort any more drives on.
        if (v * v < 2 * ATTENTIVE_BRAKING * 0.95 * line) {
          return Math.min(allowed, meet(0, line, b, dt));
        }
      }
      const turn = streets.turnSpeed(edge, next);
      const bend = streets.bendSpeed[streets.pointStart[next]];
      const limit = streets.limit[next] * this.#pace(i, next);
      allowed = Math.min(allowed, meet(Math.min(turn, bend, limit), ahead, b, dt));
      ahead += streets.length[next];
      edge = next;
    }
    return allowed;
  }

  #red(node: number, edge: number, clock: number): boolean {
    const at = (clock + this.#lightOffset[node]) % LIGHT_ROUND;
    const half = LIGHT_ROUND / 2;
    return this.#lightGroup[edge] === 0 ? at > half - 3 : at < half || at > LIGHT_ROUND - 3;
  }

  #advance(i: number, metres: number): void {
    const { all, streets } = this;
    all.odometer[i] += metres;
    all.along[i] += metres;
    const way = streets.wayTo(all.place[i]);
    while (all.along[i] >= streets.length[all.edge[i]]) {
      const next = way[streets.edgeTo[all.edge[i]]];
      if (next < 0) break;
      this.#enter(i, next, all.along[i] - streets.length[all.edge[i]]);
    }
    const left = streets.length[all.edge[i]] - all.along[i];
    if (left < 2 && all.speed[i] < 1.6 && way[streets.edgeTo[all.edge[i]]] < 0) this.#arrive(i);
    const last = streets.pointStart[all.edge[i] + 1] - 2;
    while (all.point[i] < last && streets.along[all.point[i] + 1] <= all.along[i]) all.point[i]++;
  }

  #enter(i: number, edge: number, along: number): void {
    this.all.edge[i] = edge;
    this.all.along[i] = along;
    this.all.point[i] = this.streets.pointStart[edge];
    const last = this.streets.pointStart[edge + 1] - 2;
    while (this.all.point[i] < last && this.streets.along[this.all.point[i] + 1] <= along) {
      this.all.point[i]++;
    }
  }

  #arrive(i: number): void {
    const { all, random } = this;
    const short = random.next(i) < 0.55;
    all.phase[i] = short ? PHASE.waiting : PHASE.parked;
    all.timer[i] = short ? random.between(i, 12, 40) : random.between(i, 40, 140);
  }

  #stopHere(i: number): void {
    this.all.halt[i] = 0;
    this.all.phase[i] = PHASE.parked;
    this.all.timer[i] = this.random.between(i, 150, 260);
  }

  #depart(i: number): void {
    const { all, streets } = this;
    all.phase[i] = PHASE.driving;
    const node = streets.edgeTo[all.edge[i]];
    const way = streets.wayTo(all.place[i]);
    if (way[node] >= 0 || streets.length[all.edge[i]] - all.along[i] > 2) return;
    all.place[i] = this.#choosePlace(i, node);
    this.#enter(i, streets.wayTo(all.place[i])[node], 0);
  }

  #choosePlace(i: number, node: number): number {
    const places = this.streets.places;
    let k = this.random.below(i, places.length);
    if (places[k] === node) k = (k + 1) % places.length;
    return places[k];
  }
}

/**
 * Greatest speed after `dt` seconds from which `speed` can be met within `metres` at braking `b`.
 *
 * Solves v² = speed² + 2 b (metres - v dt) for v.
 */
function meet(speed: number, metres: number, b: number, dt: number): number {
  const slack = speed * speed + 2 * b * Math.max(0, metres);
  return Math.sqrt(b * b * dt * dt + slack) - b * dt;
}
