/** `/`: the fleet now. */
import { LiveMain } from "../../islands/LiveMain.tsx";
import { renderDocument } from "./document.tsx";
import { shellProps } from "./embed.ts";
import type { LivePage } from "./model.ts";

/** Draws the live page. */
export function renderLive(page: LivePage): string {
  const { vehicles, fleet, anomalies, pipeline, tileValues } = page;
  return renderDocument({
    shell: shellProps(page, { title: "Live", vehicles, fleet, anomalies, pipeline, tileValues }),
    place: "/",
    script: "live.js",
    page: null,
    signedIn: page.signedIn,
    main: (store) => <LiveMain store={store} />,
  });
}
