/** The document around every page: head, rail, bar, and the data that islands read. */
import type { ComponentChild } from "preact";
import { renderToString } from "preact-render-to-string";
import { PROPS_ID, ROOTS } from "../../islands/roots.ts";
import { Icon, type IconName } from "../../islands/Icon.tsx";
import { LinkBanner } from "../../islands/LiveBar.tsx";
import { AppStore, type ShellProps } from "../../islands/store.ts";
import { Toasts } from "../../islands/Toasts.tsx";
import { windowTitle } from "../../islands/window_title.ts";
import { TopBar } from "../../islands/TopBar.tsx";
import { scriptJson } from "./embed.ts";

/** Where the rail leads. */
const PLACES: readonly {
  readonly href: string;
  readonly label: string;
  readonly icon: IconName;
}[] = [
  { href: "/", label: "Live", icon: "live" },
  { href: "/anomalies", label: "Anomalies", icon: "anomalies" },
  { href: "/rules", label: "Rules", icon: "rules" },
  { href: "/pipeline", label: "Pipeline", icon: "pipeline" },
];

/** What a document is made of. */
export interface DocumentParts<P> {
  readonly shell: ShellProps;
  /** Place of the rail that the page belongs to, "" for none. */
  readonly place: string;
  /** Bundle of the page, e.g. `live.js`. */
  readonly script: string;
  /** What the page's own island embeds. */
  readonly page: P;
  /** Whether to offer signing out. */
  readonly signedIn: boolean;
  readonly main: (store: AppStore) => ComponentChild;
}

/** Draws a page with its shell. */
export function renderDocument<P>(parts: DocumentParts<P>): string {
  const { shell, place, script, page } = parts;
  const store = new AppStore(shell, () => shell.now);
  const body = renderToString(
    <>
      <a class="skip" href={`#${ROOTS.main}`}>To the content</a>
      <Rail place={place} signedIn={parts.signedIn} />
      <header id={ROOTS.bar} class="bar">
        <TopBar store={store} />
      </header>
      <div id={ROOTS.banner}>
        <LinkBanner store={store} />
      </div>
      <main id={ROOTS.main} tabIndex={-1}>{parts.main(store)}</main>
      <div id={ROOTS.toasts}>
        <Toasts store={store} />
      </div>
    </>,
  );
  const data = `<script type="application/json" id="${PROPS_ID}">${
    scriptJson({ shell, page })
  }</script>`;
  const title = windowTitle(shell.title, shell.anomalies.open.critical);
  return wrapped(shell.assets, title, script, `${body}${data}`);
}

/** Draws a page that stands alone, without rail and stream. */
export function renderBare(assets: string, title: string, content: ComponentChild): string {
  const body = renderToString(<main id={ROOTS.main} class="bare">{content}</main>);
  return wrapped(assets, windowTitle(title, 0), null, body);
}

function wrapped(assets: string, title: string, script: string | null, body: string): string {
  const head = renderToString(
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width,initial-scale=1" />
      <meta name="color-scheme" content="dark light" />
      <title>{title}</title>
      <link rel="icon" href={`${assets}icon.svg`} type="image/svg+xml" />
      <script src={`${assets}theme.js`} />
      <link rel="stylesheet" href={`${assets}kilter.css`} />
      {script !== null && <script type="module" src={`${assets}${script}`} />}
    </head>,
  );
  return `<!doctype html><html lang="en">${head}<body>${body}</body></html>`;
}

function Rail(props: { place: string; signedIn: boolean }) {
  return (
    <nav class="rail" aria-label="Pages">
      {PLACES.map(({ href, label, icon }) => (
        <a
          key={href}
          href={href}
          title={label}
          aria-current={props.place === href ? "page" : undefined}
        >
          <Icon name={icon} />
          <span>{label}</span>
        </a>
      ))}
      {props.signedIn && (
        <form method="post" action="/logout">
          <button type="submit" title="Sign out">
            <Icon name="close" />
            <span>Sign out</span>
          </button>
        </form>
      )}
    </nav>
  );
}
