import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { OperationalEvent } from "../contract/events.ts";
import { loadMapping, MappingFaults } from "./mapping.ts";
import { openMapping, readRecordings } from "./recording.ts";
import { RecordingError } from "./recording_file.ts";
import { replay, type ReplayOptions } from "./replay.ts";
import { FakeClock, MemoryBus, realData, shippedCatalog, withFolder } from "./test_support.ts";

const catalog = shippedCatalog();
const NOW = 1_790_000_000_000;

interface Setup {
  readonly bus: MemoryBus;
  readonly clock: FakeClock;
  readonly events: OperationalEvent[];
  readonly stop: AbortController;
}

function setup(): Setup {
  return {
    bus: new MemoryBus(),
    clock: new FakeClock(NOW),
    events: [],
    stop: new AbortController(),
  };
}

function options(
  { bus, clock, events, stop }: Setup,
  more: Partial<ReplayOptions> = {},
): ReplayOptions {
  return {
    bus,
    topic: "vehicle.telemetry",
    catalog,
    mapping: null,
    speed: "max",
    rebase: null,
    now: clock.now,
    sleep: clock.sleep,
    signal: stop.signal,
    events: (event) => events.push(event),
    ...more,
  };
}

async function gzip(text: string): Promise<Uint8Array> {
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

const CSV = `vehicle,ts,speed,fuel,note
a,1763886400000,10,,"x, y"
b,1763886400500,20,50,
a,1763886401000,11,49,
`;

Deno.test("replay: CSV with known columns, plain and gzip, is one record a vehicle", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a.csv`, CSV.replaceAll("\n", "\r\n"));
    await Deno.writeFile(`${folder}/b.dat`, await gzip(CSV));
    for (const name of ["a.csv", "b.dat"]) {
      const test = setup();
      const result = await replay([`${folder}/${name}`], options(test));
      assertEquals(test.bus.published.map(({ key, value }) => [key, value]), [
        [
          "a",
          `{"vehicle":"a","ts":1763886400000,"speed":10,"note":"x, y"}\n` +
          `{"vehicle":"a","ts":1763886401000,"speed":11,"fuel":49}`,
        ],
        ["b", `{"vehicle":"b","ts":1763886400500,"speed":20,"fuel":50}`],
      ]);
      assertEquals([result.rows, result.vehicles, result.complete], [3, 2, true]);
      assertEquals([result.firstMs, result.lastMs], [1763886400000, 1763886401000]);
    }
  });
});

Deno.test("replay: NDJSON goes on the bus byte for byte, broken lines too", async () => {
  await withFolder(async (folder) => {
    const lines = [
      `{"vehicle":"a","ts":1763886400000,"speed":1.50}`,
      `{"vehicle_id":"b","timestamp":"2025-03-01T12:00:00","gps":{"lat":28.6}}`,
      `{"vehicle":"a","ts":1763886400`,
      `{"speed":5,"ts":1763886400000}`,
      `{"vehicle":"a","ts":"soon"}`,
      `[1]`,
      `{"vehicle":"a","ts":1763886402000}`,
    ];
    await Deno.writeTextFile(`${folder}/x.ndjson`, "\ufeff" + lines.join("\r\n") + "\n\n");
    const test = setup();
    const result = await replay([`${folder}/x.ndjson`], options(test));
    const plain = (text: string) => text.replaceAll("\r", "");
    assertEquals(test.bus.linesOf("a").map(plain), [lines[0], lines[4], lines[6]]);
    assertEquals(test.bus.linesOf("b").map(plain), [lines[1]]);
    assertEquals(test.bus.linesOf(null).map(plain), [lines[2], lines[3], lines[5]]);
    const { rows, withoutTime, withoutVehicle, malformed } = result;
    assertEquals({ rows, withoutTime, withoutVehicle, malformed }, {
      rows: 7,
      withoutTime: 1,
      withoutVehicle: 1,
      malformed: 2,
    });
  });
});

Deno.test("replay: at a speed, rows come at their times over the speed, in few publishes", async () => {
  await withFolder(async (folder) => {
    const rows = Array.from({ length: 100 }, (_, i) => `a,${1763886400000 + i * 1000},${i}`);
    await Deno.writeTextFile(`${folder}/a.csv`, `vehicle,ts,speed\n${rows.join("\n")}\n`);
    for (const [speed, seconds] of [[1, 99], [10, 9.9], [0.5, 198]]) {
      const test = setup();
      const arrivals: number[] = [];
      test.bus.onPublish = () => void arrivals.push(test.clock.ms - NOW);
      await replay([`${folder}/a.csv`], options(test, { speed }));
      assertEquals(test.bus.lines().length, 100);
      assertEquals(arrivals.length, 100);
      arrivals.forEach((ms, i) => {
        assert(Math.abs(ms - i * 1000 / speed) <= 60, `row ${i} at ${ms} ms, speed ${speed}`);
      });
      assert(Math.abs((test.clock.ms - NOW) / 1000 - seconds) < 0.2);
    }
  });
});

Deno.test("replay: rebased times end at the present and keep their distances", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a.csv`, CSV);
    await Deno.writeTextFile(
      `${folder}/a.ndjson`,
      `{"vehicle":"a","ts":1763886400000}\n` +
        `{"vehicle":"a","timestamp":"2025-11-23T08:26:41Z","gps":{"lat":1}}\n`,
    );
    const times = async (name: string, speed: number | "max") => {
      const test = setup();
      await replay([`${folder}/${name}`], options(test, { speed, rebase: "now" }));
      const ts = test.bus.lines().map((line) => JSON.parse(line).ts - NOW).sort((a, b) => a - b);
      return [ts, test.clock.ms - NOW];
    };
    assertEquals((await times("a.csv", "max"))[0], [-1000, -500, 0]);
    assertEquals((await times("a.csv", 1))[0], [0, 500, 1000]);
    assertEquals((await times("a.csv", 10))[0], [-900, -400, 100]);
    assertEquals((await times("a.ndjson", "max"))[0], [-1000, 0]);
  });
});

