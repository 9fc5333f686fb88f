import { conformance } from "../../bus/conformance.ts";
import { Seeded } from "../seeded.ts";
import { Broker } from "./broker.ts";
import { Machine, Process } from "./process.ts";
import { SimBus } from "./sim_bus.ts";
import { World } from "./world.ts";

/** A world whose time is the real one, for cases that wait for it. */
class LiveWorld extends World {
  #timer: ReturnType<typeof setTimeout> | null = null;
  #running: Promise<void> = Promise.resolve();
  #over = false;

  constructor(seed: number) {
    super(seed);
    this.now = Date.now();
    this.#turn();
  }

  async stop(): Promise<void> {
    this.#over = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    await this.#running;
  }

  #turn(): void {
    this.#timer = setTimeout(() => {
      this.#running = this.#run();
    }, 1);
  }

  async #run(): Promise<void> {
    const until = Date.now();
    while (!this.#over && this.nextAt <= until) await this.step();
    this.now = Date.now();
    if (!this.#over) this.#turn();
  }
}

const KINDS = [
  { name: "moves what it must, fences at once", markers: false, eager: false, fencesAtOnce: true },
  { name: "takes all away, uses up offsets", markers: true, eager: true, fencesAtOnce: false },
];

for (const { name, ...kind } of KINDS) {
  conformance(`simulated bus, ${name}`, () => {
    const world = new LiveWorld(1);
    const habits = { ...kind, expiryMs: 1_000, mutant: "none" } as const;
    const broker = new Broker(() => world.now, habits, new Seeded(1));
    let machines = 0;
    const open = () => {
      const machine = new Machine(machines++, 1, () => null);
      const process = new Process(world, machine, { latencyMs: 2, timeoutMs: 500, workMs: 0 });
      return new SimBus(broker, process, { batchRecords: 500, ahead: kind.eager, beatMs: 20 });
    };
    const bus = open();
    return Promise.resolve({
      bus,
      another: () => Promise.resolve(open()),
      forget: (topic, partition, before) =>
        Promise.resolve(broker.forget(topic, partition, before)),
      async close() {
        await bus.close();
        await world.stop();
      },
    });
  });
}
