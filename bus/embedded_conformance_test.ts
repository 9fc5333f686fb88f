import { conformance } from "./conformance.ts";
import { openEmbeddedBus } from "./embedded_bus.ts";

/** The clock that the bus is given: the wall clock, which a case may push forward. */
class Clock {
  aheadMs = 0;
  readonly now = () => Date.now() + this.aheadMs;
}

for (const fsync of ["always", "interval"] as const) {
  conformance(`embedded bus, fsync ${fsync}`, async () => {
    const dir = await Deno.makeTempDir({ prefix: "kilter-bus-" });
    const clock = new Clock();
    const open = () =>
      openEmbeddedBus(
        { dir, fsync, expiryMs: 1_000, retainEveryMs: 0 },
        { now: clock.now, events: () => {} },
      );
    const bus = await open();
    return {
      bus,
      another: open,
      async forget() {
        clock.aheadMs += 3_600_000;
        while ((await bus.retain()).more);
      },
      async close() {
        await bus.close();
        await Deno.remove(dir, { recursive: true });
      },
    };
  });
}