Deno.test("replay: several files are merged by time, and each keeps its own order", async () => {
  await withFolder(async (folder) => {
    const write = (name: string, rows: readonly (readonly [string, number | string])[]) =>
      Deno.writeTextFile(
        `${folder}/${name}`,
        "vehicle,ts\n" + rows.map((row) => row.join(",")).join("\n"),
      );
    await write("1.csv", [["a", 1000], ["a", 3000], ["a", "bad"], ["a", 2000], ["a", 9000]]);
    await write("2.csv", [["b", 500], ["b", 2500], ["b", 8000]]);
    const test = setup();
    const order: string[] = [];
    test.bus.onPublish = () => {};
    await replay([`${folder}/1.csv`, `${folder}/2.csv`], options(test, { speed: 1 }));
    for (const { value } of test.bus.published) {
      for (const line of value.split("\n")) {
        const { vehicle, ts } = JSON.parse(line);
        order.push(`${vehicle}${ts}`);
      }
    }
    assertEquals(order, [
      "b500",
      "a1000",
      "b2500",
      "a3000",
      "abad",
      "a2000",
      "b8000",
      "a9000",
    ]);
  });
});

Deno.test("replay: a clock that leaps years ahead and back is not waited for", async () => {
  await withFolder(async (folder) => {
    const start = 1763886400000;
    const far = Date.UTC(2099, 0, 1);
    const times = [start, start + 1000, far, far + 1000, start + 4000, start + 5000];
    const csv = (id: string) => "vehicle,ts\n" + times.map((ts) => `${id},${ts}`).join("\n");
    await Deno.writeTextFile(`${folder}/a.csv`, csv("a"));
    await Deno.writeTextFile(`${folder}/b.csv`, csv("b"));
    for (const files of [[`${folder}/a.csv`], [`${folder}/a.csv`, `${folder}/b.csv`]]) {
      const test = setup();
      await replay(files, options(test, { speed: 1 }));
      assert(Math.abs(test.clock.ms - NOW - 5000) < 200, `${test.clock.ms - NOW} ms`);
      assertEquals(test.bus.linesOf("a").map((line) => JSON.parse(line).ts), times);
    }
  });
});

Deno.test("replay: ended early, what was read is published and the result says so", async () => {
  await withFolder(async (folder) => {
    const rows = Array.from({ length: 1000 }, (_, i) => `a,${1763886400000 + i * 1000}`);
    await Deno.writeTextFile(`${folder}/a.csv`, `vehicle,ts\n${rows.join("\n")}\n`);
    const test = setup();
    test.bus.onPublish = () => {
      if (test.bus.publishes === 5) test.stop.abort();
    };
    const result = await replay([`${folder}/a.csv`], options(test, { speed: 1 }));
    assertEquals(result.complete, false);
    assertEquals(test.bus.lines().length, result.rows);
    assertEquals(result.rows, 5);
  });
});

