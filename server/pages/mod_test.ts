import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type {
  AnomalyView,
  PipelineView,
  RuleView,
  VehicleView,
  VersionView,
} from "../../contract/views.ts";
import { applyFrame, FleetColumns } from "../../islands/decode_frame.ts";
import { DASHBOARD, FRAME_SIGNALS } from "../../contract/dashboard_fixture.ts";
import { anomaly } from "../../islands/anomaly_fixture.ts";
import { frameOf, scriptJson } from "./embed.ts";
import { renderPage } from "./mod.tsx";
import type { PageBase, PageModel } from "./model.ts";

const HOSTILE = `<img src=x onerror=alert(1)>"'</script><!--\u2028`;
const NOW = Date.UTC(2025, 10, 23, 13, 2, 11);

const base: PageBase = {
  now: NOW,
  assets: "/assets/0123/",
  position: "e-1",
  open: { info: 0, warning: 1, critical: 2 },
  dashboard: DASHBOARD,
  baseMap: "",
  signedIn: false,
};

function vehicle(id: string, given: Partial<VehicleView> = {}): VehicleView {
  return {
    id,
    state: "moving",
    lat: 59.33,
    lon: 18.06,
    heading: 90,
    at: NOW - 400,
    append: NOW - 300,
    signals: { speed: 74.2, coolant: 118.4, fuel: 61, battery: 13.9, lat: 59.33, lon: 18.06 },
    open: 1,
    severity: "critical",
    ...given,
  };
}

const pipeline: PipelineView = {
  now: NOW,
  bus: "embedded",
  version: "3f1c0a9be77d2f40",
  samplesPerSecond: 2004,
  anomaliesPerSecond: 0.2,
  lagRecords: 12,
  lagSeconds: 0.4,
  vehicles: 2,
  samples: 99,
  refused: { "malformed-json": 3 },
  outOfRange: 1,
  unknownKeys: 0,
  late: 0,
  duplicates: 0,
  waiting: 0,
  crowded: 0,
  clockResets: 0,
  forgotten: 0,
  misplaced: 0,
  clients: 1,
  framesSkipped: 0,
  partitions: [{ partition: 5, end: 8841, lagRecords: 12 }],
  agents: [{
    name: "analysis",
    state: "waiting",
    restarts: 2,
    since: NOW - 5000,
    beat: NOW - 100,
    error: HOSTILE,
    retryAt: NOW + 1000,
    metrics: {},
    version: "",
  }],
};

const signals = ["speed", "coolant", "fuel"].map((name) => ({
  name,
  unit: name === "speed" ? "km/h" : name === "fuel" ? "%" : "degC",
  type: "number",
  names: [],
  description: "",
}));

const rule: RuleView = {
  id: "overheating",
  severity: "critical",
  source: `when: coolant > 110 degC\nmessage: "${HOSTILE}"`,
  fired: 14,
  open: 2,
  lastFired: NOW - 42_000,
  lastId: "9f2c41d07be3a655",
  cost: { sampleNs: 140, stateBytes: 16, stateBytesMax: 16 },
  once: false,
  runbook: "javascript:alert(1)",
};

const version: VersionView = {
  version: "3f1c0a9be77d2f40",
  base: "0000000000000000",
  time: NOW - 3_600_000,
  author: HOSTILE,
  message: HOSTILE,
  source: "api",
  current: true,
  change: { added: [], removed: [], changed: ["overheating"], settings: false },
};

