/** The pages: data in, HTML out. Each is useful before any script runs. */
import { renderAnomalies } from "./AnomaliesPage.tsx";
import { renderError } from "./ErrorPage.tsx";
import { renderLive } from "./LivePage.tsx";
import { renderLogin } from "./LoginPage.tsx";
import type { PageModel } from "./model.ts";
import { renderPipeline } from "./PipelinePage.tsx";
import { renderRule } from "./RulePage.tsx";
import { renderRules } from "./RulesPage.tsx";
import { renderVehicle } from "./VehiclePage.tsx";
import { renderWhy } from "./WhyPage.tsx";

/** Draws a page as a whole HTML document. */
export function renderPage(page: PageModel): string {
  switch (page.kind) {
    case "live":
      return renderLive(page);
    case "anomalies":
      return renderAnomalies(page);
    case "vehicle":
      return renderVehicle(page);
    case "rules":
      return renderRules(page);
    case "rule":
      return renderRule(page);
    case "why":
      return renderWhy(page);
    case "pipeline":
      return renderPipeline(page);
    case "login":
      return renderLogin(page);
    case "error":
      return renderError(page);
  }
}
