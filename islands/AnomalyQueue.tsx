/// <reference lib="dom" />
/** The queue beside the map: what is open, by severity, and the steps of triage. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { AnomalyState, AnomalyView } from "../contract/views.ts";
import { formatCount, formatElapsed, messageText, ruleTitle, vehiclePath } from "./format.ts";
import { isInUse } from "./in_use.ts";
import { Name } from "./Name.tsx";
import { type HeldList, holdList } from "./queue_hold.ts";
import { SeverityShape } from "./SeverityShape.tsx";
import type { AppStore } from "./store.ts";
import { isPlainKey } from "./TopBar.tsx";
import { visibleText } from "./visible_text.ts";
import { WhyDialog } from "./WhyDialog.tsx";

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
  const [why, setWhy] = useState<AnomalyView | null>(null);
  const list = useRef<HTMLOListElement>(null);
  const held = useHeldList(store, tab, list);
  const { cards } = held;
  const keys = useRef<(event: KeyboardEvent) => void>(() => {});
  keys.current = (event) => {
    const at = cards.findIndex(({ anomaly }) => anomaly.id === store.anomaly.value);
    const chosen = cards[at]?.anomaly;
    const go = (to: number) => {
      const card = cards[Math.min(cards.length - 1, Math.max(0, to))];
      if (card === undefined) return;
      store.selectAnomaly(card.anomaly.id, card.anomaly.vehicle);
      reveal(list.current, card.anomaly.id);
    };
    const take = (step: "ack" | "snooze") => {
      if (chosen === undefined || cards[at].gone) return;
      go(at + 1 < cards.length ? at + 1 : at - 1);
      store.triage.take(step, chosen);
    };
    switch (event.key.toLowerCase()) {
      case "j":
        return go(at + 1);
      case "k":
        return go(at < 0 ? 0 : at - 1);
      case "a":
        return take("ack");
      case "s":
        return take("snooze");
      case "e":
        if (chosen !== undefined) setWhy(chosen);
        return;
      case "z":
        store.triage.undoLast();
    }
  };
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (isPlainKey(event)) keys.current(event);
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, []);

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
              {TAB_WORDS[name]} {formatCount(count(store, name))}
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
            onWhy={() => setWhy(anomaly)}
          />
        ))}
      </ol>
      {cards.length === 0 && <p class="none">{EMPTY_WORDS[tab]}</p>}
      {cards.length > CARDS_MAX && (
        <p class="none">
          The first {CARDS_MAX} of {formatCount(cards.length)}; <a href="/anomalies">see all</a>.
        </p>
      )}
      {why !== null && <WhyDialog store={store} anomaly={why} onClose={() => setWhy(null)} />}
    </aside>
  );
}

/** The list, held while a pointer, focus, selection or scrolled position is on it, or just after a change. */
function useHeldList(
  store: AppStore,
  tab: Tab,
  list: { readonly current: HTMLOListElement | null },
): HeldList & { release: () => void } {
  const before = useRef<{ held: HeldList; tab: Tab; at: number }>({ held: NOTHING, tab, at: 0 });
  const [, again] = useState(0);
  const box = list.current;
  const { held: shown, at } = before.current;
  const now = store.link.value === null ? 0 : Date.now();
  const isOn = box !== null && (box.scrollTop > 0 || isInUse(box));
  const isHeld = before.current.tab === tab && (isOn || now - at < REORDER_MS);
  const wanted = store.anomalies.list.value.filter(({ state }) => state === tab);
  const held = holdList(shown, wanted, isHeld, (id) => store.anomalies.get(id));
  before.current = { held, tab, at: isHeld ? at : now };
  const release = () => {
    before.current = { held: NOTHING, tab, at: 0 };
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
  onWhy: () => void;
}) {
  const { store, anomaly, gone, now, onWhy } = props;
  const { id, severity, vehicle, state } = anomaly;
  const isChosen = store.anomaly.value === id;
  return (
    <li
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
      {isChosen && !gone && (
        <div class="acts">
          {state === "open" && (
            <button
              type="button"
              class="primary"
              onClick={() => store.triage.take("ack", anomaly)}
            >
              Acknowledge <kbd>A</kbd>
            </button>
          )}
          {state !== "snoozed" && (
            <button
              type="button"
              onClick={() => store.triage.take("snooze", anomaly)}
            >
              Snooze 1 h <kbd>S</kbd>
            </button>
          )}
          <button type="button" onClick={onWhy}>
            Why? <kbd>E</kbd>
          </button>
        </div>
      )}
    </li>
  );
}

/** The message, the vehicle's id in it a link to its page. */
export function Message(props: { anomaly: AnomalyView }) {
  const { vehicle, openedAt } = props.anomaly;
  const message = messageText(props.anomaly.message);
  const link = (
    <a href={vehiclePath(vehicle, openedAt)}>
      <Name text={vehicle} />
    </a>
  );
  if (message === "") return link;
  if (message.startsWith(vehicle)) {
    return <>{link}{visibleText(message.slice(vehicle.length))}</>;
  }
  return (
    <>
      {link} · <Name text={message} />
    </>
  );
}

function goneWord(state: AnomalyState): string {
  return state === "open" ? "cleared" : state;
}

function count(store: AppStore, tab: Tab): number {
  return store.anomalies.list.value.reduce((sum, { state }) => sum + (state === tab ? 1 : 0), 0);
}

function reveal(list: HTMLOListElement | null, id: string): void {
  const card = [...(list?.children ?? [])].find((child) =>
    child instanceof HTMLElement && child.dataset.id === id
  );
  card?.scrollIntoView({ block: "nearest" });
}
