/** Where every vehicle stands: the latest sample of each, in typed arrays. */
import { type Catalog, signalIndex } from "../contract/catalog.ts";
import { SEVERITIES, type Severity } from "../contract/anomaly.ts";
import { VEHICLE_STATES, type VehicleState, type VehicleView } from "../contract/views.ts";
import { type DecodedRows, ROWS_MAX } from "../rules-wasm/decoder_port.ts";
import { bearingDegrees, distanceMetres } from "./geography.ts";

/** A vehicle not heard of for longer than this is stale, milliseconds of append time. */
export const STALE_AFTER_MS = 30_000;
/** Above this speed a vehicle moves, km/h: GPS noise at a stand stays below it. */
const MOVING_KMH = 3;
/** A heading is taken from two positions only if they lie this far apart. */
const HEADING_METRES_MIN = 5;
/** After this long with nothing but older times, milliseconds of A, a vehicle's clock was set back. */
const CLOCK_RESET_AFTER_MS = 60_000;

const MOVING = VEHICLE_STATES.indexOf("moving");
const IDLE = VEHICLE_STATES.indexOf("idle");
const STOPPED = VEHICLE_STATES.indexOf("stopped");
const STALE = VEHICLE_STATES.indexOf("stale");

/** How the projection is made. */
export interface FleetProjectionOptions {
  readonly catalog: Catalog;
  /** Bound on vehicles kept; samples of further ones are counted in `refusedVehicles`. */
  readonly maxVehicles: number;
  /** Open anomalies of a vehicle that has just turned up. */
  readonly anomaliesOf: (vehicle: string) => { open: number; severity: Severity | null };
}

/** The latest of one vehicle as restored from the store. */
export interface RestoredVehicle {
  readonly id: string;
  readonly at: number;
  readonly append: number;
  /** Values by catalog index; NaN where unknown. */
  readonly values: ReadonlyMap<number, number>;
}

/**
 * The fleet as it is now. Vehicles are numbered from 0 in the order of their coming; columns are
 * indexed by that number. Costs no object per sample.
 */
export class FleetProjection {
  readonly ids: string[] = [];
  lat = new Float64Array(0);
  lon = new Float64Array(0);
  heading = new Float64Array(0);
  /** T and A of the latest sample, epoch milliseconds. */
  at = new Float64Array(0);
  append = new Float64Array(0);
  /** Index into VEHICLE_STATES. */
  state = new Uint8Array(0);
  /** 0 no open anomaly, else 1 + index into SEVERITIES. */
  severity = new Uint8Array(0);
  open = new Uint32Array(0);
  /** Last known value per signal and vehicle; undefined while the signal never came. */
  readonly last: (Float64Array | undefined)[];
  /** Row of the batch at hand -> vehicle number, or -1. */
  readonly rowVehicle = new Int32Array(ROWS_MAX);
  /** Samples with a T below the vehicle's latest, and those with the same. */
  late = 0;
  duplicates = 0;
  /** Samples of vehicles beyond the bound. */
  refusedVehicles = 0;

  readonly #options: FleetProjectionOptions;
  readonly #numbers = new Map<string, number>();
  readonly #fresh = new Uint8Array(ROWS_MAX);
  /** A of the latest sample that was not late. */
  #freshAppend = new Float64Array(0);
  #slots = new Int32Array(0);
  #capacity = 0;
  #changed: number[] = [];
  #isChanged = new Uint8Array(0);
  readonly #signal: { lat: number; lon: number; heading: number };
  /** Signals that tell the speed, the first known counts; and those above 0 while it runs. */
  readonly #speeds: readonly number[];
  readonly #runs: readonly number[];

