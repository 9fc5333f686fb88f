/** The vehicles of an engine by their slots: what they are called, and which rules are for them. */
import type { VehicleText } from "./anomaly_json.ts";
import type { EngineCalls, EngineMemory } from "./engine_memory.ts";
import type { EngineOptions } from "./kernel_engine.ts";
import type { RuleSet } from "./language/ast.ts";
import type { Scanner } from "./scanner_port.ts";
import { vehicleFilter } from "./vehicle_filter.ts";

/** A vehicle as transitions name it. */
export interface SlotVehicle extends VehicleText {
  readonly key: Uint8Array;
}

const TEXT = new TextEncoder();

/** Follows the slots that a kernel gives to vehicles. */
export class EngineSlots {
  /** Ids by slot, decoded when first needed. */
  readonly #vehicles: SlotVehicle[] = [];
  #slots = 0;
  /** Slots given free; the scanner gives the last of them to the next new vehicle. */
  readonly #freed: number[] = [];
  #filters: readonly ((vehicle: string) => boolean)[] = [];
  /** Vehicles that turned up outside their partition. */
  misplaced = 0;

  constructor(
    readonly calls: EngineCalls,
    readonly memory: EngineMemory,
    readonly scanner: Scanner,
    readonly options: EngineOptions,
  ) {}

  /** Vehicles with state. */
  get count(): number {
    return this.memory.slots - this.#freed.length;
  }

  /** The vehicle in a slot. */
  vehicle(slot: number): SlotVehicle {
    const known = this.#vehicles[slot];
    if (known !== undefined) return known;
    const id = this.scanner.vehicle(slot);
    return this.#vehicles[slot] = { id, json: JSON.stringify(id), key: TEXT.encode(id) };
  }

  /** Sets which rules are for the vehicles that come. */
  filterNew({ rules }: RuleSet): void {
    this.#filters = rules.filter((rule) => rule.vehicles.length > 0)
      .map((rule) => vehicleFilter(rule.vehicles));
  }

  /** Sets which rules, by their patterns in another plan, are for all vehicles. */
  filterAll(ruleSet: RuleSet): void {
    this.filterNew(ruleSet);
    for (let slot = 0; slot < this.#slots; slot++) {
      if (this.scanner.inUse(slot)) this.#setFilters(slot);
    }
  }

  /** Gives new vehicles their state, and tells which rules are for them. */
  addNew(): void {
    const { slots } = this.memory;
    if (slots > this.#slots) {
      this.calls.addVehicles(slots);
      this.welcomeLoaded();
    }
    for (
      let slot = this.#freed.at(-1);
      slot !== undefined && this.scanner.inUse(slot);
      slot = this.#freed.at(-1)
    ) {
      this.#freed.pop();
      this.#welcome(slot);
    }
  }

  /** Takes over vehicles that have their state already. */
  welcomeLoaded(): void {
    const { slots } = this.memory;
    for (let slot = this.#slots; slot < slots; slot++) this.#welcome(slot);
    this.#slots = slots;
  }

  /** A vehicle is forgotten: its slot is given to another. */
  free(slot: number): void {
    this.scanner.free(slot);
    delete this.#vehicles[slot];
    this.#freed.push(slot);
  }

  /** A vehicle is new in a slot: is it in its partition, and which rules are for it? */
  #welcome(slot: number): void {
    const { partition, partitionOf } = this.options;
    if (partitionOf && partitionOf(this.vehicle(slot).key) !== partition) this.misplaced++;
    this.#setFilters(slot);
  }

  #setFilters(slot: number): void {
    const filters = this.#filters;
    if (filters.length === 0) return;
    const { id } = this.vehicle(slot);
    for (let word = 0; word * 32 < filters.length; word++) {
      let bits = 0;
      for (let bit = 0; bit < 32 && word * 32 + bit < filters.length; bit++) {
        if (filters[word * 32 + bit](id)) bits |= 1 << bit;
      }
      this.calls.setFilter(slot, word, bits);
    }
  }
}
