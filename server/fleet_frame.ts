/** Fleet frames: the projection's columns as the integers that travel to browsers. */
import { type Catalog, signalIndex } from "../contract/catalog.ts";
import type { FrameSignal } from "../contract/dashboard.ts";
import type { FleetFrame } from "../contract/stream.ts";
import type { FleetProjection } from "./fleet_projection.ts";

/** Degrees are sent as whole hundred-thousandths: about a metre. */
const DEGREE_SCALE = 1e5;

/** Cuts frames from a projection; one encoder for all clients, since it knows what it numbered. */
export class FleetFrameEncoder {
  readonly #fleet: FleetProjection;
  readonly #catalog: Catalog;
  #columns: readonly (FrameSignal & { readonly signal: number })[] = [];
  /** Vehicles below this number have been named in a delta frame. */
  #named = 0;
  #seq = 0;

  constructor(fleet: FleetProjection, catalog: Catalog, signals: readonly FrameSignal[]) {
    this.#fleet = fleet;
    this.#catalog = catalog;
    this.carry(signals);
  }

  /** Carries other signals from now on: every client needs a full frame then. */
  carry(signals: readonly FrameSignal[]): void {
    this.#columns = signals.map(({ name, scale }) => ({
      signal: signalIndex(this.#catalog, name),
      name,
      scale,
    }));
  }

  /** The vehicles that changed since the last delta; null if none did. */
  delta(now: number): FleetFrame | null {
    const changed = this.#fleet.takeChanged();
    if (changed.length === 0) return null;
    const ids: (number | string)[] = [];
    for (; this.#named < this.#fleet.size; this.#named++) {
      ids.push(this.#named, this.#fleet.ids[this.#named] ?? "");
    }
    this.#seq++;
    return this.#frame(now, false, ids, changed);
  }

  /** Every vehicle as of now; carries the number of the last delta, which it includes. */
  full(now: number): FleetFrame {
    const all: number[] = [];
    const ids: (number | string)[] = [];
    for (let number = 0; number < this.#fleet.size; number++) {
      all.push(number);
      ids.push(number, this.#fleet.ids[number] ?? "");
    }
    return this.#frame(now, true, ids, all);
  }

  #frame(
    now: number,
    full: boolean,
    ids: readonly (number | string)[],
    i: readonly number[],
  ): FleetFrame {
    const fleet = this.#fleet;
    const scaled = (column: Float64Array | undefined, scale: number) =>
      i.map((number) => integer(column?.[number] ?? NaN, scale));
    return {
      seq: this.#seq,
      now,
      full,
      ids,
      i,
      lat: scaled(fleet.lat, DEGREE_SCALE),
      lon: scaled(fleet.lon, DEGREE_SCALE),
      h: scaled(fleet.heading, 1),
      t: i.map((number) => Math.round(now - (fleet.at[number] ?? 0))),
      a: i.map((number) => Math.round(now - (fleet.append[number] ?? 0))),
      s: i.map((number) => fleet.state[number] ?? 0),
      x: i.map((number) => fleet.severity[number] ?? 0),
      k: full ? this.#columns.flatMap(({ name, scale }) => [name, scale]) : [],
      c: this.#columns.map(({ signal, scale }) => scaled(fleet.last[signal], scale)),
    };
  }
}

function integer(value: number, scale: number): number | null {
  return Number.isFinite(value) ? Math.round(value * scale) : null;
}
