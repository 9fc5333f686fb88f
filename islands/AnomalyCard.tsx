/** An anomaly with its steps and what became of it, as lists show it. */
import { useComputed } from "@preact/signals";
import type { ComponentChild } from "preact";
import type { AnomalyAct, AnomalyState, AnomalyView, Doing } from "../contract/views.ts";
import {
  counted,
  formatDateTime,
  formatElapsed,
  messageText,
  ruleTitle,
  vehiclePath,
} from "./format.ts";
import { Name } from "./Name.tsx";
import { SeverityShape } from "./SeverityShape.tsx";
import type { AppStore } from "./store.ts";
import { SNOOZE_MINUTES, SNOOZES } from "./triage.ts";
import type { Ask } from "./triage_keys.ts";
import { visibleText } from "./visible_text.ts";

/** States in words. */
export const STATE_WORDS: Readonly<Record<AnomalyState, string>> = {
  open: "Open",
  acknowledged: "Acknowledged",
  snoozed: "Snoozed",
  cleared: "Cleared",
};

/** What a card is given. */
export interface ListedCardProps {
  readonly store: AppStore;
  readonly anomaly: AnomalyView;
  /** Path that forms lead back to. */
  readonly place: string;
  readonly ask: Ask;
}

/** One anomaly with its steps; without scripts these are a form. */
export function ListedCard(props: ListedCardProps) {
  const { store, place, ask } = props;
  // Steps taken here show at once, before the server's word comes back over the stream.
  const held = useComputed(() => {
    store.anomalies.list.value;
    return store.anomalies.get(props.anomaly.id);
  });
  const anomaly = props.anomaly.state === "cleared" ? props.anomaly : held.value ?? props.anomaly;
  const { id, state } = anomaly;
  const zone = store.preferences.zone.value;
  const since = state === "cleared"
    ? `lasted ${formatElapsed((anomaly.clearedAt ?? anomaly.at) - anomaly.openedAt)}`
    : formatElapsed(store.clock.second.value - anomaly.openedAt);
  const isChosen = store.anomaly.value === id;
  return (
    <li
      id={`a-${id}`}
      class={`card ${anomaly.severity}${state === "cleared" ? " gone" : ""}`}
      aria-current={isChosen ? "true" : undefined}
      onClick={() => {
        store.anomaly.value = id;
      }}
    >
      <SeverityShape severity={anomaly.severity} named />
      <h3>
        <Name text={ruleTitle(anomaly.rule)} />{" "}
        {anomaly.count > 1 && <small>×{anomaly.count}</small>}
      </h3>
      <time>{since}</time>
      <p>
        <Message anomaly={anomaly} />
      </p>
      <small class="meta">
        {STATE_WORDS[state]}
        {state === "snoozed" && anomaly.snoozedUntil !== null &&
          ` until ${formatDateTime(anomaly.snoozedUntil, zone)}`} · opened{" "}
        {formatDateTime(anomaly.openedAt, zone)}
        {anomaly.reason !== null && anomaly.reason !== "condition" && ` · ${anomaly.reason}`}
        {anomaly.assignee !== "" && (
          <>
            {" "}· with <Name text={anomaly.assignee} />
          </>
        )}
      </small>
      <Doings store={store} anomaly={anomaly} />
      {store.link.value === null && <PlainSteps anomaly={anomaly} place={place} />}
      <div class="acts scripted">
        <Steps store={store} anomaly={anomaly} ask={ask} isChosen={isChosen} />
      </div>
    </li>
  );
}

/** What the buttons of triage are given. */
export interface StepsProps {
  readonly store: AppStore;
  readonly anomaly: AnomalyView;
  readonly ask: Ask;
  /** Only there the first step stands out, and the keys stand on the buttons. */
  readonly isChosen: boolean;
}

