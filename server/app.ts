/** The HTTP application: who may ask, which route answers, and how faults are told. */
import { Hono } from "hono";
import type { EventSink } from "../contract/events.ts";
import { BASE_MAP_PATH } from "./base_map.ts";
import { readFields } from "./body.ts";
import { METRICS_TYPE, metricsText } from "./metrics.ts";
import { HttpFault, problem, titleOf } from "./problem.ts";
import { apiRoutes } from "./routes_api.ts";
import {
  htmlResponse,
  pageBase,
  type PageBindings,
  type PageRenderer,
  pageRoutes,
} from "./routes_pages.ts";
import type { PageBase } from "./pages/model.ts";
import { type Guard, safePath, SECURITY_HEADERS, SIGN_OUT_COOKIE } from "./security.ts";
import { isReady, type Services } from "./services.ts";
import type { StaticFiles } from "./static_files.ts";

/** What the application is made of. */
export interface AppOptions {
  readonly services: Services;
  readonly guard: Guard;
  readonly files: StaticFiles;
  readonly renderer: PageRenderer;
  readonly events: EventSink;
}

/** Answers a request from a network address; never throws. */
export type Handler = (request: Request, caller: string) => Promise<Response>;

/** Methods that some route may take. */
const METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH"] as const;

/** The whole application as one function. */
export function createApp(options: AppOptions): Handler {
  const { guard, files, events } = options;
  const routes = createRoutes(options);
  const answer = async (request: Request, caller: string): Promise<Response> => {
    const admission = await guard.admit(request, caller);
    const { pathname } = new URL(request.url);
    if (admission.kind === "refused") throw admission.fault;
    if (pathname === "/healthz" || pathname.startsWith("/assets/")) {
      if (!["GET", "HEAD"].includes(request.method)) throw wrongMethod(["GET"]);
      return pathname === "/healthz" ? new Response("ok\n") : asset(files, request, pathname);
    }
    if (pathname === "/login" && request.method === "POST") {
      return await signIn(options, request, caller);
    }
    if (admission.kind === "unknown") return unknownCaller(options, request);
    return await routes.fetch(request, { signedIn: admission.signedIn });
  };
  return async (request, caller) => {
    let response: Response;
    try {
      response = await answer(request, caller);
    } catch (error) {
      response = faultResponse(options, request, error, null);
    }
    if (request.body !== null && !request.bodyUsed) {
      // What was not read would keep the connection busy; its failing is of no interest any more.
      request.body.cancel().catch((error: unknown) =>
        events({ level: "debug", name: "server.body_cancel", message: String(error) })
      );
    }
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) {
      response.headers.set(name, value);
    }
    if (!response.headers.has("cache-control")) response.headers.set("cache-control", "no-store");
    return response;
  };
}

function createRoutes(options: AppOptions): Hono<PageBindings> {
  const { services, renderer } = options;
  const app = new Hono<PageBindings>();
  app.get("/readyz", () => {
    const agents = services.agents.current();
    const ready = isReady(agents);
    const states = agents.map(({ name, state, restarts, error }) => {
      return { name, state, restarts, error };
    });
    return Response.json({ ready, agents: states }, { status: ready ? 200 : 503 });
  });
  app.get("/metrics", () => {
    const text = metricsText({
      server: services.metrics(),
      bus: services.busMetrics(),
      agents: services.agents.current(),
      pipeline: services.pipeline.view(services.now()),
    });
    return new Response(text, { headers: { "content-type": METRICS_TYPE } });
  });
  app.post("/logout", () => {
    const headers = { location: "/", "set-cookie": SIGN_OUT_COOKIE };
    return new Response(null, { status: 303, headers });
  });
  // POST is answered before this, to whoever asks.
  app.get("/login", () => new Response(null, { status: 303, headers: { location: "/" } }));
  app.get(BASE_MAP_PATH, (c) => {
    if (services.baseMap === null) throw new HttpFault(404, "There is no base map here");
    return services.baseMap.serve(c.req.raw);
  });
  app.route("/api", apiRoutes(services));
  app.route("/", pageRoutes(services, renderer));
  app.notFound((c) => {
    const allowed = METHODS.filter((method) => app.router.match(method, c.req.path)[0].length > 0);
    if (c.req.path === "/login") allowed.push("POST");
    const fault = allowed.length > 0
      ? wrongMethod(allowed)
      : new HttpFault(404, "There is nothing at this address");
    return faultResponse(options, c.req.raw, fault, c.env.signedIn);
  });
  app.onError((error, c) => faultResponse(options, c.req.raw, error, c.env.signedIn));
  return app;
}

