import { assertEquals } from "@std/assert";
import { anomaly } from "./anomaly_fixture.ts";
import { AnomalyStore } from "./anomaly_store.ts";
import { Toaster } from "./toast.ts";
import { Triage, type TriageStep } from "./triage.ts";

const ACK = { kind: "ack", acknowledged: true } as const;

interface Sent {
  readonly path: string;
  readonly body: string;
}

/** Runs with a network that answers as told, and hands back what was sent. */
async function withNetwork(
  status: number,
  run: (
    parts: { store: AnomalyStore; toaster: Toaster; triage: Triage; settled: () => Promise<void> },
  ) => Promise<void>,
  answer: unknown = { detail: "It is cleared already" },
  person = "",
): Promise<Sent[]> {
  const sent: Sent[] = [];
  const real = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    sent.push({ path: String(input), body: String(init?.body) });
    return Promise.resolve(new Response(JSON.stringify(answer), { status }));
  };
  const open = { info: 0, warning: 1, critical: 0 };
  const store = new AnomalyStore({ anomalies: [anomaly("a")], cursor: null, open });
  const toaster = new Toaster();
  const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
  try {
    await run({ store, toaster, triage: new Triage(store, toaster, () => person), settled });
  } finally {
    globalThis.fetch = real;
    toaster.dismiss();
  }
  return sent;
}

Deno.test("triage: a step shows at once, is sent, and is taken back on request", async () => {
  const sent = await withNetwork(200, async ({ store, toaster, triage, settled }) => {
    triage.take(anomaly("a"), ACK);
    assertEquals(store.get("a")?.state, "acknowledged");
    await settled();
    toaster.current.value?.undo?.();
    assertEquals(store.get("a")?.state, "open");
    await settled();
  });
  assertEquals(sent, [
    { path: "/api/anomalies/a/ack", body: '{"acknowledged":true}' },
    { path: "/api/anomalies/a/ack", body: '{"acknowledged":false}' },
  ]);
});

Deno.test("triage: what the server refuses goes back, with its words", async () => {
  await withNetwork(409, async ({ store, toaster, triage, settled }) => {
    triage.take(anomaly("a"), { kind: "snooze", minutes: 15 });
    await settled();
    assertEquals(store.get("a")?.state, "open");
    assertEquals(toaster.current.value?.text, "Not snoozed: It is cleared already");
  });
});

Deno.test("triage: a step on its way is not undone by an older word from the server", async () => {
  await withNetwork(200, async ({ triage, settled }) => {
    triage.take(anomaly("a"), ACK);
    assertEquals(triage.seenView(anomaly("a")).state, "acknowledged");
    await settled();
    assertEquals(triage.seenView(anomaly("a")).state, "open");
  });
});

Deno.test("triage: every step has its way back, in the name of whoever takes it", async () => {
  const held = anomaly("a", { assignee: "Bo", state: "snoozed", snoozedUntil: 9e15 });
  const noted = anomaly("a", { notes: [{ at: 77, by: "Åsa", text: "called" }] });
  const table: [TriageStep, string, object, object][] = [
    [{ kind: "snooze", minutes: 15 }, "snooze", { minutes: 15 }, { until: 9e15 }],
    [{ kind: "wake" }, "snooze", { until: null }, { until: 9e15 }],
    [{ kind: "assign", to: "Åsa" }, "assign", { to: "Åsa" }, { to: "Bo" }],
    [{ kind: "note", text: "called" }, "note", { text: "called" }, { remove: 77 }],
  ];
  for (const [step, path, does, undoes] of table) {
    const sent = await withNetwork(
      200,
      async ({ store, triage, settled }) => {
        store.replace({
          anomalies: [held],
          cursor: null,
          open: { info: 0, warning: 0, critical: 0 },
          position: "",
        });
        triage.take(held, step);
        await settled();
        triage.undoLast();
        assertEquals(store.get("a")?.state, "snoozed");
        await settled();
        triage.undoLast();
      },
      noted,
      "Åsa",
    );
    assertEquals(
      sent.map(({ path, body }) => [path, JSON.parse(body)]),
      [does, undoes].map((body) => [`/api/anomalies/a/${path}`, { ...body, by: "Åsa" }]),
    );
  }
});

Deno.test("triage: what was refused is not undone", async () => {
  const sent = await withNetwork(409, async ({ toaster, triage, settled }) => {
    triage.take(anomaly("a"), { kind: "note", text: "x" });
    const undo = toaster.current.value?.undo;
    await settled();
    undo?.();
    await settled();
  });
  assertEquals(sent.length, 1);
});
