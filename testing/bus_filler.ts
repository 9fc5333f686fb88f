/**
 * A process for tests of the bus on a disk without room: publishes numbered records one by one.
 *
 * Arguments: folder, count, bytes of a record. On stdout a line of JSON each: `{"published": N}`,
 * `{"failed": MESSAGE, "read": RECORDS}`; after a failure it waits for a line on stdin and goes on
 * with the same record. Ends with `{"done": true}`.
 */
import { everything } from "../bus/conformance_support.ts";
import { openEmbeddedBus } from "../bus/embedded_bus.ts";

function say(line: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${JSON.stringify(line)}\n`));
}

if (import.meta.main) {
  const [dir, count, size] = Deno.args;
  const bus = await openEmbeddedBus({ dir, fsync: "always" }, { now: Date.now, events: () => {} });
  for (let i = 0; i < Number(count);) {
    const value = new TextEncoder().encode(String(i).padEnd(Number(size), "."));
    try {
      await bus.publish([{ topic: "t", records: [{ key: null, value, partition: 0 }] }]);
      say({ published: i++ });
    } catch (error) {
      const message = `${error instanceof Error ? `${error.name}: ${error.message}` : error}`;
      say({ failed: message, read: (await everything(bus, "t")).length });
      await Deno.stdin.read(new Uint8Array(64));
    }
  }
  await bus.close();
  say({ done: true });
}
