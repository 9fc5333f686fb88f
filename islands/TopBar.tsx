/// <reference lib="dom" />
/** The bar over every page: title, liveness, search, units and zone, theme, link. */
import { useEffect, useState } from "preact/hooks";
import { Icon } from "./Icon.tsx";
import { LiveBar } from "./LiveBar.tsx";
import type { Units } from "./format.ts";
import { KeysDialog } from "./KeysDialog.tsx";
import { Name } from "./Name.tsx";
import type { Notifying } from "./notifier.ts";
import { isPlainKey } from "./plain_key.ts";
import { SearchDialog } from "./SearchDialog.tsx";
import type { AppStore } from "./store.ts";
import { messageOf } from "./triage.ts";
import { flushUrl } from "./url_state.ts";

/** The bar; `onSearch` hands out the function that opens the search. */
export function TopBar(props: { store: AppStore }) {
  const { store } = props;
  const { preferences, shell } = store;
  const [searching, setSearching] = useState(false);
  const [helping, setHelping] = useState(false);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!isPlainKey(event)) return;
      if (event.key === "/") setSearching(true);
      else if (event.key === "?") setHelping(true);
      else if (event.key.toLowerCase() === "c") copyLink(store);
      else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <h1>
        <Name text={shell.title} />
      </h1>
      <LiveBar store={store} />
      <span class="spring" />
      <button type="button" class="search-open scripted" onClick={() => setSearching(true)}>
        <Icon name="search" />
        <span>Search vehicles, rules, pages</span>
        <kbd>/</kbd>
      </button>
      <button type="button" class="choices-open scripted" popovertarget="choices">
        <span class="zone">{preferences.zone.value} ·</span> {preferences.units.value}
      </button>
      <Choices store={store} />
      <button
        type="button"
        class="square scripted"
        title="Turn the page dark or light"
        aria-label="Turn the page dark or light"
        onClick={() => preferences.toggleTheme()}
      >
        <Icon name="theme" />
      </button>
      <CopyLink store={store} />
      <button
        type="button"
        class="square copy scripted"
        title="Keys"
        aria-label="Keys"
        onClick={() => setHelping(true)}
      >
        ?
      </button>
      {helping && <KeysDialog onClose={() => setHelping(false)} />}
      {searching && <SearchDialog store={store} onClose={() => setSearching(false)} />}
    </>
  );
}

function Choices(props: { store: AppStore }) {
  const { preferences } = props.store;
  const zone = preferences.zone.value;
  const [zones, setZones] = useState<readonly string[]>(["UTC"]);
  useEffect(() => setZones(["UTC", ...Intl.supportedValuesOf("timeZone")]), []);
  const units: readonly Units[] = ["km/h", "mph"];
  return (
    <div id="choices" popover="auto" class="choices">
      <fieldset>
        <legend>Speed in</legend>
        {units.map((unit) => (
          <label key={unit}>
            <input
              type="radio"
              name="units"
              checked={preferences.units.value === unit}
              onChange={() => preferences.setUnits(unit)}
            />
            {unit}
          </label>
        ))}
      </fieldset>
      <label class="field">
        Your name, noted with what you do
        <input
          autocomplete="name"
          maxLength={100}
          value={preferences.person.value}
          placeholder="somebody"
          onChange={(event) => preferences.setPerson(event.currentTarget.value)}
        />
      </label>
      <Notify store={props.store} />
      <label class="field">
        Times in the zone
        <select value={zone} onChange={(event) => preferences.setZone(event.currentTarget.value)}>
          {(zones.includes(zone) ? zones : [zone, ...zones]).map((name) => (
            <option key={name} value={name}>{name}</option>
          ))}
        </select>
      </label>
    </div>
  );
}

/** What is in the way of notifications. */
const NOTIFY_WORDS: Readonly<Record<Notifying, string>> = {
  off: "Off. They come while this page is not looked at.",
  on: "On while this page is open.",
  denied: "This browser was told to allow none from here: its settings say so.",
  insecure: "Browsers notify from https pages and from this machine only.",
  unsupported: "This browser has none.",
};

function Notify(props: { store: AppStore }) {
  const { notifier, toaster } = props.store;
  const state = notifier.state.value;
  const press = () =>
    notifier.toggle().catch((fault: unknown) => toaster.say(`Cannot notify: ${messageOf(fault)}`));
  return (
    <div class="field">
      Notifications of criticals
      {(state === "off" || state === "on") && (
        <button type="button" aria-pressed={state === "on"} onClick={press}>
          {state === "on" ? "Stop notifying me" : "Notify me"}
        </button>
      )}
      <span>{NOTIFY_WORDS[state]}</span>
    </div>
  );
}

async function copyLink({ toaster }: AppStore): Promise<void> {
  // The clipboard wants a secure origin, which a page on a local network does not have.
  if (navigator.clipboard === undefined) {
    toaster.say("The address bar holds the link: this browser copies on secure pages only");
    return;
  }
  flushUrl();
  try {
    await navigator.clipboard.writeText(location.href);
    toaster.say("Link to this view copied");
  } catch (fault) {
    toaster.say(`The address bar holds the link; it was not copied: ${messageOf(fault)}`);
  }
}

function CopyLink(props: { store: AppStore }) {
  return (
    <button
      type="button"
      class="square copy scripted"
      aria-label="Copy link"
      title="Copy link (C)"
      onClick={() => copyLink(props.store)}
    >
      <Icon name="link" />
    </button>
  );
}
