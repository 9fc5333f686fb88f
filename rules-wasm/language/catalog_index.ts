/** The catalog as the checker looks things up in it. */
import type { Catalog, Signal } from "../../contract/catalog.ts";
import { closest } from "./faults.ts";
import { parseUnit, type Unit } from "./units.ts";

/** A signal with its number and its unit read. */
export interface KnownSignal {
  readonly number: number;
  readonly signal: Signal;
  readonly unit: Unit;
}

/** Signals by name. */
export class CatalogIndex {
  readonly catalog: Catalog;
  readonly #signals = new Map<string, KnownSignal>();
  /** Keys on the wire and VSS paths, to the signal's name. */
  readonly #keys = new Map<string, string>();

  /** @throws {TypeError} if a signal's unit is not one of `parseUnit` */
  constructor(catalog: Catalog) {
    this.catalog = catalog;
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
