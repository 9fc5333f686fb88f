/** `/api/rules`: the rules in force, their versions, and how new ones come. */
import { Hono } from "hono";
import {
  AUTHOR_CHARS_MAX,
  MESSAGE_CHARS_MAX,
  type RuleVersion,
  type VersionSource,
} from "../contract/rule_versions.ts";
import { BusError } from "../bus/port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { ruleChange } from "../rules-wasm/rule_change.ts";
import { compileTexts, type RuleTexts } from "../rules-wasm/rule_source.ts";
import { warmingMs } from "../rules-wasm/warming.ts";
import { backtest, RULES_BYTES_MAX } from "./backtest_request.ts";
import { readFields } from "./body.ts";
import { integerIn, shown } from "./parameters.ts";
import { HttpFault, problem } from "./problem.ts";
import { ruleViews, type Services } from "./services.ts";

/** Versions listed unless asked otherwise, and at most. */
const VERSIONS_DEFAULT = 50;
const VERSIONS_MAX = 1_000;

/** The routes below `/api/rules`. */
export function ruleRoutes(services: Services): Hono {
  const { rules, versions } = services;
  const app = new Hono();
  app.get("/", (c) => {
    const { current } = rules.history;
    return c.json({
      version: services.ruleSet.version,
      text: current?.rules ?? "",
      changed: current === undefined ? null : versions.view(versions.total - 1),
      agents: services.agents.current().map(({ name, version }) => ({ name, version })),
      rules: ruleViews(services),
    });
  });
  app.put("/", async (c) => {
    const fields = await readFields(c.req.raw, RULES_BYTES_MAX);
    const text = textField(fields, "rules", RULES_BYTES_MAX);
    const base = textField(fields, "base", 64);
    return await write({ ...others(), rules: text }, base, fields, "api");
  });
  app.post("/check", async (c) => {
    const fields = await readFields(c.req.raw, RULES_BYTES_MAX);
    const compiled = compileTexts({ ...others(), rules: textField(fields, "rules", 1e6) });
    if (!compiled.ok) {
      return c.json({ ok: false, faults: compiled.faults, report: compiled.report });
    }
    const { version, rules: set } = compiled.ruleSet;
    return c.json({
      ok: true,
      version,
      rules: set.length,
      change: ruleChange(services.ruleSet, compiled.ruleSet),
      warmingMs: warmingMs(services.ruleSet, compiled.ruleSet),
    });
  });
  app.post("/backtest", (c) => backtest(services, c.req.raw, others));
  app.get("/versions", (c) => {
    const query = new URL(c.req.url).searchParams;
    const limit = integerIn(query, "limit", VERSIONS_DEFAULT, 1, VERSIONS_MAX);
    return c.json({ versions: versions.list(limit), total: versions.total });
  });
  app.get("/versions/:version", (c) => {
    const { rules: text, catalog, zones } = known(c.req.param("version"));
    return c.json({ version: c.req.param("version"), rules: text, catalog, zones });
  });
  app.post("/rollback", async (c) => {
    const fields = await readFields(c.req.raw, RULES_BYTES_MAX);
    const to = known(textField(fields, "to", 64));
    const base = fields.base === undefined ? null : textField(fields, "base", 64);
    return await write(to, base, fields, "rollback");
  });

  /** Catalog and zones change with a restart only: those in force go with each new version. */
  function others(): RuleTexts {
    const { current } = rules.history;
    if (current === undefined) throw new HttpFault(503, "There are no rules yet: try again soon");
    return current;
  }

  function known(version: string): RuleVersion {
    const found = rules.history.find(version);
    if (found === undefined) {
      throw new HttpFault(404, `There is no version ${shown(version)}; see /api/rules/versions`);
    }
    return found;
  }

  async function write(
    { rules: text, catalog, zones }: RuleTexts,
    base: string | null,
    fields: Readonly<Record<string, unknown>>,
    source: VersionSource,
  ): Promise<Response> {
    const who = {
      author: wordsField(fields, "author", AUTHOR_CHARS_MAX) || "api",
      message: wordsField(fields, "message", MESSAGE_CHARS_MAX),
      source,
    };
    const before = services.ruleSet;
    const written = await stored(() => rules.write({ rules: text, catalog, zones }, base, who));
    switch (written.kind) {
      case "written":
        return Response.json({
          version: written.version.version,
          base: written.version.base,
          warmingMs: warmingBetween(before, rules.version(written.version.version)),
        });
      case "same":
        return Response.json({ version: written.version, base: written.version, warmingMs: 0 });
      case "conflict":
        return problem(
          409,
          `Version ${written.current} is in force by now: take it as base, and look at what it changed`,
          {},
          { current: written.current },
        );
      case "faults":
        return problem(422, written.report, {}, { faults: written.faults });
    }
  }

  return app;
}

/** Milliseconds of telemetry that a version takes in before it is live; 0: with the next record. */
function warmingBetween(before: RuleSet, after: RuleSet | null): number {
  return after === null ? 0 : warmingMs(before, after);
}

async function stored<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (!(error instanceof BusError)) throw error;
    throw new HttpFault(503, `Not stored: ${error.message}`, { "retry-after": "1" });
  }
}

function textField(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  charsMax: number,
): string {
  const value = fields[name];
  if (typeof value !== "string" || value === "" || value.length > charsMax) {
    throw new HttpFault(400, `${name} is ${shown(value ?? null)}: it takes a text`);
  }
  return value;
}

function wordsField(
  fields: Readonly<Record<string, unknown>>,
  name: string,
  charsMax: number,
): string {
  return fields[name] === undefined || fields[name] === "" ? "" : textField(fields, name, charsMax);
}