Deno.test("replay: memory is bounded, records stay below the bus's limit", async () => {
  await withFolder(async (folder) => {
    const note = "n".repeat(900);
    const rows = Array.from({ length: 5000 }, (_, i) => `a,${1763886400000 + i},${note}`);
    await Deno.writeTextFile(`${folder}/a.csv`, `vehicle,ts,note\n${rows.join("\n")}\n`);
    const test = setup();
    const progress: number[] = [];
    const result = await replay(
      [`${folder}/a.csv`],
      options(test, { onProgress: ({ rows }) => progress.push(rows) }),
    );
    assertEquals(test.bus.lines().length, 5000);
    assertEquals(result.rows, 5000);
    assertEquals(test.bus.publishes, 2);
    assertEquals(progress.at(-1), 5000);
    for (const { value } of test.bus.published) assert(value.length <= 512 * 1024);
    const order = test.bus.lines().map((line) => JSON.parse(line).ts);
    assertEquals(order, [...order].sort((a, b) => a - b));
  });
});

Deno.test("replay: faults of mapping and file say what, where and what to do", async () => {
  await withFolder(async (folder) => {
    const test = setup();
    await Deno.writeTextFile(`${folder}/a.csv`, "t,spd\n1,2\n");
    await Deno.writeTextFile(`${folder}/empty.csv`, "");
    const packed = await gzip(CSV.repeat(1000));
    await Deno.writeFile(`${folder}/cut.csv.gz`, packed.subarray(0, packed.length - 30));
    const unmapped = await assertRejects(
      () => replay([`${folder}/a.csv`], options(test)),
      RecordingError,
    );
    assertStringIncludes(unmapped.message, "--map");
    const result = loadMapping(
      "version: 1\nvehicle: { constant: x }\ntime: { column: t, format: epoch-s }\n" +
        "columns: { speed: speed }\n",
      { file: "m.yaml", catalog },
    );
    assert(result.ok);
    const misfit = await assertRejects(
      () => replay([`${folder}/a.csv`], options(test, { mapping: result.mapping })),
      MappingFaults,
    );
    assertStringIncludes(misfit.message, "m.yaml:4:12: Cannot find the column");
    const cases: [string, string][] = [
      ["nowhere.csv", "there is no such file"],
      ["empty.csv", "it is empty"],
      ["cut.csv.gz", "damaged or cut off"],
    ];
    for (const [name, part] of cases) {
      const fault = await assertRejects(
        () => replay([`${folder}/${name}`], options(test)),
        RecordingError,
      );
      assertStringIncludes(fault.message, part);
      assertStringIncludes(fault.message, name);
    }
  });
});

Deno.test("replay: rows that are too long are left out, counted and told", async () => {
  await withFolder(async (folder) => {
    const long = `a,1763886400000,${"x".repeat(1_200_000)}`;
    await Deno.writeTextFile(`${folder}/a.csv`, `vehicle,ts,note\n${long}\na,1763886401000,y\n`);
    const test = setup();
    const result = await replay([`${folder}/a.csv`], options(test));
    assertEquals([result.rows, result.skipped], [1, 1]);
    assertEquals(test.events.map(({ name }) => name), ["replay.skipped"]);
    assertStringIncludes(test.events[0].message, "a.csv:2");
  });
});

Deno.test("replay: NDJSON of any length comes line by line; one that is too long is left out", async () => {
  await withFolder(async (folder) => {
    const sample = (i: number) => `{"vehicle":"v${i % 7}","ts":${1763886400000 + i},"n":${i}}`;
    const lines = Array.from({ length: 4000 }, (_, i) => sample(i));
    const long = `{"vehicle":"x","ts":1,"n":"${"y".repeat(1_500_000)}"}`;
    const text = [...lines.slice(0, 2000), long, ...lines.slice(2000)].join("\n");
    for (const [name, body] of [["a.ndjson", text], ["b.ndjson.gz", await gzip(text)]] as const) {
      const path = `${folder}/${name}`;
      if (typeof body === "string") await Deno.writeTextFile(path, body);
      else await Deno.writeFile(path, body);
      const test = setup();
      const result = await replay([path], options(test));
      assertEquals([result.rows, result.skipped, result.malformed], [4000, 1, 0], name);
      assertStringIncludes(test.events[0].message, `${name}:2001`);
      for (let v = 0; v < 7; v++) {
        assertEquals(test.bus.linesOf(`v${v}`), lines.filter((_, i) => i % 7 === v), name);
      }
    }
  });
});

