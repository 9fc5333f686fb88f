/** The static files of the pages. */
import type { AssetFile } from "./model.ts";

const SCRIPT = "text/javascript; charset=utf-8";
const DIST = new URL("../../islands/dist/", import.meta.url);

/** Bundles that pages link by name. */
const BUNDLES = [
  "live.js",
  "anomalies.js",
  "vehicle.js",
  "pipeline.js",
  "rules.js",
  "rule.js",
  "why.js",
  "page.js",
  "stream_worker.js",
];

/** Every file to serve, the islands' bundles and their chunks among them, built or not. */
export function assetFiles(): readonly AssetFile[] {
  const scripts = new Set([...BUNDLES, ...builtScripts()]);
  return [
    {
      name: "kilter.css",
      url: new URL("./kilter.css", import.meta.url),
      type: "text/css; charset=utf-8",
    },
    { name: "icon.svg", url: new URL("./icon.svg", import.meta.url), type: "image/svg+xml" },
    {
      name: "land.bin",
      url: new URL("../../islands/land.bin", import.meta.url),
      type: "application/octet-stream",
    },
    { name: "theme.js", url: new URL("./theme.js", import.meta.url), type: SCRIPT },
    ...[...scripts].sort().map((name) => ({ name, url: new URL(name, DIST), type: SCRIPT })),
  ];
}

function builtScripts(): string[] {
  try {
    return [...Deno.readDirSync(DIST)].map(({ name }) => name).filter((name) =>
      name.endsWith(".js")
    );
  } catch (fault) {
    if (fault instanceof Deno.errors.NotFound) return [];
    throw fault;
  }
}