/** The buttons of triage. */
export function Steps(props: StepsProps) {
  const { store: { triage }, anomaly, ask, isChosen } = props;
  const { state } = anomaly;
  const key = (letter: string) => isChosen && <kbd>{letter}</kbd>;
  return (
    <>
      {state === "open" && (
        <button
          type="button"
          class={isChosen ? "primary" : undefined}
          onClick={() => triage.take(anomaly, { kind: "ack", acknowledged: true })}
        >
          Acknowledge {key("A")}
        </button>
      )}
      {state === "acknowledged" && (
        <button
          type="button"
          onClick={() => triage.take(anomaly, { kind: "ack", acknowledged: false })}
        >
          Open again
        </button>
      )}
      {state === "snoozed" && (
        <button
          type="button"
          onClick={() => triage.take(anomaly, { kind: "wake" })}
        >
          Wake
        </button>
      )}
      {(state === "open" || state === "acknowledged") && (
        <button
          type="button"
          onClick={() => ask("snooze", anomaly)}
        >
          Snooze… {key("S")}
        </button>
      )}
      <button type="button" onClick={() => ask("why", anomaly)}>
        Why? {key("E")}
      </button>
      <button type="button" onClick={() => ask("note", anomaly)}>
        Note… {key("N")}
      </button>
      {state !== "cleared" && (
        <button type="button" onClick={() => ask("assign", anomaly)}>
          Assign… {key("I")}
        </button>
      )}
    </>
  );
}

/** The same as one form, for browsers that run no scripts. */
export function PlainSteps(props: { anomaly: AnomalyView; place: string }) {
  const { anomaly: { id, state, assignee }, place } = props;
  const path = (step: string) => `/api/anomalies/${encodeURIComponent(id)}/${step}`;
  return (
    <form class="acts unscripted" method="post" action={path("note")}>
      <input type="hidden" name="next" value={`${place}#a-${id}`} />
      {state === "open" && <button type="submit" formaction={path("ack")}>Acknowledge</button>}
      {state === "acknowledged" && (
        <button type="submit" formaction={path("ack")} name="acknowledged" value="false">
          Open again
        </button>
      )}
      {state === "snoozed" && (
        <button type="submit" formaction={path("snooze")} name="until" value="">Wake</button>
      )}
      <a class="button" href={`/anomalies/${encodeURIComponent(id)}`}>Why?</a>
      <details>
        <summary>More</summary>
        <label class="field">
          Your name
          <input name="by" maxLength={100} autocomplete="name" />
        </label>
        <label class="field">
          Note
          <textarea name="text" rows={3} maxLength={2000} />
        </label>
        <button type="submit">Add the note</button>
        {state !== "cleared" && (
          <>
            <label class="field">
              Assign to
              <input name="to" maxLength={100} value={assignee} />
            </label>
            <button type="submit" formaction={path("assign")}>Assign</button>
            <label class="field">
              Snooze for
              <select name="minutes">
                {SNOOZES.map(([minutes, words]) => (
                  <option key={minutes} value={minutes} selected={minutes === SNOOZE_MINUTES}>
                    {words}
                  </option>
                ))}
              </select>
            </label>
            <button type="submit" formaction={path("snooze")}>Snooze</button>
          </>
        )}
      </details>
    </form>
  );
}

/** Who wrote what and did what, and when: oldest first, what was done folded away. */
export function Doings(props: { store: AppStore; anomaly: AnomalyView }) {
  const { notes, acts } = props.anomaly;
  const zone = props.store.preferences.zone.value;
  const row = ({ at, by }: Doing, k: number, what: ComponentChild) => (
    <li key={k}>
      <time>{formatDateTime(at, zone)}</time> <b>{by === "" ? "somebody" : <Name text={by} />}</b>
      {" "}
      {what}
    </li>
  );
  return (
    <>
      {notes.length > 0 && (
        <ol class="doings">
          {notes.map((note, k) => row(note, k, <q dir="auto">{visibleText(note.text, true)}</q>))}
        </ol>
      )}
      {acts.length > 0 && (
        <details class="doings">
          <summary>{counted(acts.length, "step")} so far</summary>
          <ol>{acts.map((act, k) => row(act, k, <ActWords act={act} zone={zone} />))}</ol>
        </details>
      )}
    </>
  );
}

function ActWords(props: { act: AnomalyAct; zone: string }) {
  const { act, zone } = props;
  switch (act.kind) {
    case "acknowledged":
      return <>acknowledged it</>;
    case "unacknowledged":
      return <>opened it again</>;
    case "woken":
      return <>woke it</>;
    case "snoozed":
      return <>snoozed it until {formatDateTime(act.until, zone)}</>;
    case "assigned":
      return act.to === "" ? <>assigned it to nobody</> : (
        <>
          assigned it to <Name text={act.to} />
        </>
      );
  }
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
