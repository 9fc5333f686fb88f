/** What could not be shown: the cause and what to do. */
import { Name } from "../../islands/Name.tsx";
import { renderDocument } from "./document.tsx";
import { shellProps } from "./embed.ts";
import type { ErrorPage } from "./model.ts";

/** Draws a fault. */
export function renderError(page: ErrorPage): string {
  return renderDocument({
    shell: shellProps(page, { title: page.title }),
    place: "",
    script: "page.js",
    page: null,
    signedIn: page.signedIn,
    main: () => (
      <div class="page fault-page">
        <h2>{page.status} {page.title}</h2>
        <p>
          <Name text={page.detail} />
        </p>
        <p>
          <a class="button" href="/">To the live page</a>
        </p>
      </div>
    ),
  });
}
