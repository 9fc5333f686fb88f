/** `/api/anomalies`: what is wrong, why, and what people do about it. */
import { Hono } from "hono";
import { SEVERITIES } from "../contract/anomaly.ts";
import type { AnomalyEvent } from "../contract/stream.ts";
import { ANOMALY_STATES } from "../contract/views.ts";
import { isForm, readFields } from "./body.ts";
import { integerIn, shown, textIn, timeOf, wordIn } from "./parameters.ts";
import { HttpFault } from "./problem.ts";
import { safePath } from "./security.ts";
import { explain, type Services, settleJudgement } from "./services.ts";
import type { AnomalyQuery } from "./store_anomalies.ts";

/** Anomalies per page unless asked otherwise, and at most. */
const LIMIT_DEFAULT = 100;
const LIMIT_MAX = 1_000;
/** Longest name of a person. */
const PERSON_CHARS_MAX = 100;
/** Longest note. */
const NOTE_CHARS_MAX = 2_000;
const SNOOZE_MINUTES_DEFAULT = 60;
/** Longest snooze: a year. */
const SNOOZE_MINUTES_MAX = 366 * 24 * 60;
/** Longest id of a vehicle or rule that is looked for. */
const NAME_CHARS_MAX = 256;

/** The routes below `/api/anomalies`. */
export function anomalyRoutes(services: Services): Hono {
  const app = new Hono();
  app.get("/", (c) => {
    const query = new URL(c.req.url).searchParams;
    services.persistence.settle();
    const live = wordIn(query, "live", ["yes", "no"]) === "yes";
    const page = pageOf(services, { ...anomalyQuery(query), live });
    // Read in the same turn: the counts are those of this place in the stream.
    return c.json({ ...page, position: services.hub.position });
  });
  app.get("/:id", async (c) => {
    const proof = wordIn(new URL(c.req.url).searchParams, "proof", ["yes", "no"]) !== "no";
    const explanation = await explain(services, c.req.param("id"), proof);
    if (explanation === undefined) throw unknown(c.req.param("id"));
    return c.json(explanation);
  });
  app.post("/:id/ack", (c) =>
    judge(services, c.req.raw, c.req.param("id"), (id, fields) => {
      const flag = flagIn(fields.acknowledged, "acknowledged");
      return services.anomalies.acknowledge(id, flag, personIn(fields.by, "by"));
    }));
  app.post("/:id/snooze", (c) =>
    judge(services, c.req.raw, c.req.param("id"), (id, fields) => {
      const until = snoozeEnd(fields, services.now());
      return services.anomalies.snooze(id, until, personIn(fields.by, "by"));
    }));
  app.post("/:id/assign", (c) =>
    judge(services, c.req.raw, c.req.param("id"), (id, fields) => {
      return services.anomalies.assign(id, personIn(fields.to, "to"), personIn(fields.by, "by"));
    }));
  app.post("/:id/note", (c) =>
    judge(services, c.req.raw, c.req.param("id"), (id, fields) => {
      if (fields.remove !== undefined) {
        return services.anomalies.unnote(id, timeOf(fields.remove, "remove"));
      }
      return services.anomalies.note(id, noteIn(fields.text), personIn(fields.by, "by"));
    }));
  return app;
}

/** Reads the filters of an address. @throws {HttpFault} 400 naming what is wrong */
export function anomalyQuery(query: URLSearchParams, limitDefault = LIMIT_DEFAULT): AnomalyQuery {
  return {
    state: wordIn(query, "state", ANOMALY_STATES),
    severity: wordIn(query, "severity", SEVERITIES),
    vehicle: textIn(query, "vehicle", NAME_CHARS_MAX),
    rule: textIn(query, "rule", NAME_CHARS_MAX),
    limit: integerIn(query, "limit", limitDefault, 1, LIMIT_MAX),
    cursor: textIn(query, "cursor", NAME_CHARS_MAX),
  };
}

/** A page of anomalies. @throws {HttpFault} 400 if the cursor is wrong */
export function pageOf(
  services: Services,
  query: AnomalyQuery,
): ReturnType<Services["anomalies"]["page"]> {
  try {
    return services.anomalies.page(query);
  } catch (error) {
    if (error instanceof SyntaxError) throw new HttpFault(400, error.message);
    throw error;
  }
}

/** Carries out what a person asked; a page's form is led back to its page. */
async function judge(
  services: Services,
  request: Request,
  id: string,
  act: (id: string, fields: Readonly<Record<string, unknown>>) => AnomalyEvent | undefined,
): Promise<Response> {
  const fields = await readFields(request);
  let event: AnomalyEvent | undefined;
  try {
    event = act(id, fields);
  } catch (error) {
    if (error instanceof RangeError) throw new HttpFault(409, error.message);
    throw error;
  }
  if (event === undefined) throw unknown(id);
  settleJudgement(services, event);
  if (isForm(request)) {
    return new Response(null, { status: 303, headers: { location: safePath(fields.next) } });
  }
  return Response.json(event.anomaly);
}

function unknown(id: string): HttpFault {
  return new HttpFault(404, `There is no anomaly ${shown(id)}`);
}

function flagIn(value: unknown, name: string): boolean {
  if (value === undefined || value === true || value === "true") return true;
  if (value === false || value === "false") return false;
  throw new HttpFault(400, `${name} is ${shown(value)}: it takes true or false`);
}

/** `until` (a time, null to end the snooze), or `minutes` from now. */
function snoozeEnd(fields: Readonly<Record<string, unknown>>, now: number): number | null {
  if (fields.until === null || fields.until === "") return null;
  const latest = now + SNOOZE_MINUTES_MAX * 60_000;
  if (fields.until !== undefined) {
    const until = timeOf(fields.until, "until");
    if (until > now && until <= latest) return until;
    throw new HttpFault(
      400,
      `until is ${shown(fields.until)}: it takes a time within a year from now, or null`,
    );
  }
  const minutes = fields.minutes === undefined ? SNOOZE_MINUTES_DEFAULT : Number(fields.minutes);
  if (!(minutes > 0 && minutes <= SNOOZE_MINUTES_MAX)) {
    throw new HttpFault(
      400,
      `minutes is ${shown(fields.minutes)}: it takes a number above 0, up to ${SNOOZE_MINUTES_MAX}`,
    );
  }
  return now + Math.round(minutes * 60_000);
}

/** A person's name; "" if absent or null. */
function personIn(value: unknown, name: string): string {
  if (value === undefined || value === null) return "";
  const text = typeof value === "string" ? value.trim() : null;
  if (text !== null && text.length <= PERSON_CHARS_MAX) return text;
  throw new HttpFault(
    400,
    `${name} is ${shown(value)}: it takes a name of at most ${PERSON_CHARS_MAX} characters`,
  );
}

function noteIn(value: unknown): string {
  // Forms send lines as CR LF.
  const text = typeof value === "string" ? value.replaceAll("\r\n", "\n").trim() : "";
  if (text === "" || text.length > NOTE_CHARS_MAX) {
    throw new HttpFault(
      400,
      `text is ${shown(value)}: it takes a note of 1 to ${NOTE_CHARS_MAX} characters`,
    );
  }
  return text;
}