  constructor(options: FleetProjectionOptions) {
    this.#options = options;
    const { catalog } = options;
    this.last = new Array(catalog.signals.length).fill(undefined);
    this.#signal = {
      lat: signalIndex(catalog, "lat"),
      lon: signalIndex(catalog, "lon"),
      heading: signalIndex(catalog, "heading"),
    };
    this.#speeds = ["speed", "gps_speed"].map((name) => signalIndex(catalog, name));
    this.#runs = ["rpm", "engine_running", "ignition"].map((name) => signalIndex(catalog, name));
  }

  /** Vehicles known. */
  get size(): number {
    return this.ids.length;
  }

  /** Number of a vehicle, -1 if unknown. */
  numberOf(id: string): number {
    return this.#numbers.get(id) ?? -1;
  }

  /**
   * Takes decoded rows in.
   *
   * @param appendTimes A per record of the batch
   * @param vehicleOf id of a decoder's slot
   * @param active catalog indices of the signals that occur in these rows
   */
  applyRows(
    rows: DecodedRows,
    appendTimes: Float64Array,
    vehicleOf: (slot: number) => string,
    active: readonly number[],
    now: number,
  ): void {
    const { count, slot, record, t } = rows;
    for (let k = 0; k < count; k++) {
      const number = this.#ofSlot(slot[k] ?? 0, vehicleOf);
      this.rowVehicle[k] = number;
      this.#fresh[k] = 0;
      if (number < 0) {
        this.refusedVehicles++;
        continue;
      }
      const time = t[k] ?? 0;
      const known = this.at[number] ?? 0;
      const append = appendTimes[record[k] ?? 0] ?? 0;
      this.append[number] = Math.max(this.append[number] ?? 0, append);
      this.#mark(number);
      if (time < known && append - (this.#freshAppend[number] ?? 0) < CLOCK_RESET_AFTER_MS) {
        this.late++;
        continue;
      }
      if (time === known) this.duplicates++;
      this.at[number] = time;
      this.#freshAppend[number] = append;
      this.#fresh[k] = 1;
    }
    for (const signal of active) {
      if (signal !== this.#signal.lat && signal !== this.#signal.lon) {
        this.#takeColumn(signal, rows.column(signal), count);
      }
    }
    if (active.includes(this.#signal.lat) && active.includes(this.#signal.lon)) {
      this.#takePositions(rows.column(this.#signal.lat), rows.column(this.#signal.lon), count);
    }
    for (let k = 0; k < count; k++) {
      const number = this.rowVehicle[k] ?? -1;
      if (number >= 0) this.state[number] = this.#stateOf(number, now);
    }
  }

  /** Puts a vehicle back as the store knew it; does nothing for one already known. */
  restore(vehicle: RestoredVehicle, now: number): void {
    if (this.#numbers.has(vehicle.id)) return;
    const number = this.#add(vehicle.id);
    if (number < 0) return;
    this.at[number] = vehicle.at;
    this.append[number] = vehicle.append;
    this.#freshAppend[number] = vehicle.append;
    for (const [signal, value] of vehicle.values) this.#column(signal)[number] = value;
    this.lat[number] = vehicle.values.get(this.#signal.lat) ?? NaN;
    this.lon[number] = vehicle.values.get(this.#signal.lon) ?? NaN;
    this.heading[number] = vehicle.values.get(this.#signal.heading) ?? NaN;
    this.state[number] = this.#stateOf(number, now);
    this.#mark(number);
  }

  /** Sets what is open of a vehicle; one not seen yet asks for it when it comes. */
  setAnomalies(id: string, open: number, severity: Severity | null): void {
    const number = this.#numbers.get(id);
    if (number === undefined) return;
    this.open[number] = open;
    this.severity[number] = severity === null ? 0 : 1 + SEVERITIES.indexOf(severity);
    this.#mark(number);
  }

  /** Finds vehicles gone stale; call about once a second. */
  sweep(now: number): void {
    for (let number = 0; number < this.ids.length; number++) {
      const state = this.#stateOf(number, now);
      if (state !== this.state[number]) {
        this.state[number] = state;
        this.#mark(number);
      }
    }
  }

  /** Numbers of the vehicles changed since the last call, ascending by first change. */
  takeChanged(): number[] {
    const changed = this.#changed;
    for (const number of changed) this.#isChanged[number] = 0;
    this.#changed = [];
    return changed;
  }

  /** Vehicles by state. */
  summary(): Record<VehicleState, number> {
    const counts = [0, 0, 0, 0];
    for (let number = 0; number < this.ids.length; number++) {
      const state = this.state[number] ?? STALE;
      counts[state] = (counts[state] ?? 0) + 1;
    }
    return {
      moving: counts[MOVING] ?? 0,
      idle: counts[IDLE] ?? 0,
      stopped: counts[STOPPED] ?? 0,
      stale: counts[STALE] ?? 0,
    };
  }

  /** The view of a vehicle by number. @throws {RangeError} if there is none of that number */
  view(number: number): VehicleView {
    const id = this.ids[number];
    if (id === undefined) {
      throw new RangeError(`Cannot show vehicle number ${number}: there are ${this.size}`);
    }
    const signals: Record<string, number> = {};
    this.#options.catalog.signals.forEach((signal, index) => {
      const value = index === this.#signal.lat
        ? this.lat[number]
        : index === this.#signal.lon
        ? this.lon[number]
        : this.last[index]?.[number];
      if (value !== undefined && !Number.isNaN(value)) signals[signal.name] = value;
    });
    const severity = this.severity[number] ?? 0;
    return {
      id,
      state: VEHICLE_STATES[this.state[number] ?? STALE] ?? "stale",
      lat: known(this.lat[number]),
      lon: known(this.lon[number]),
      heading: known(this.heading[number]),
      at: this.at[number] ?? 0,
      append: this.append[number] ?? 0,
      signals,
      open: this.open[number] ?? 0,
      severity: severity === 0 ? null : SEVERITIES[severity - 1] ?? null,
    };
  }

  #takeColumn(signal: number, column: Float64Array, count: number): void {
    const last = this.#column(signal);
    const isHeading = signal === this.#signal.heading;
    for (let k = 0; k < count; k++) {
      const value = column[k] ?? NaN;
      if (value !== value || this.#fresh[k] === 0) continue;
      const number = this.rowVehicle[k] ?? 0;
      last[number] = value;
      if (isHeading) this.heading[number] = value;
    }
  }

  /** A position counts only when both coordinates come in one sample. */
  #takePositions(lats: Float64Array, lons: Float64Array, count: number): void {
    const headings = this.last[this.#signal.heading];
    for (let k = 0; k < count; k++) {
      const lat = lats[k] ?? NaN;
      const lon = lons[k] ?? NaN;
      if (lat !== lat || lon !== lon || this.#fresh[k] === 0) continue;
      const number = this.rowVehicle[k] ?? 0;
      const sent = headings?.[number] ?? NaN;
      const lat0 = this.lat[number] ?? NaN;
      const lon0 = this.lon[number] ?? NaN;
      if (sent !== sent && lat0 === lat0) {
        // Small steps keep the old position as the base, so that slow movement adds up.
        if (distanceMetres(lat0, lon0, lat, lon) >= HEADING_METRES_MIN) {
          this.heading[number] = bearingDegrees(lat0, lon0, lat, lon);
        }
      }
      this.lat[number] = lat;
      this.lon[number] = lon;
    }
  }

  #stateOf(number: number, now: number): number {
    if (now - (this.append[number] ?? 0) > STALE_AFTER_MS) return STALE;
    for (const signal of this.#speeds) {
      const speed = this.#lastOf(signal, number);
      if (speed > MOVING_KMH) return MOVING;
      if (speed === speed) break;
    }
    for (const signal of this.#runs) {
      const runs = this.#lastOf(signal, number);
      if (runs === runs) return runs > 0 ? IDLE : STOPPED;
    }
    return STOPPED;
  }

  #lastOf(signal: number, number: number): number {
    return this.last[signal]?.[number] ?? NaN;
  }

  #ofSlot(slot: number, vehicleOf: (slot: number) => string): number {
    if (slot >= this.#slots.length) {
      const grown = new Int32Array(Math.max(slot + 1, this.#slots.length * 2, 256)).fill(-2);
      grown.set(this.#slots);
      this.#slots = grown;
    }
    const mapped = this.#slots[slot] ?? -2;
    if (mapped !== -2) return mapped;
    const id = vehicleOf(slot);
    const number = this.#numbers.get(id) ?? this.#add(id);
    this.#slots[slot] = number;
    return number;
  }

  #add(id: string): number {
    const number = this.ids.length;
    if (number >= this.#options.maxVehicles) return -1;
    if (number >= this.#capacity) this.#grow();
    this.ids.push(id);
    this.#numbers.set(id, number);
    const { open, severity } = this.#options.anomaliesOf(id);
    this.open[number] = open;
    this.severity[number] = severity === null ? 0 : 1 + SEVERITIES.indexOf(severity);
    return number;
  }

  #column(signal: number): Float64Array {
    let column = this.last[signal];
    if (column === undefined) {
      column = new Float64Array(this.#capacity).fill(NaN);
      this.last[signal] = column;
    }
    return column;
  }

  #grow(): void {
    const capacity = Math.min(Math.max(256, this.#capacity * 2), this.#options.maxVehicles);
    const numbers = (old: Float64Array, fill: number) => {
      const grown = new Float64Array(capacity).fill(fill);
      grown.set(old);
      return grown;
    };
    const bytes = (old: Uint8Array) => {
      const grown = new Uint8Array(capacity);
      grown.set(old);
      return grown;
    };
    this.lat = numbers(this.lat, NaN);
    this.lon = numbers(this.lon, NaN);
    this.heading = numbers(this.heading, NaN);
    this.at = numbers(this.at, 0);
    this.append = numbers(this.append, 0);
    this.#freshAppend = numbers(this.#freshAppend, 0);
    this.state = bytes(this.state);
    this.severity = bytes(this.severity);
    this.#isChanged = bytes(this.#isChanged);
    const open = new Uint32Array(capacity);
    open.set(this.open);
    this.open = open;
    this.last.forEach((column, signal) => {
      if (column !== undefined) this.last[signal] = numbers(column, NaN);
    });
    this.#capacity = capacity;
  }

  #mark(number: number): void {
    if (this.#isChanged[number] === 1) return;
    this.#isChanged[number] = 1;
    this.#changed.push(number);
  }
}

function known(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
