/** `/anomalies`: what has been out of kilter, by rule and vehicle, and each. */
import { AnomaliesMain } from "../../islands/AnomaliesMain.tsx";
import { renderDocument } from "./document.tsx";
import { shellProps } from "./embed.ts";
import type { AnomaliesPage } from "./model.ts";

/** Draws the anomalies page. */
export function renderAnomalies(page: AnomaliesPage): string {
  const embedded = {
    filter: page.filter,
    anomalies: page.page.anomalies,
    cursor: page.page.cursor,
    groups: page.groups,
    stepMs: page.density.stepMs,
    rules: page.rules,
  };
  return renderDocument({
    shell: shellProps(page, { title: "Anomalies", anomalies: page.page }),
    place: "/anomalies",
    script: "anomalies.js",
    page: embedded,
    signedIn: page.signedIn,
    main: (store) => <AnomaliesMain store={store} page={embedded} />,
  });
}
