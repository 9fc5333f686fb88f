/** `/`: the fleet now. */
import { LiveMain } from "../../islands/LiveMain.tsx";
import { renderDocument } from "./document.tsx";
import { shellProps } from "./embed.ts";
import type { LivePage } from "./model.ts";

/** Draws the live page. */
export function renderLive(page: LivePage): string {
  const { vehicles, fleet, anomalies, pipeline, open, tileValues } = page;
  const critical = open.critical > 0 ? `${open.critical} critical · ` : "";
  return renderDocument({
    shell: shellProps(page, { title: "Live", vehicles, fleet, anomalies, pipeline, tileValues }),
    windowTitle: `${critical}Live`,
    place: "/",
    script: "live.js",
    page: null,
    signedIn: page.signedIn,
    main: (store) => <LiveMain store={store} />,
  });
}
