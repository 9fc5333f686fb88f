/** The pages of rules: what each is given, read from the log of versions and the projections. */
import type { DensityView, PageBase, RulePage, RulesPage } from "./pages/model.ts";
import { PAGE_ANOMALIES_MAX } from "./pages/model.ts";
import { shown } from "./parameters.ts";
import { HttpFault } from "./problem.ts";
import { ruleViews, type Services } from "./services.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Buckets of the densities: a day by the hour, a month by the day. */
const DENSITIES = [{ stepMs: HOUR_MS, buckets: 24 }, { stepMs: DAY_MS, buckets: 30 }] as const;
/** Versions that the page of rules lists. */
const VERSIONS_MAX = 50;

/** All rules in force, and their versions. */
export function rulesPage(services: Services, base: PageBase): RulesPage {
  const { versions } = services;
  return {
    ...base,
    kind: "rules",
    version: services.ruleSet.version,
    rules: ruleViews(services),
    versions: versions.list(VERSIONS_MAX),
    versionsTotal: versions.total,
    pipeline: services.pipeline.view(base.now),
  };
}

/** One rule, in force or of before. @throws {HttpFault} 404 if no version has it */
export function rulePage(services: Services, base: PageBase, id: string): RulePage {
  services.persistence.settle();
  const { anomalies, versions } = services;
  const rule = ruleViews(services).find((rule) => rule.id === id) ?? null;
  const revisions = versions.revisions(id);
  if (rule === null && revisions.length === 0) {
    throw new HttpFault(404, `There is no rule ${shown(id)}, in force or before`);
  }
  return {
    ...base,
    kind: "rule",
    id,
    version: services.ruleSet.version,
    rule,
    densities: DENSITIES.map(({ stepMs, buckets }): DensityView => {
      const from = (Math.floor(base.now / stepMs) - buckets + 1) * stepMs;
      return { from, stepMs, counts: anomalies.density(id, from, stepMs, buckets) };
    }),
    anomalies: anomalies.page({ rule: id, limit: PAGE_ANOMALIES_MAX }),
    revisions,
  };
}
