/** The pages: what each is given, read from the projections. */
import { Hono } from "hono";
import { SEVERITIES, type Severity } from "../contract/anomaly.ts";
import { signalIndex } from "../contract/catalog.ts";
import { tileValue } from "../contract/dashboard.ts";
import type { AnomalyView, VehicleView } from "../contract/views.ts";
import {
  type AnomaliesPage,
  type AnomalyGroup,
  type LivePage,
  PAGE_ANOMALIES_MAX,
  PAGE_VEHICLES_MAX,
  type PageBase,
  type PageModel,
  type VehiclePage,
} from "./pages/model.ts";
import { BASE_MAP_PATH } from "./base_map.ts";
import { shown, timeIn } from "./parameters.ts";
import { HttpFault } from "./problem.ts";
import { vehicle } from "./routes_api.ts";
import { anomalyQuery, pageOf } from "./routes_anomalies.ts";
import { rulePage, rulesPage } from "./rule_pages.ts";
import { explain, ruleViews, type Services, signalViews } from "./services.ts";
import { SERIES_SPAN_MS_MAX } from "./history.ts";

/** What handlers are given of the request beside itself. */
export interface PageBindings {
  readonly Bindings: { readonly signedIn: boolean };
}

/** How pages become text, and where their files lie. */
export interface PageRenderer {
  readonly render: (page: PageModel) => string;
  readonly assets: string;
}

const HOUR_MS = 3_600_000;
/** Groups look back over this many hours, a bucket each. */
const DENSITY_BUCKETS = 24;
/** Anomalies that are grouped at most. */
const GROUPED_MAX = 1_000;
/** Window of the vehicle page: before and behind the moment it shows. */
const WINDOW_BEFORE_MS = 15 * 60_000;
const WINDOW_BEHIND_MS = 5 * 60_000;
const CHARTS_MAX = 6;
const CHART_POINTS_MAX = 600;
const TRAIL_POINTS_MAX = 2_000;
/** Signals that say where, not how. */
const NOT_CHARTED = new Set(["lat", "lon", "heading"]);

/** The routes of the pages. */
export function pageRoutes(services: Services, renderer: PageRenderer): Hono<PageBindings> {
  const app = new Hono<PageBindings>();
  const html = (page: PageModel) => htmlResponse(renderer.render(page));
  app.get("/", (c) => html(livePage(services, pageBase(services, renderer, c.env.signedIn))));
  app.get("/anomalies", (c) => {
    const base = pageBase(services, renderer, c.env.signedIn);
    return html(anomaliesPage(services, base, new URL(c.req.url).searchParams));
  });
  app.get("/anomalies/:id", async (c) => {
    const id = c.req.param("id");
    services.persistence.settle();
    const why = await explain(services, id, true);
    if (why === undefined) throw new HttpFault(404, `There is no anomaly ${shown(id)}`);
    return html({ ...pageBase(services, renderer, c.env.signedIn), kind: "why", why });
  });
  app.get("/v/:id", (c) => {
    const base = pageBase(services, renderer, c.env.signedIn);
    return html(vehiclePage(services, base, c.req.param("id"), new URL(c.req.url).searchParams));
  });
  app.get("/rules", (c) => {
    return html(rulesPage(services, pageBase(services, renderer, c.env.signedIn)));
  });
  app.get("/rules/:id", (c) => {
    const base = pageBase(services, renderer, c.env.signedIn);
    return html(rulePage(services, base, c.req.param("id")));
  });
  app.get("/pipeline", (c) => {
    const base = pageBase(services, renderer, c.env.signedIn);
    const pipeline = services.pipeline.view(services.now());
    return html({ ...base, kind: "pipeline", pipeline, rules: ruleViews(services) });
  });
  return app;
}

/** What every page gets. */
export function pageBase(
  services: Services,
  renderer: PageRenderer,
  signedIn: boolean,
): PageBase {
  return {
    now: services.now(),
    assets: renderer.assets,
    position: services.hub.position,
    open: services.anomalies.open(),
    dashboard: services.layout.current(),
    baseMap: services.baseMap === null ? "" : BASE_MAP_PATH,
    signedIn,
  };
}

/** A page as an answer. */
export function htmlResponse(text: string, status = 200): Response {
  return new Response(text, {
    status,
    headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
  });
}

function livePage(services: Services, base: PageBase): LivePage {
  services.persistence.settle();
  const { fleet } = services;
  return {
    ...base,
    kind: "live",
    fleet: { vehicles: fleet.size, states: fleet.summary() },
    tileValues: tileValues(services, base),
    vehicles: worstVehicles(services),
    anomalies: services.anomalies.page({ live: true, limit: PAGE_ANOMALIES_MAX }),
    pipeline: services.pipeline.view(base.now),
    signals: signalViews(services.catalog),
  };
}

function tileValues({ fleet, catalog }: Services, { dashboard }: PageBase): (number | null)[] {
  return dashboard.tiles.map((tile) => {
    if (tile.kind === "own") return null;
    const values = fleet.last[signalIndex(catalog, tile.signal)];
    const value = tileValue(tile, values, fleet.state, fleet.size);
    return Number.isFinite(value) ? value : null;
  });
}

