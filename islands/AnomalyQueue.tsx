/// <reference lib="dom" />
/** The queue beside the map: what is open, by severity, and the steps of triage. */
import { useRef, useState } from "preact/hooks";
import type { AnomalyState, AnomalyView } from "../contract/views.ts";
import { Message, PlainSteps, Steps } from "./AnomalyCard.tsx";
import { isNamed } from "./fleet_filter.ts";
import { counted, formatCount, formatElapsed, ruleTitle } from "./format.ts";
import { isInUse } from "./in_use.ts";
import { Name } from "./Name.tsx";
import { type HeldList, holdList } from "./queue_hold.ts";
import { SeverityShape } from "./SeverityShape.tsx";
import type { AppStore } from "./store.ts";
import { type Ask, useTriage } from "./triage_keys.ts";
import { TriageDialogs } from "./TriageDialogs.tsx";

const TABS = ["open", "acknowledged", "snoozed"] as const;
type Tab = typeof TABS[number];

const TAB_WORDS: Readonly<Record<Tab, string>> = {
  open: "Open",
  acknowledged: "Acked",
  snoozed: "Snoozed",
};
const EMPTY_WORDS: Readonly<Record<Tab, string>> = {
  open: "Nothing is out of kilter.",
  acknowledged: "Nothing acknowledged is still open.",
  snoozed: "Nothing is snoozed.",
};
/** Cards come and go at most this often, milliseconds: a burst is one change, not ten. */
const REORDER_MS = 1200;
/** Cards drawn at most; the anomalies page has them all. */
const CARDS_MAX = 200;

const NOTHING: HeldList = { cards: [], waiting: 0 };

/** The queue with its tabs and keys. */
export function AnomalyQueue(props: { store: AppStore }) {
  const { store } = props;
  const [tab, setTab] = useState<Tab>("open");
  const list = useRef<HTMLOListElement>(null);
  const held = useHeldList(store, tab, list);
  const { cards } = held;
  const { asked, ask, close } = useTriage({
    store,
    anomalies: cards.map(({ anomaly }) => anomaly),
    select: ({ id, vehicle }) => {
      store.selectAnomaly(id, vehicle);
      reveal(list.current, id);
    },
  });

  const now = store.clock.second.value;
  return (
    <aside class="queue" aria-label="Anomaly queue">
      <header>
        <h2>Anomalies</h2>
        <div role="group" aria-label="Shown in the queue" class="scripted">
          {TABS.map((name) => (
            <button
              key={name}
              type="button"
              aria-pressed={tab === name}
              onClick={() => setTab(name)}
            >
              {TAB_WORDS[name]} {formatCount(listed(store, name).length)}
            </button>
          ))}
        </div>
      </header>
      {held.waiting > 0 && (
        <button
          type="button"
          class="fresh"
          onClick={() => {
            list.current?.scrollTo({ top: 0 });
            held.release();
          }}
        >
          {formatCount(held.waiting)} new
        </button>
      )}
      <ol ref={list}>
        {cards.slice(0, CARDS_MAX).map(({ anomaly, gone }, k) => (
          // Keyed by place, as rows of the table are: a burst of news shifts nothing on the screen.
          <QueueCard
            key={k}
            store={store}
            anomaly={anomaly}
            gone={gone}
            now={now}
            ask={ask}
          />
        ))}
      </ol>
      {cards.length === 0 && (
        <p class="none">
          {store.name.value === "" ? EMPTY_WORDS[tab] : "Nothing of the vehicles shown."}
        </p>
      )}
      {cards.length > CARDS_MAX && (
        <p class="none">
          The first {CARDS_MAX} of {formatCount(cards.length)}; <a href="/anomalies">see all</a>.
        </p>
      )}
      <TriageDialogs store={store} asked={asked} onClose={close} />
    </aside>
  );
}

/** The list, held while a pointer, focus, selection or scrolled position is on it, or just after a change. */
function useHeldList(
  store: AppStore,
  tab: Tab,
  list: { readonly current: HTMLOListElement | null },
): HeldList & { release: () => void } {
  const before = useRef<{ held: HeldList; tab: Tab; name: string; at: number }>({
    held: NOTHING,
    tab,
    name: "",
    at: 0,
  });
  const name = store.name.value;
  const [, again] = useState(0);
  const box = list.current;
  const { held: shown, at } = before.current;
  const now = store.link.value === null ? 0 : Date.now();
  const isOn = box !== null && (box.scrollTop > 0 || isInUse(box));
  const isHeld = before.current.tab === tab && before.current.name === name &&
    (isOn || now - at < REORDER_MS);
  const wanted = listed(store, tab);
  const held = holdList(shown, wanted, isHeld, (id) => store.anomalies.get(id));
  before.current = { held, tab, name, at: isHeld ? at : now };
  const release = () => {
    before.current = { held: NOTHING, tab, name, at: 0 };
    again((times) => times + 1);
  };
  // What waits for a moment only needs no mention.
  return { ...held, waiting: isOn ? held.waiting : 0, release };
}

function QueueCard(props: {
  store: AppStore;
  anomaly: AnomalyView;
  gone: boolean;
  now: number;
  ask: Ask;
}) {
  const { store, anomaly, gone, now, ask } = props;
  const { id, severity, vehicle, state } = anomaly;
  const isChosen = store.anomaly.value === id;
  return (
    <li
      id={`a-${id}`}
      data-id={id}
      class={`card ${severity}${gone ? " gone" : ""}`}
      aria-current={isChosen ? "true" : undefined}
      onClick={(event) => {
        if (!(event.target instanceof HTMLAnchorElement)) store.selectAnomaly(id, vehicle);
      }}
    >
      <SeverityShape severity={severity} named />
      <h3>
        <Name text={ruleTitle(anomaly.rule)} />
        {anomaly.count > 1 && <small>×{formatCount(anomaly.count)}</small>}
      </h3>
      <time>{gone ? goneWord(state) : formatElapsed(now - anomaly.openedAt)}</time>
      <p>
        <Message anomaly={anomaly} />
      </p>
      {(anomaly.assignee !== "" || anomaly.notes.length > 0) && (
        <small class="meta">
          {anomaly.assignee !== "" && (
            <>
              With <Name text={anomaly.assignee} />
            </>
          )}
          {anomaly.assignee !== "" && anomaly.notes.length > 0 && " · "}
          {anomaly.notes.length > 0 && counted(anomaly.notes.length, "note")}
        </small>
      )}
      {isChosen && !gone && (
        <div class="acts">
          <Steps store={store} anomaly={anomaly} ask={ask} isChosen />
        </div>
      )}
      {store.link.value === null && <PlainSteps anomaly={anomaly} place="/" />}
    </li>
  );
}

function goneWord(state: AnomalyState): string {
  return state === "open" ? "cleared" : state;
}

/** What belongs to a tab, of the vehicles that are shown. */
function listed(store: AppStore, tab: Tab): AnomalyView[] {
  const name = store.name.value;
  return store.anomalies.list.value.filter(({ state, vehicle }) =>
    state === tab && (name === "" || isNamed(vehicle, name))
  );
}

function reveal(list: HTMLOListElement | null, id: string): void {
  const card = [...(list?.children ?? [])].find((child) =>
    child instanceof HTMLElement && child.dataset.id === id
  );
  card?.scrollIntoView({ block: "nearest" });
}