Deno.test("recordings: a back-test reads the same rows as whole lines", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/a.csv`, CSV);
    const raw = `{"vehicle":"a","ts":1}\n{broken\n{"vehicle":"b","ts":2}`;
    await Deno.writeTextFile(`${folder}/b.ndjson`, raw);
    let text = "";
    const paths = [`${folder}/a.csv`, `${folder}/b.ndjson`];
    const blocks = readRecordings(paths, { mapping: "", catalog, events: () => {} });
    for await (const block of blocks) {
      assertEquals(block.at(-1), 0x0a);
      text += new TextDecoder().decode(block);
    }
    const lines = text.trimEnd().split("\n");
    assertEquals(lines.length, 6);
    assertEquals(lines.slice(3).join("\n"), raw);
  });
});

const data = realData();
const reason = "real recordings are not here: ../shared/data";

Deno.test({
  name: `replay: the OBD2 and GPS drive comes whole, without positions before the fix` +
    (data === null ? ` (skipped: ${reason})` : ""),
  ignore: data === null,
  fn: async () => {
    const test = setup();
    const mapping = openMapping("css_obd2_gps_1hz", catalog);
    const file = `${data}a3_css_obd2_gps_drive/decoded_1hz.csv.gz`;
    const result = await replay([file], options(test, { mapping }));
    assertEquals([result.rows, result.vehicles, result.skipped], [5231, 1, 0]);
    assertEquals(test.events, []);
    const samples = test.bus.linesOf("css-1").map((line) => JSON.parse(line));
    assertEquals(samples.length, 5231);
    assertEquals(samples.filter(({ gps_valid, lat }) => gps_valid === false && lat).length, 0);
    assertEquals(samples.filter(({ gps_valid }) => gps_valid === false).length, 144);
    assert(samples.some(({ lat, lon }) => lat > 55 && lon > 9));
    assertEquals(samples.filter(({ altitude }) => altitude < -5000).length, 0);
    assertEquals(samples[0].ts, 1627274455000);
  },
});

Deno.test({
  name: `replay: the electric car's corrupt times reach the bus as they are` +
    (data === null ? ` (skipped: ${reason})` : ""),
  ignore: data === null,
  fn: async () => {
    const test = setup();
    const mapping = openMapping("twizy", catalog);
    const files = [...Deno.readDirSync(`${data}a4_twizy_ev`)].map(({ name }) => name)
      .filter((name) => name.endsWith(".csv.gz")).sort()
      .map((name) => `${data}a4_twizy_ev/${name}`);
    const result = await replay(files, options(test, { mapping }));
    assertEquals([result.rows, result.withoutTime, result.skipped], [55_645, 170, 0]);
    assertEquals(test.bus.lines().filter((line) => line.includes(`"lon":1555.6`)).length, 3);
  },
});

Deno.test({
  name: `replay: the labelled drives keep every acceleration event` +
    (data === null ? ` (skipped: ${reason})` : ""),
  ignore: data === null,
  fn: async () => {
    const test = setup();
    const mapping = openMapping("driveplotr", catalog);
    const result = await replay(
      [`${data}a2_nds_driveplotr/nds_data.csv.gz`],
      options(test, { mapping }),
    );
    assertEquals([result.rows, result.vehicles, result.withoutTime], [23_187, 28, 0]);
    let events = 0;
    const limit = 3.4323275;
    for (const vehicle of new Set(test.bus.published.map(({ key }) => key))) {
      let inside = false;
      for (const line of test.bus.linesOf(vehicle)) {
        const { accel_x = 0, accel_y = 0 } = JSON.parse(line);
        const over = Math.max(Math.abs(accel_x), Math.abs(accel_y)) >= limit;
        if (over && !inside) events++;
        inside = over;
      }
    }
    assertEquals(events, 107);
  },
});
