import { assertEquals } from "@std/assert";
import { FleetColumns } from "./decode_frame.ts";
import { countFleet } from "./fleet_filter.ts";
import { type LiveInput, liveState } from "./live_state.ts";

const live: LiveInput = {
  link: "open",
  heardAt: 100_000,
  pause: null,
  wall: 100_100,
  now: 1_000_100,
  vehicles: 2000,
  newestAppend: 999_700,
  newestTime: 999_650,
};

Deno.test("live_state: every state has its word", () => {
  const words = (given: Partial<LiveInput>) => {
    const { tone, word, detail } = liveState({ ...live, ...given });
    return [tone, word, detail];
  };
  assertEquals(words({}), ["live", "Live", "2,000 vehicles · 0.4 s behind"]);
  assertEquals(words({ link: null }), ["still", "Snapshot", ""]);
  assertEquals(words({ link: "connecting" })[0], "connecting");
  assertEquals(words({ vehicles: 0 }), ["live", "Live", "no vehicle yet"]);
  assertEquals(words({ now: 1_012_000 })[0], "delayed");
  assertEquals(words({ wall: 102_500 })[0], "delayed");
  assertEquals(words({ now: 1_119_700 }), [
    "delayed",
    "No new data",
    "2,000 vehicles · newest 2 min 00 s ago",
  ]);
  assertEquals(words({ link: "lost", wall: 107_000 }), [
    "lost",
    "Reconnecting",
    "no connection for 7 s",
  ]);
  assertEquals(words({ newestTime: 1 })[1], "Live, replayed data");
  assertEquals(words({ pause: { at: 1, samples: 1204, anomalies: 1 } }), [
    "paused",
    "Paused",
    "+1,204 samples, +1 anomaly",
  ]);
});

Deno.test("live_state: data are replayed if what came last is old by its own time", () => {
  const columns = new FleetColumns();
  const now = 1_000_000_000;
  const hold = (number: number, append: number, at: number) => {
    columns.name(number, `VH-${number}`);
    columns.append[number] = append;
    columns.at[number] = at;
  };
  const word = () => {
    const { vehicles, newest, newestTime } = countFleet(columns);
    const told = { vehicles, newestAppend: newest, newestTime };
    return liveState({ ...live, now: now + 100, ...told }).word;
  };
  hold(0, now, now - 86_400_000);
  assertEquals(word(), "Live, replayed data");
  // One that was live a minute ago and has ended since changes nothing; one that is live does.
  hold(1, now - 60_000, now - 60_000);
  assertEquals(word(), "Live, replayed data");
  hold(2, now - 1_000, now - 1_000);
  assertEquals(word(), "Live");
});
