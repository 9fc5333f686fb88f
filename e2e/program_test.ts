/** The whole program on the embedded bus: started, killed, fed, refused. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openEmbeddedBus } from "../bus/embedded_bus.ts";
import { decodeProgress } from "../contract/progress.ts";
import { DEAD_LETTER_HEADERS, TOPICS } from "../contract/topics.ts";
import { anomalies, Program, runKilter, until, withFolder } from "./program.ts";

const RECORDING = new URL(
  "../../shared/data/a3_css_obd2_gps_drive/decoded_1hz.csv.gz",
  import.meta.url,
);

Deno.test("dev: after kill -9 a restart goes on, with the anomalies of before still there", () =>
  withFolder(async (data) => {
    const first = await Program.serve(["dev", "--vehicles", "100"], data);
    await until(
      "anomalies come",
      async () => (await anomalies(first)).length >= 3,
      () => first.report(),
    );
    const before = await anomalies(first);
    await first.kill("SIGKILL");
    await using second = await Program.serve(["dev", "--vehicles", "100"], data);
    await until("the old anomalies are listed", async () => {
      const ids = new Set((await anomalies(second)).map(({ id }) => id));
      return before.every(({ id }) => ids.has(id));
    }, () => second.report());
    const listed = (await anomalies(second)).map(({ id }) => id);
    assertEquals(new Set(listed).size, listed.length, "none is there twice");
  }));

Deno.test("dev: SIGTERM ends it with exit code 0", () =>
  withFolder(async (data) => {
    const program = await Program.serve(["dev", "--vehicles", "10"], data);
    assertEquals(await program.kill("SIGTERM"), 0);
  }));

Deno.test("backtest: byte-identical again and again, whatever the size of batches, and in threads", () =>
  withFolder(async (dir) => {
    const file = `${dir}/fleet.ndjson`;
    const made = await runKilter(
      ["simulate", "--out", file, "--vehicles", "50", "--duration", "10 min"],
      [dir],
    );
    assertEquals(made.code, 0, made.stderr);
    const outputs: string[] = [];
    const sizes = ["1", "7", "1000", "100000", "1000"].map((size) => ["--batch-records", size]);
    for (const flags of [...sizes, ["--workers", "2"], ["--workers", "5"]]) {
      const run = await runKilter(["backtest", "--input", file, ...flags]);
      assertEquals(run.code, 0, run.stderr);
      outputs.push(run.stdout);
    }
    assert(outputs[0].split("\n").length > 5, `too few transitions:\n${outputs[0]}`);
    for (const output of outputs) assertEquals(output, outputs[0]);
  }));

Deno.test("kill -9 again and again: the anomalies are those of a back-test of the log, each once", () =>
  withFolder(async (data) => {
    for (let kills = 1; kills <= 3; kills++) {
      // Another fleet each time: faults of the same one would stand open already.
      const args = ["dev", "--vehicles", "100", "--seed", String(kills)];
      const program = await Program.serve(args, data);
      const enough = kills * 4;
      await until(
        "anomalies come",
        async () => (await anomalies(program)).length >= enough,
        () => program.report(),
      );
      await program.kill("SIGKILL");
    }
    // Without the producer the log stands still, and the analysis reaches its end.
    const last = await Program.serve(["start"], data);
    await until("all is consumed", () => consumed(data), () => last.report());
    assertEquals(await last.kill("SIGTERM"), 0);
    const run = await runKilter(["backtest", "--data", data], [data]);
    assertEquals(run.code, 0, run.stderr);
    const live = await topicTexts(data, TOPICS.anomalies);
    assert(live.length >= 12);
    assertEquals(live.sort(), run.stdout.split("\n").filter((line) => line !== "").sort());
  }));

Deno.test("a poison record goes to the dead letters with its reason; its neighbours are evaluated", () =>
  withFolder(async (data) => {
    await using program = await Program.serve(["start"], data);
    const bus = await openEmbeddedBus({ dir: data, fsync: "always" }, {
      now: Date.now,
      events() {},
    });
    const now = Date.now();
    const sample = (vehicle: string, t: number) =>
      `{"vehicle":"${vehicle}","ts":${t},"speed":150,"battery":13,"rpm":2000}`;
    const bad: readonly (readonly [string, string | Uint8Array])[] = [
      ["malformed-json", '{"vehicle":"x","ts":'],
      ["malformed-json", '{"vehicle":"x","ts":NaN}'],
      ["invalid-utf8", Uint8Array.of(0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d)],
      ["not-an-object", `${"[".repeat(1000)}${"]".repeat(1000)}`],
      ["no-vehicle", `{"ts":${now}}`],
      ["bad-vehicle-id", `{"vehicle":"${"v".repeat(10_000)}","ts":${now}}`],
      ["no-time", '{"vehicle":"x","ts":"yesterday"}'],
      ["impossible-time", '{"vehicle":"x","ts":-1}'],
      ["clock-ahead", `{"vehicle":"x","ts":${Date.UTC(2099, 0, 1)}}`],
    ];
    const text = new TextEncoder();
    const record = (value: string | Uint8Array) => ({
      key: text.encode("k"),
      value: typeof value === "string" ? text.encode(value) : value,
    });
    const records = bad.flatMap(([, value], i) => [
      record(value),
      record(sample(`near-${i}`, now - 6_000)),
      record(sample(`near-${i}`, now)),
    ]);
    // Within one record too: the line after a broken one is a neighbour like any other.
    records.push(
      record(
        `{"vehicle":"x","ts":\n${sample("near-line", now - 6_000)}\n[1\n${
          sample("near-line", now)
        }`,
      ),
    );
    await bus.publish([{ topic: TOPICS.telemetry, records }]);
    const vehicles = new Set([...bad.map((_, i) => `near-${i}`), "near-line"]);
    await until("every neighbour speeds", async () => {
      const found = await anomalies(program);
      return [...vehicles].every((id) =>
        found.some((a) => a.vehicle === id && a.rule === "overspeed")
      );
    }, () => program.report());
    const reasons: string[] = [];
    for (const [partition, { start, end }] of (await bus.bounds(TOPICS.deadLetters)).entries()) {
      for await (const batch of bus.range(TOPICS.deadLetters, partition, start, end)) {
        for (let i = 0; i < batch.count; i++) {
          reasons.push(batch.headers(i)[DEAD_LETTER_HEADERS.reason]);
        }
      }
    }
    const expected = [...bad.map(([reason]) => reason), "malformed-json", "malformed-json"];
    assertEquals(reasons.sort(), expected.sort());
    await bus.close();
  }));

Deno.test("values that cannot be are missing: latitude 0 and longitude 1555 spoil nothing else", () =>
  withFolder(async (data) => {
    await using program = await Program.serve(["start"], data);
    const body = `{"vehicle":"v","ts":${Date.now()},"lat":0,"lon":1555.6,"speed":50,"speed":51}`;
    const answer = await program.json("/api/telemetry", { method: "POST", body });
    assertEquals(answer, { accepted: 1, refused: 0, refusals: [] });
    await until(
      "the vehicle is known",
      async () => (await fetch(`${program.url}/api/vehicles/v`).then(async (
        r,
      ) => (await r.text(), r.ok))),
    );
    const view = JSON.stringify(await program.json("/api/vehicles/v"));
    assertStringIncludes(view, '"lat":null');
    assertStringIncludes(view, '"speed":51');
  }));

Deno.test({
  name: `replay: a recorded drive raises what a count of its file says${
    exists(RECORDING) ? "" : " (skipped: the recordings are not beside the project)"
  }`,
  ignore: !exists(RECORDING),
  fn: () =>
    withFolder(async (data) => {
      const rules = `${data}/rules.yaml`;
      await Deno.writeTextFile(
        rules,
        "version: 1\nrules:\n  - id: fast-engine\n    when: rpm > 3000 rpm\n",
      );
      await using program = await Program.serve(["start", "--rules", rules], data);
      const replayed = await runKilter([
        ...["replay", RECORDING.pathname, "--map", "css_obd2_gps_1hz", "--speed", "max"],
        ...["--data", data],
      ], [data]);
      assertEquals(replayed.code, 0, replayed.stderr);
      assertStringIncludes(replayed.stderr, "replayed 5231 rows of 1 vehicles");
      const expected = await countRuns(RECORDING, "rpm_rpm", 3000);
      await until("as many anomalies open", async () =>
        (await anomalies(program)).length === expected, () =>
        program.report());
      const page = await (await fetch(`${program.url}/v/css-1`)).text();
      assertMatch(page, /css-1/);
    }),
});

Deno.test("wrong settings, rules, catalog: every fault at once, exit code 2, nothing started", () =>
  withFolder(async (dir) => {
    const rules = `${dir}/rules.yaml`;
    await Deno.writeTextFile(
      rules,
      "version: 1\nrules:\n  - id: a\n    when: sped > 3\n    fro: 5 s\n",
    );
    const wrong = await runKilter(["dev", "--port", "x", "--vehicels", "3", "--data", `${dir}/d`], [
      dir,
    ]);
    assertEquals([wrong.code, wrong.stdout], [2, ""]);
    assertStringIncludes(wrong.stderr, 'did you mean "vehicles"?');
    assertStringIncludes(wrong.stderr, "--port x");
    const faulty = await runKilter(
      ["start", "--port", "0", "--rules", rules, "--data", `${dir}/d`],
      [dir],
    );
    assertEquals(faulty.code, 2);
    assertStringIncludes(faulty.stderr, `${rules}:4:11`);
    assertStringIncludes(faulty.stderr, `${rules}:5:5`);
    assert(!exists(new URL(`file://${dir}/d`)), "nothing was started");
    assertEquals((await runKilter(["rules", "check", rules])).code, 2);
    assertEquals((await runKilter(["start", "--rules", `${dir}/none.yaml`])).code, 2);
    assertEquals((await runKilter(["frobnicate"])).code, 2);
  }));

Deno.test("what surrounds it fails: a port in use, a folder, a broker; one clear line, exit code 1", () =>
  withFolder(async (dir) => {
    using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = taken.addr;
    const used = await runKilter(["start", "--port", String(port), "--data", dir], [dir]);
    assertEquals(used.code, 1, used.stderr);
    assertStringIncludes(used.stderr, `127.0.0.1:${port}`);
    await Deno.writeTextFile(`${dir}/file`, "");
    const folder = await runKilter(["start", "--port", "0", "--data", `${dir}/file`], [dir]);
    assertEquals(folder.code, 1, folder.stderr);
    assertStringIncludes(folder.stderr, `${dir}/file`);
    using refused = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const broker = `127.0.0.1:${refused.addr.port}`;
    refused.close();
    const gone = await runKilter(["analysis", "--bus", "kafka", "--brokers", broker]);
    assertEquals(gone.code, 1, gone.stderr);
    assertStringIncludes(gone.stderr, broker);
  }));

/** Whether the committed progress of every partition has reached its end. */
async function consumed(dir: string): Promise<boolean> {
  const bus = await openEmbeddedBus({ dir, fsync: "always" }, { now: Date.now, events() {} });
  const ends = await bus.bounds(TOPICS.telemetry);
  const bounds = await bus.bounds(TOPICS.checkpoints);
  const next = ends.map(() => 0);
  for (const [partition, { start, end }] of bounds.entries()) {
    for await (const batch of bus.range(TOPICS.checkpoints, partition, start, end)) {
      const from = batch.count === 1 ? 0 : batch.valueEnds[batch.count - 2];
      const bytes = batch.values.subarray(from, batch.valueEnds[batch.count - 1]);
      next[partition] = decodeProgress(bytes).next;
    }
  }
  await bus.close();
  return ends.every(({ end }, partition) => next[partition] >= end);
}

