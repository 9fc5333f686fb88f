import { assertEquals } from "@std/assert";
import { anomaly } from "./anomaly_fixture.ts";
import { AnomalyStore } from "./anomaly_store.ts";
import { Toaster } from "./toast.ts";
import { Triage } from "./triage.ts";

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
): Promise<Sent[]> {
  const sent: Sent[] = [];
  const real = globalThis.fetch;
  globalThis.fetch = (input, init) => {
    sent.push({ path: String(input), body: String(init?.body) });
    return Promise.resolve(
      new Response(JSON.stringify({ detail: "It is cleared already" }), { status }),
    );
  };
  const open = { info: 0, warning: 1, critical: 0 };
  const store = new AnomalyStore({ anomalies: [anomaly("a")], cursor: null, open });
  const toaster = new Toaster();
  const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 0));
  try {
    await run({ store, toaster, triage: new Triage(store, toaster), settled });
  } finally {
    globalThis.fetch = real;
    toaster.dismiss();
  }
  return sent;
}

Deno.test("triage: a step shows at once, is sent, and is taken back on request", async () => {
  const sent = await withNetwork(200, async ({ store, toaster, triage, settled }) => {
    triage.take("ack", anomaly("a"));
    assertEquals(store.get("a")?.state, "acknowledged");
    await settled();
    toaster.current.value?.undo?.();
    assertEquals(store.get("a")?.state, "open");
    await settled();
  });
  assertEquals(sent, [
    { path: "/api/anomalies/a/ack", body: "{}" },
    { path: "/api/anomalies/a/ack", body: '{"acknowledged":false}' },
  ]);
});

Deno.test("triage: what the server refuses goes back, with its words", async () => {
  await withNetwork(409, async ({ store, toaster, triage, settled }) => {
    triage.take("snooze", anomaly("a"));
    await settled();
    assertEquals(store.get("a")?.state, "open");
    assertEquals(toaster.current.value?.text, "Not snoozed: It is cleared already");
  });
});

Deno.test("triage: a step on its way is not undone by an older word from the server", async () => {
  await withNetwork(200, async ({ triage, settled }) => {
    triage.take("ack", anomaly("a"));
    assertEquals(triage.seenView(anomaly("a")).state, "acknowledged");
    await settled();
    assertEquals(triage.seenView(anomaly("a")).state, "open");
  });
});