function worstVehicles({ fleet }: Services): VehicleView[] {
  const numbers = Array.from(fleet.ids, (_, number) => number);
  numbers.sort((a, b) => {
    const worse = (fleet.severity[b] ?? 0) - (fleet.severity[a] ?? 0);
    return worse !== 0 ? worse : (fleet.ids[a] ?? "") < (fleet.ids[b] ?? "") ? -1 : 1;
  });
  return numbers.slice(0, PAGE_VEHICLES_MAX).map((number) => fleet.view(number));
}

function anomaliesPage(
  services: Services,
  base: PageBase,
  query: URLSearchParams,
): AnomaliesPage {
  services.persistence.settle();
  const asked = anomalyQuery(query, PAGE_ANOMALIES_MAX);
  const from = (Math.floor(base.now / HOUR_MS) - DENSITY_BUCKETS + 1) * HOUR_MS;
  const recent = { ...asked, cursor: undefined, limit: GROUPED_MAX, since: from };
  const { anomalies } = services.anomalies.page(recent);
  return {
    ...base,
    kind: "anomalies",
    filter: {
      state: asked.state ?? "",
      severity: asked.severity ?? "",
      vehicle: asked.vehicle ?? "",
      rule: asked.rule ?? "",
    },
    page: pageOf(services, asked),
    groups: grouped(anomalies, from),
    density: { from, stepMs: HOUR_MS, buckets: DENSITY_BUCKETS },
    rules: services.ruleSet.rules.map((rule) => rule.id),
  };
}

/** Groups of one rule and vehicle; the anomalies come newest first, and so do the groups. */
function grouped(anomalies: readonly AnomalyView[], from: number): AnomalyGroup[] {
  const byKey = new Map<string, AnomalyView[]>();
  for (const anomaly of anomalies) {
    const key = JSON.stringify([anomaly.rule, anomaly.vehicle]);
    const group = byKey.get(key);
    if (group === undefined) byKey.set(key, [anomaly]);
    else group.push(anomaly);
  }
  return [...byKey.values()].slice(0, PAGE_ANOMALIES_MAX).flatMap((group) => {
    const [latest] = group;
    if (latest === undefined) return [];
    const density = new Array<number>(DENSITY_BUCKETS).fill(0);
    for (const { append, count } of group) {
      const bucket = Math.min(Math.floor((append - from) / HOUR_MS), DENSITY_BUCKETS - 1);
      density[bucket] = (density[bucket] ?? 0) + count;
    }
    return [{
      rule: latest.rule,
      vehicle: latest.vehicle,
      severity: worst(group),
      count: group.reduce((sum, { count }) => sum + count, 0),
      open: group.filter(({ state }) => state !== "cleared").length,
      first: Math.min(...group.map(({ openedAt }) => openedAt)),
      last: Math.max(...group.map(({ openedAt }) => openedAt)),
      density,
      latest,
    }];
  });
}

function worst(anomalies: readonly AnomalyView[]): Severity {
  const levels = anomalies.map(({ severity }) => SEVERITIES.indexOf(severity));
  return SEVERITIES[Math.max(...levels)] ?? "info";
}

function vehiclePage(
  services: Services,
  base: PageBase,
  id: string,
  query: URLSearchParams,
): VehiclePage {
  services.persistence.settle();
  const view = vehicle(services, id);
  const at = timeIn(query, "t") ?? null;
  // A vehicle that fell silent is shown as it last was, not as an empty quarter of an hour.
  const live = base.now - view.at < WINDOW_BEHIND_MS ? Math.max(base.now, view.at) : view.at;
  const to = timeIn(query, "to") ?? (at === null ? live : at + WINDOW_BEHIND_MS);
  const from = timeIn(query, "from") ?? Math.max(0, (at ?? to) - WINDOW_BEFORE_MS);
  if (from > to || to - from > SERIES_SPAN_MS_MAX) {
    throw new HttpFault(400, "from lies behind to, or more than 31 days before it");
  }
  const charted = chartedSignals(view, services);
  return {
    ...base,
    kind: "vehicle",
    vehicle: view,
    anomalies: services.anomalies.page({ vehicle: id, limit: PAGE_ANOMALIES_MAX }),
    series: services.history.series(id, charted, from, to, CHART_POINTS_MAX),
    trail: services.history.trail(id, from, to, TRAIL_POINTS_MAX),
    from,
    to,
    at,
    signals: signalViews(services.catalog),
  };
}

/** Those of the dashboard that the vehicle has; if it has none of them, what else it has. */
function chartedSignals(view: VehicleView, { catalog, layout }: Services): string[] {
  const wanted = layout.current().charts.map(({ signal }) => signal);
  const charted = wanted.filter((name) => name in view.signals);
  if (charted.length > 0 || wanted.length === 0) return charted.slice(0, CHARTS_MAX);
  const numbers = catalog.signals.filter((signal) =>
    signal.type === "number" && !NOT_CHARTED.has(signal.name)
  ).map((signal) => signal.name);
  return numbers.filter((name) => name in view.signals).slice(0, CHARTS_MAX);
}
