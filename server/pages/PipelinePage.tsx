/** `/pipeline`: from source to browsers. */
import { PipelineMain } from "../../islands/PipelineMain.tsx";
import { renderDocument } from "./document.tsx";
import { shellProps } from "./embed.ts";
import type { PipelinePage } from "./model.ts";

/** Draws the pipeline page. */
export function renderPipeline(page: PipelinePage): string {
  const embedded = {
    rules: page.rules.map(({ id, fired, open, cost }) => ({ id, fired, open, cost })),
  };
  return renderDocument({
    shell: shellProps(page, { title: "Pipeline", pipeline: page.pipeline }),
    place: "/pipeline",
    script: "pipeline.js",
    page: embedded,
    signedIn: page.signedIn,
    main: (store) => <PipelineMain store={store} page={embedded} />,
  });
}