function asset(files: StaticFiles, request: Request, pathname: string): Response {
  const [, , hash = "", ...name] = pathname.split("/");
  const response = files.serve(request, hash, name.join("/"));
  if (response === null) throw new HttpFault(404, "There is no such file");
  return response;
}

/** @param allowed methods that the address takes; GET brings HEAD with it */
function wrongMethod(allowed: readonly string[]): HttpFault {
  const allow = allowed.flatMap((method) => method === "GET" ? ["GET", "HEAD"] : [method])
    .join(", ");
  return new HttpFault(405, `This address takes ${allow}`, { allow });
}

async function signIn(options: AppOptions, request: Request, caller: string): Promise<Response> {
  const { guard } = options;
  const fields = await readFields(request);
  const next = safePath(fields.next);
  const token = typeof fields.token === "string" ? fields.token.trim() : "";
  const cookie = guard.needsToken ? await guard.signIn(request, token, caller) : "";
  if (cookie === null) return loginPage(options, next, true);
  const headers = new Headers({ location: next });
  if (cookie !== "") headers.set("set-cookie", cookie);
  return new Response(null, { status: 303, headers });
}

function unknownCaller(options: AppOptions, request: Request): Response {
  if (!wantsPage(request)) {
    return problem(401, "Send the token as Authorization: Bearer …, or sign in on a page", {
      "www-authenticate": 'Bearer realm="kilter"',
    });
  }
  const { pathname, search } = new URL(request.url);
  return loginPage(options, safePath(pathname + search), false);
}

function loginPage(options: AppOptions, next: string, wrong: boolean): Response {
  const page = { ...strangerBase(options), kind: "login", next, wrong } as const;
  return htmlResponse(options.renderer.render(page), 401);
}

/** What a page gets that a stranger sees: nothing of the fleet. */
function strangerBase({ services, renderer }: AppOptions): PageBase {
  const open = { info: 0, warning: 0, critical: 0 };
  return { ...pageBase(services, renderer, false), open, position: "" };
}

/**
 * A fault as a page for browsers that asked for one, as a problem for everyone else.
 *
 * @param signedIn null for a caller who has not been admitted
 */
function faultResponse(
  options: AppOptions,
  request: Request,
  error: unknown,
  signedIn: boolean | null,
): Response {
  const { services, renderer, events } = options;
  const fault = error instanceof HttpFault ? error : new HttpFault(
    500,
    "The server could not answer because of a fault of its own; its log says more",
  );
  if (fault !== error) {
    const what = error instanceof Error ? error.stack ?? error.message : String(error);
    const { pathname } = new URL(request.url);
    events({
      level: "error",
      name: "server.request_failed",
      message: `${request.method} ${pathname.slice(0, 200)} failed: ${what}`,
    });
  }
  const { status, detail, headers } = fault;
  if (!wantsPage(request)) return problem(status, detail, headers);
  const base = signedIn === null ? strangerBase(options) : pageBase(services, renderer, signedIn);
  const page = { ...base, kind: "error", status, title: titleOf(status), detail } as const;
  const response = htmlResponse(renderer.render(page), status);
  for (const [name, value] of Object.entries(headers)) response.headers.set(name, value);
  return response;
}

/** Whether a browser asks for a page, rather than a program for data. */
function wantsPage(request: Request): boolean {
  const { pathname } = new URL(request.url);
  return !pathname.startsWith("/api/") && pathname !== "/metrics" && pathname !== "/readyz" &&
    (request.headers.get("accept") ?? "").includes("text/html");
}