function pages(ids: readonly string[], anomalies: readonly AnomalyView[]): PageModel[] {
  const list = { anomalies, cursor: null, open: base.open };
  const vehicles = ids.map((id) => vehicle(id));
  return [
    {
      ...base,
      kind: "live",
      tileValues: [null, null, null, 74.2],
      fleet: {
        vehicles: ids.length,
        states: { moving: ids.length, idle: 0, stopped: 0, stale: 0 },
      },
      vehicles,
      anomalies: list,
      pipeline,
      signals,
    },
    {
      ...base,
      kind: "anomalies",
      filter: { state: "open", severity: "", vehicle: ids[0] ?? "", rule: "" },
      page: list,
      groups: anomalies.map((one) => ({
        rule: one.rule,
        vehicle: one.vehicle,
        severity: one.severity,
        count: 3,
        open: 1,
        first: NOW - 9000,
        last: NOW - 1000,
        density: [0, 1, 2],
        latest: one,
      })),
      density: { from: NOW - 3 * 3_600_000, stepMs: 3_600_000, buckets: 3 },
      rules: ["overheating"],
    },
    {
      ...base,
      kind: "vehicle",
      vehicle: vehicles[0] ?? vehicle("none"),
      anomalies: list,
      series: [{
        vehicle: ids[0] ?? "none",
        signal: "speed",
        unit: "km/h",
        t: [NOW - 3000, NOW - 2000, NOW - 1000],
        v: [70, 72, 74.2],
      }],
      trail: { t: [NOW - 2000, NOW - 1000], lat: [59.33, 59.34], lon: [18.06, 18.07] },
      from: NOW - 900_000,
      to: NOW,
      at: null,
      signals,
    },
    {
      ...base,
      kind: "rules",
      version: "3f1c0a9be77d2f40",
      rules: [rule],
      versions: [version],
      versionsTotal: 7,
      pipeline,
    },
    {
      ...base,
      kind: "rule",
      id: "overheating",
      version: "3f1c0a9be77d2f40",
      rule,
      densities: [{ from: NOW - 7_200_000, stepMs: 3_600_000, counts: [3, 11] }],
      anomalies: list,
      revisions: [
        { ...version, change: "changed", text: rule.source },
        { ...version, change: "added", text: rule.source.replace("110", "120") },
      ],
    },
    {
      ...base,
      kind: "why",
      why: {
        anomaly: anomalies[0] ?? anomaly("a"),
        rule,
        inForce: rule,
        written: { time: NOW, author: HOSTILE, message: "" },
        current: true,
        series: [{
          vehicle: HOSTILE,
          signal: "coolant",
          unit: "degC",
          t: [NOW - 2_000, NOW - 1_000, NOW],
          v: [108, 112, 118],
        }],
        limits: [{ signal: "coolant", text: "coolant > 110 degC", value: 110 }],
        topic: "vehicle.telemetry",
        proof: null,
      },
    },
    { ...base, kind: "pipeline", pipeline, rules: [] },
    { ...base, kind: "login", next: `/v/${HOSTILE}`, wrong: true },
    { ...base, kind: "error", status: 404, title: "Not found", detail: `No vehicle ${HOSTILE}` },
  ];
}

/** The page without its scripts' data: what a browser shows that runs none. */
function shown(html: string): string {
  return html.replace(/<script type="application\/json"[^]*?<\/script>/, "");
}

Deno.test("pages: each is a whole document that shows its data without scripts", () => {
  const one = anomaly("a", { vehicle: "VH-0412", message: "VH-0412 overheats: 118.4 degC" });
  const expected: Record<string, readonly string[]> = {
    live: [
      "VH-0412",
      "Moving",
      ">74<",
      ">118<",
      "Critical",
      "2,004",
      "74 km/h",
      "Overheating",
      "0.3 s",
    ],
    anomalies: ["VH-0412", "Overheating", "3 times on 1 vehicle", "118.4 °C", "/ack"],
    vehicle: ["VH-0412", "74.2 km/h", "<polyline", "M", "118.4", "59.33000, 18.06000"],
    rules: ["Overheating", ">14<", ">2<", "42 s ago", "3f1c0a9b", "1 rule changed"],
    rule: [
      "Overheating",
      "coolant > 110 degC",
      "14 times",
      "+ when: coolant > 110",
      "- when",
    ],
    why: [
      "Overheating",
      "118.4 °C",
      "coolant > 110 degC",
      "<polyline",
      "partition 0",
      "/v/VH-0412?t=",
    ],
    pipeline: ["2,004", "8,841", "malformed-json", "analysis", "waiting"],
    login: ["Token", "not the token", 'action="/login"'],
    error: ["404", "No vehicle"],
  };
  for (const page of pages(["VH-0412", "VH-0413"], [one])) {
    const html = renderPage(page);
    assert(html.startsWith('<!doctype html><html lang="en"><head>'), page.kind);
    assert(html.endsWith("</body></html>"), page.kind);
    for (const text of expected[page.kind]) assertStringIncludes(shown(html), text, page.kind);
  }
});

