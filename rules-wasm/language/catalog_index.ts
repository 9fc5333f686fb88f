/** The catalog, and the zones, as the checker looks things up in them. */
import type { Catalog, Signal } from "../../contract/catalog.ts";
import { closest, didYouMean } from "./faults.ts";
import { parseUnit, type Unit, unitText } from "./units.ts";
import type { Zone } from "./zone.ts";

/** A signal with its number and its unit read. */
export interface KnownSignal {
  readonly number: number;
  readonly signal: Signal;
  readonly unit: Unit;
}

/** Degrees that a coordinate may not exceed. */
const COORDINATES = { lat: 90, lon: 180 } as const;

/** Signals by name, zones by id. */
export class CatalogIndex {
  readonly catalog: Catalog;
  readonly #signals = new Map<string, KnownSignal>();
  /** Keys on the wire and VSS paths, to the signal's name. */
  readonly #keys = new Map<string, string>();
  readonly #zones: ReadonlyMap<string, Zone>;

  /** @throws {TypeError} if a signal's unit is not one of `parseUnit` */
  constructor(catalog: Catalog, zones: readonly Zone[] = []) {
    this.catalog = catalog;
    this.#zones = new Map(zones.map((zone) => [zone.id, zone]));
    for (const [number, signal] of catalog.signals.entries()) {
      const read = parseUnit(signal.unit === "" ? "1" : signal.unit);
      if (!read.ok) throw new TypeError(`Cannot use the signal ${signal.name}: ${read.message}`);
      this.#signals.set(signal.name, { number, signal, unit: read.unit });
      for (const key of signal.keys) this.#keys.set(key, signal.name);
      if (signal.vss !== "") this.#keys.set(signal.vss, signal.name);
    }
  }

  /** The signal of a name, or undefined. */
  find(name: string): KnownSignal | undefined {
    return this.#signals.get(name);
  }

  /** The zone of an id, or undefined. */
  zone(id: string): Zone | undefined {
    return this.#zones.get(id);
  }

  /** What to do about an unknown zone. */
  suggestZone(id: string): string {
    if (this.#zones.size === 0) return "there are no zones: name their file with --zones FILE";
    const ids = [...this.#zones.keys()];
    return didYouMean(id, ids) || `zones are ${ids.slice(0, 20).join(", ")}`;
  }

  /** The signal of a coordinate, or why there is none that can be used. */
  coordinate(name: "lat" | "lon"): KnownSignal | string {
    const known = this.find(name);
    if (known === undefined) return `the catalog has no signal ${name}`;
    const { type, min, max } = known.signal;
    if (type !== "number" || unitText(known.unit) !== "deg") {
      return `the signal ${name} is no number of degrees`;
    }
    const most = COORDINATES[name];
    return min >= -most && max <= most
      ? known
      : `the range of the signal ${name} exceeds -${most} to ${most}`;
  }

  /** What to do about an unknown name, or "". */
  suggest(name: string): string {
    const key = this.#keys.get(name);
    if (key !== undefined) return `it is a key on the wire; the signal is called "${key}"`;
    if (parseUnit(name).ok) return "a unit is written without spaces: km/h";
    const near = closest(name, this.#signals.keys());
    if (near !== "") return `did you mean "${near}"?`;
    const nearKey = this.#keys.get(closest(name, this.#keys.keys()));
    return nearKey === undefined ? "" : `did you mean "${nearKey}"?`;
  }
}
