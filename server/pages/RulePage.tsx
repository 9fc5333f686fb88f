/** `/rules/:id`: one rule, in force or of before. */
import { ruleTitle } from "../../islands/format.ts";
import { RuleMain } from "../../islands/RuleMain.tsx";
import { renderDocument } from "./document.tsx";
import { shellProps } from "./embed.ts";
import type { RulePage } from "./model.ts";

/** Draws the page of a rule. */
export function renderRule(page: RulePage): string {
  const { id, version, rule, densities, anomalies, revisions } = page;
  const embedded = { id, version, rule, densities, anomalies: anomalies.anomalies, revisions };
  const title = ruleTitle(id);
  return renderDocument({
    shell: shellProps(page, { title, anomalies }),
    place: "/rules",
    script: "rule.js",
    page: embedded,
    signedIn: page.signedIn,
    main: (store) => <RuleMain store={store} page={embedded} />,
  });
}
