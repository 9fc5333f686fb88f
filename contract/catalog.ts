/**
 * The signal catalog: which signals exist, in which unit and range, and under which keys they come.
 *
 * Pure data; `rules-wasm/language/catalog_file.ts` reads `signals.yaml` into it.
 */

/** What a signal's value is. */
export type SignalType = "number" | "boolean" | "name";

/** One signal. Its index in `Catalog.signals` is its number everywhere. */
export interface Signal {
  /** Short name used in rules, lower case, dots and underscores allowed (`speed`, `gps.speed`). */
  readonly name: string;
  readonly type: SignalType;
  /** Unit of its values as the unit checker writes it (`km/h`, `degC`, `%`); "" for none. */
  readonly unit: string;
  /** Least possible value; a number below it is missing and counted. */
  readonly min: number;
  /** Greatest possible value; a number above it is missing and counted. */
  readonly max: number;
  /** Age in milliseconds beyond which the last value is unknown; Infinity for `never`. */
  readonly staleAfterMs: number;
  /** Names that a signal of type "name" may take; a value is the index into it. */
  readonly names: readonly string[];
  /** Keys on the wire, the signal's own name first; nested objects read as dotted names. */
  readonly keys: readonly string[];
  /** COVESA VSS path, also accepted as a key; "" for none. */
  readonly vss: string;
  /** One sentence for people. */
  readonly description: string;
}

/** The catalog: signals plus the keys under which vehicle and time come. */
export interface Catalog {
  readonly signals: readonly Signal[];
  /** Keys of the vehicle id, in no order: the last in the text counts. */
  readonly vehicleKeys: readonly string[];
  /** Keys of the device's time. */
  readonly timeKeys: readonly string[];
}

/** Default of `Signal.staleAfterMs`. */
export const STALE_AFTER_MS_DEFAULT = 60_000;

/**
 * The number of the signal of that name.
 *
 * @returns its index in `catalog.signals`, or -1
 */
export function signalIndex(catalog: Catalog, name: string): number {
  return catalog.signals.findIndex((signal) => signal.name === name);
}