async function topicTexts(dir: string, topic: string): Promise<string[]> {
  const bus = await openEmbeddedBus({ dir, fsync: "always" }, { now: Date.now, events() {} });
  const texts: string[] = [];
  const text = new TextDecoder();
  for (const [partition, { start, end }] of (await bus.bounds(topic)).entries()) {
    for await (const batch of bus.range(topic, partition, start, end)) {
      for (let i = 0; i < batch.count; i++) {
        const from = i === 0 ? 0 : batch.valueEnds[i - 1];
        texts.push(text.decode(batch.values.subarray(from, batch.valueEnds[i])));
      }
    }
  }
  await bus.close();
  return texts;
}

/** Runs of rows above a limit, rows without a value passed over: what a rule without `for` opens. */
async function countRuns(file: URL, column: string, limit: number): Promise<number> {
  const packed = await Deno.open(file);
  const text = await new Response(packed.readable.pipeThrough(new DecompressionStream("gzip")))
    .text();
  const [head, ...rows] = text.trim().split(/\r?\n/).map((row) => row.split(","));
  const values = rows.map((row) => row[head.indexOf(column)]).filter((cell) => cell !== "").map(
    Number,
  );
  return values.filter((value, i) => value > limit && !(values[i - 1] > limit)).length;
}

function exists(path: URL): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
