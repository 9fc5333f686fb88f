/** `/api`: vehicles, rules, signals, intake, agents and the stream. */
import { Hono } from "hono";
import type { AgentAction } from "../contract/agent.ts";
import { VEHICLE_STATES, type VehicleView } from "../contract/views.ts";
import { BusError, RecordTooLargeError } from "../bus/port.ts";
import { type InFlight, readBody, TELEMETRY_BYTES_MAX } from "./body.ts";
import { SERIES_SPAN_MS_MAX } from "./history.ts";
import { integerIn, shown, textIn, timeIn, wordIn } from "./parameters.ts";
import { HttpFault } from "./problem.ts";
import { anomalyRoutes } from "./routes_anomalies.ts";
import { ruleRoutes } from "./routes_rules.ts";
import { type Services, signalViews } from "./services.ts";
import { zoneViews } from "./zones.ts";

/** Vehicles per page unless asked otherwise, and at most. */
const VEHICLES_DEFAULT = 1_000;
const VEHICLES_MAX = 10_000;
/** Samples of a series unless asked otherwise, and at most. */
const POINTS_DEFAULT = 2_000;
const POINTS_MAX = 100_000;
/** Records of the tail unless asked otherwise, and at most. */
const TAIL_DEFAULT = 100;
const TAIL_MAX = 500;
/** Stretch of a series that names no start. */
const SERIES_MS_DEFAULT = 15 * 60_000;
const AGENT_ACTIONS: readonly AgentAction[] = ["pause", "resume", "restart"];

/** The routes below `/api`. */
export function apiRoutes(services: Services): Hono {
  const app = new Hono();
  app.get("/stream", (c) => stream(services, c.req.raw));
  app.get("/vehicles", (c) => c.json(vehicles(services, new URL(c.req.url).searchParams)));
  app.get("/vehicles/:id", (c) => c.json(vehicle(services, c.req.param("id"))));
  app.get("/vehicles/:id/series", (c) => {
    return c.json(series(services, c.req.param("id"), new URL(c.req.url).searchParams));
  });
  app.route("/anomalies", anomalyRoutes(services));
  app.get("/signals", (c) => c.json({ signals: signalViews(services.catalog) }));
  app.get("/zones", (c) => c.json({ zones: zoneViews(services.ruleSet.zones) }));
  app.route("/rules", ruleRoutes(services));
  app.post("/telemetry", (c) => telemetry(services, c.req.raw, services.inFlight));
  app.get("/tail", async (c) => {
    const query = new URL(c.req.url).searchParams;
    const limit = integerIn(query, "limit", TAIL_DEFAULT, 1, TAIL_MAX);
    return c.json(await services.tail.look(textIn(query, "q", 256) ?? "", limit));
  });
  app.get("/agents", (c) => c.json({ agents: services.agents.current() }));
  app.post("/agents/:name/:action", (c) => {
    const { name, action } = c.req.param();
    return actOnAgent(services, name, action);
  });
  return app;
}

/** A vehicle's view. @throws {HttpFault} 404 if it is not known */
export function vehicle(services: Services, id: string): VehicleView {
  const number = services.fleet.numberOf(id);
  if (number < 0) throw new HttpFault(404, `There is no vehicle ${shown(id)}`);
  return services.fleet.view(number);
}

function stream(services: Services, request: Request): Response {
  const headers = { "content-type": "text/event-stream", "cache-control": "no-store" };
  if (request.method === "HEAD") return new Response(null, { headers });
  // EventSource sends the header only when it reconnects by itself; a page that opens it anew asks.
  const last = request.headers.get("last-event-id") ??
    new URL(request.url).searchParams.get("last");
  const body = services.hub.open(last);
  if (body === null) {
    throw new HttpFault(503, "Too many streams are open: close a page, or try again soon", {
      "retry-after": "5",
    });
  }
  return new Response(body, { headers });
}