Deno.test("pages: the window's title tells open criticals, but not to strangers", () => {
  const titles = pages(["VH-0412"], []).map((page) =>
    `${page.kind} ${/<title>(.*)<\/title>/.exec(renderPage(page))?.[1]}`
  );
  assertEquals(titles, [
    "live (2) Live · Kilter",
    "anomalies (2) Anomalies · Kilter",
    "vehicle (2) VH-0412 · Kilter",
    "rules (2) Rules · Kilter",
    "rule (2) Overheating · Kilter",
    "why (2) Why: Overheating · Kilter",
    "pipeline (2) Pipeline · Kilter",
    "login Sign in · Kilter",
    "error (2) Not found · Kilter",
  ]);
});

Deno.test("pages: nothing that comes from outside becomes markup", () => {
  const one = anomaly("a", {
    vehicle: HOSTILE,
    message: `${HOSTILE} at 9`,
    rule: HOSTILE,
    assignee: HOSTILE,
    notes: [{ at: NOW, by: HOSTILE, text: HOSTILE }],
    acts: [{ at: NOW, by: HOSTILE, kind: "assigned", to: HOSTILE }],
  });
  for (const page of pages([HOSTILE], [one])) {
    const html = renderPage(page);
    assertEquals(html.includes("<img"), false, page.kind);
    assertEquals(html.includes("<!--"), false, page.kind);
    assertEquals(html.includes('href="javascript:'), false, page.kind);
    const scripts = html.match(/<\/script>/g)?.length;
    assertEquals(scripts, page.kind === "login" ? 1 : 3, page.kind);
  }
});

Deno.test("pages: no inline style, no inline script, no foreign address", () => {
  for (const page of pages(["VH-0412"], [anomaly("a")])) {
    const html = renderPage(page);
    const tags = html.replaceAll(/="[^"]*"/g, "=");
    assertEquals(/<[a-z][^<>]*\s(style|on[a-z]+)=/.test(tags), false, page.kind);
    const links = [...html.matchAll(/\s(?:href|src|action)="([^"]*)"/g)].map(([, link]) => link);
    assertEquals(links.filter((link) => !/^[/#]/.test(link)), [], page.kind);
    const scripts = [...html.matchAll(/<script(?![^>]*application\/json)[^>]*>/g)];
    assert(scripts.every(([tag]) => tag.includes(' src="/assets/')), page.kind);
  }
});

Deno.test("pages: an empty fleet is told how to send a first sample", () => {
  const [live] = pages([], []);
  const html = shown(renderPage(live));
  assertStringIncludes(html, "No vehicle yet");
  assertStringIncludes(html, "/api/telemetry");
  assertStringIncludes(html, "Nothing is out of kilter.");
});

Deno.test("pages: embedded data survive the way through the script element", () => {
  const text = scriptJson({ id: HOSTILE });
  assertEquals(/[<\u2028]/.test(text), false);
  assertEquals(JSON.parse(text), { id: HOSTILE });
});

Deno.test("pages: vehicles as a frame are what the browser's decoder reads", () => {
  const columns = new FleetColumns();
  const vehicles = [
    vehicle("a"),
    vehicle("b", { lat: null, lon: null, heading: null, severity: null, state: "stale" }),
  ];
  applyFrame(columns, frameOf(vehicles, NOW, FRAME_SIGNALS));
  assertEquals(columns.ids, ["a", "b"]);
  assertEquals([columns.at[0], columns.append[0]], [NOW - 400, NOW - 300]);
  assertEquals(Math.round(columns.signals[0][0] * 10), 742);
  assertEquals([columns.severity[0], columns.severity[1]], [3, 0]);
  assertEquals([columns.state[0], columns.state[1]], [0, 3]);
  assert(Number.isNaN(columns.lat[1]));
});
