/** `/anomalies/:id`: why one anomaly fired. */
import { ruleTitle } from "../../islands/format.ts";
import { WhyMain } from "../../islands/WhyMain.tsx";
import { renderDocument } from "./document.tsx";
import { shellProps } from "./embed.ts";
import type { WhyPage } from "./model.ts";

/** Draws the page. */
export function renderWhy(page: WhyPage): string {
  const { proof, ...why } = page.why;
  const silencing = proof === null ? null : {
    limits: proof.thresholds.flatMap(({ term, unit, nearest }) =>
      nearest === null ? [] : [{ term, unit, nearest }]
    ),
    forMs: proof.duration?.nearestMs ?? null,
  };
  const embedded = { why, silencing };
  return renderDocument({
    shell: shellProps(page, { title: `Why: ${ruleTitle(why.anomaly.rule)}` }),
    place: "/anomalies",
    script: "why.js",
    page: embedded,
    signedIn: page.signedIn,
    main: (store) => <WhyMain store={store} page={embedded} />,
  });
}
