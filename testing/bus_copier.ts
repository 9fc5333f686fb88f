/**
 * A process for tests of the bus: copies a topic by steps, and says each one that was committed.
 *
 * Arguments: folder, input, output and progress topic, bytes in flight, silence after which it is
 * taken for dead in milliseconds, and "" or a file: after ten steps the thread then hangs, before it
 * commits the next, until that file is there. On stdout:
 * `lease P`, `lost P`, `step P NEXT`, `hangs P`, `fenced P`.
 */
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import { FencedError, type Lease } from "../bus/port.ts";

const [dir, topic, output, progressTopic, bytesInFlight, expiryMs, until] = Deno.args;
const HANG_AFTER_STEPS = 10;
let steps = 0;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function say(line: string): void {
  Deno.stdout.writeSync(encoder.encode(`${line}\n`));
}

/** Blocks the thread, as a loop that does not end would. */
function hangUntil(path: string): void {
  const nothing = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    try {
      Deno.statSync(path);
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
      Atomics.wait(nothing, 0, 0, 10);
    }
  }
}

async function copy(lease: Lease): Promise<void> {
  const { partition } = lease;
  say(`lease ${partition}`);
  const progress = await lease.progress();
  try {
    const from = progress === null ? 0 : Number(decoder.decode(progress));
    for await (const batch of lease.read(from)) {
      if (batch === null) continue;
      const records = Array.from(batch.valueEnds, (end, i) => ({
        key: null,
        value: batch.values.slice(i === 0 ? 0 : batch.valueEnds[i - 1], end),
        partition,
      }));
      const nextOffset = batch.nextOffset;
      if (until !== "" && steps++ === HANG_AFTER_STEPS) {
        say(`hangs ${partition}`);
        hangUntil(until);
      }
      await lease.commit({
        nextOffset,
        outputs: [{ topic: output, records }],
        progress: encoder.encode(String(nextOffset)),
      });
      say(`step ${partition} ${nextOffset}`);
    }
  } catch (error) {
    if (!(error instanceof FencedError)) throw error;
    say(`fenced ${partition}`);
  }
  say(`lost ${partition}`);
}

const bus = await openEmbeddedBus({ dir, fsync: "always", expiryMs: Number(expiryMs) }, {
  now: () => Date.now(),
  events: () => {},
});
const { signal } = new AbortController();
const options = {
  topic,
  group: "copiers",
  progressTopic,
  // Few bytes make many steps.
  bytesInFlight: Number(bytesInFlight),
  signal,
};
const copies: Promise<void>[] = [];
for await (const lease of bus.lease(options)) copies.push(copy(lease));