function vehicles(
  { fleet }: Services,
  query: URLSearchParams,
): { vehicles: VehicleView[]; cursor: string | null; total: number } {
  const state = wordIn(query, "state", VEHICLE_STATES);
  const part = textIn(query, "q", 128)?.toLowerCase();
  const limit = integerIn(query, "limit", VEHICLES_DEFAULT, 1, VEHICLES_MAX);
  const from = integerIn(query, "cursor", 0, 0, Number.MAX_SAFE_INTEGER);
  const found: VehicleView[] = [];
  for (let number = from; number < fleet.size; number++) {
    if (part !== undefined && !(fleet.ids[number] ?? "").toLowerCase().includes(part)) continue;
    const code = fleet.state[number] ?? 0;
    if (state !== undefined && VEHICLE_STATES[code] !== state) continue;
    if (found.length === limit) {
      return { vehicles: found, cursor: String(number), total: fleet.size };
    }
    found.push(fleet.view(number));
  }
  return { vehicles: found, cursor: null, total: fleet.size };
}

function series(
  services: Services,
  id: string,
  query: URLSearchParams,
): ReturnType<Services["history"]["series"]>[number] {
  const { at } = vehicle(services, id);
  const names = services.catalog.signals.map((signal) => signal.name);
  const signal = textIn(query, "signal", 128);
  if (signal === undefined || !names.includes(signal)) {
    throw new HttpFault(
      400,
      `signal is ${shown(signal ?? null)}: it takes the name of one, as /api/signals lists them`,
    );
  }
  const to = timeIn(query, "to") ?? Math.max(at, timeIn(query, "from") ?? 0);
  const from = timeIn(query, "from") ?? Math.max(0, to - SERIES_MS_DEFAULT);
  if (from > to || to - from > SERIES_SPAN_MS_MAX) {
    throw new HttpFault(400, "from lies behind to, or more than 31 days before it");
  }
  const points = integerIn(query, "points", POINTS_DEFAULT, 2, POINTS_MAX);
  const [view] = services.history.series(id, [signal], from, to, points);
  if (view === undefined) throw new HttpFault(404, `There is no series of ${shown(signal)}`);
  return view;
}

async function telemetry(
  { intake }: Services,
  request: Request,
  inFlight: InFlight,
): Promise<Response> {
  if (intake === null) {
    throw new HttpFault(501, "This server takes no telemetry in: send it to the bus");
  }
  let taken = 0;
  const account = {
    take(bytes: number) {
      inFlight.take(bytes);
      taken += bytes;
    },
  };
  try {
    const body = await readBody(request, TELEMETRY_BYTES_MAX, account);
    if (body.length === 0) throw new HttpFault(400, "The body is empty: send JSON or NDJSON");
    return Response.json(await intake(body), { status: 202 });
  } catch (error) {
    throw intakeFault(error);
  } finally {
    inFlight.bytes -= taken;
  }
}

/** What a caller is told of a body that was not taken. */
function intakeFault(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const again = { "retry-after": "1" };
  if (error instanceof RecordTooLargeError) return new HttpFault(413, error.message);
  if (error instanceof BusError) return new HttpFault(503, `Not stored: ${error.message}`, again);
  // The intake's own faults are known by their word alone: its class is another room's.
  switch ("fault" in error ? error.fault : undefined) {
    case "busy":
      return new HttpFault(503, error.message, again);
    case "body-too-large":
      return new HttpFault(413, error.message);
    case "empty-body":
      return new HttpFault(400, error.message);
    default:
      return error;
  }
}

function actOnAgent({ agents }: Services, name: string, given: string): Response {
  const action = AGENT_ACTIONS.find((action) => action === given);
  if (action === undefined) {
    throw new HttpFault(404, `An agent cannot ${shown(given)}: it can ${AGENT_ACTIONS.join(", ")}`);
  }
  if (!agents.current().some((agent) => agent.name === name)) {
    throw new HttpFault(404, `There is no agent ${shown(name)}`);
  }
  agents.act(name, action);
  return Response.json({ agent: name, action }, { status: 202 });
}
