/// <reference lib="dom" />
/** Brings a page to life: state from what it embeds, islands onto its HTML, then the stream. */
import { effect } from "@preact/signals";
import { type ComponentType, h, hydrate } from "preact";
import { LinkBanner } from "./LiveBar.tsx";
import { fetchOpenAnomalies } from "./api.ts";
import { isPlainKey } from "./plain_key.ts";
import { PROPS_ID, ROOTS } from "./roots.ts";
import { AppStore, type ShellProps } from "./store.ts";
import { connectStream } from "./stream.ts";
import { Toasts } from "./Toasts.tsx";
import { TopBar } from "./TopBar.tsx";
import { messageOf } from "./triage.ts";
import { bindUrl } from "./url_state.ts";
import { windowTitle } from "./window_title.ts";

/** The open anomalies are asked for again after this long, if they could not be read. */
const RESYNC_AGAIN_MS = 3000;

/** What the server embeds: the shell's part, and the page's own. */
export interface Embedded<P> {
  readonly shell: ShellProps;
  readonly page: P;
}

/**
 * Starts a page.
 *
 * @param Main its own part; none for pages that are the server's HTML alone
 */
export function boot<P>(Main: ComponentType<{ store: AppStore; page: P }> | null): void {
  const text = document.getElementById(PROPS_ID)?.textContent;
  if (text === undefined || text === null) return;
  const embedded: Embedded<P> = JSON.parse(text);
  const store = new AppStore(embedded.shell, () => Date.now());
  mount(ROOTS.bar, TopBar, { store });
  mount(ROOTS.banner, LinkBanner, { store });
  mount(ROOTS.toasts, Toasts, { store });
  if (Main !== null) mount(ROOTS.main, Main, { store, page: embedded.page });
  // What differs from the server's drawing comes after the islands have taken it over.
  store.link.value = "connecting";
  store.preferences.load(embedded.shell.dashboard);
  store.notifier.load();
  effect(() => {
    document.title = windowTitle(embedded.shell.title, store.anomalies.open.value.critical);
  });
  store.clock.start();
  setInterval(() => store.clock.tick(), 1000);
  bindUrl(store);
  bindPage(store);
  connectStream(embedded.shell.assets, {
    onEvent: (event, id) => {
      store.heardAt = Date.now();
      store.take(event, id);
    },
    onStatus: (status) => store.linked(status),
  });
}

function mount<P extends object>(id: string, component: ComponentType<P>, props: P): void {
  const root = document.getElementById(id);
  if (root !== null) hydrate(h(component, props), root);
}

/** Keys, visibility, and catching up after the link was down. */
function bindPage(store: AppStore): void {
  document.addEventListener("keydown", (event) => {
    if (event.key !== " " || !isPlainKey(event) || event.repeat) return;
    const { target } = event;
    // Space presses the button that has the focus, as everywhere.
    if (target instanceof Element && target.closest("button, a, summary, select") !== null) return;
    event.preventDefault();
    store.togglePause();
  });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) store.delay.forget();
    else store.publish();
  });
  let asked = 0;
  store.onResync = () => {
    const mine = ++asked;
    store.anomalies.expect();
    fetchOpenAnomalies().then((page) => {
      if (mine !== asked) return;
      store.anomalies.replace({
        ...page,
        anomalies: page.anomalies.map((anomaly) => store.triage.seenView(anomaly)),
      });
      if (store.pause.value === null) store.anomalies.publish();
      store.resynced.value++;
    }, (fault: unknown) => {
      if (mine !== asked) return;
      store.anomalies.expectNone();
      // Without it the figures would stay wrong until the link is lost the next time.
      setTimeout(() => {
        if (mine === asked) store.onResync?.();
      }, RESYNC_AGAIN_MS);
      store.toaster.say(`Cannot read the open anomalies: ${messageOf(fault)}`);
    });
  };
}
