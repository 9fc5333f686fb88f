/// <reference lib="dom" />
/** The dialogs of triage: why, a note, a snooze, a name. */
import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef, useState } from "preact/hooks";
import type { AnomalyView } from "../contract/views.ts";
import { Doings, Message } from "./AnomalyCard.tsx";
import { formatDateTime, ruleTitle } from "./format.ts";
import { Name } from "./Name.tsx";
import type { AppStore } from "./store.ts";
import { SNOOZE_MINUTES, SNOOZES } from "./triage.ts";
import type { Asked } from "./triage_keys.ts";
import { WhyDialog } from "./WhyDialog.tsx";

const NOTE_CHARS_MAX = 2000;
const PERSON_CHARS_MAX = 100;

/** The dialog that is asked for; none while nothing is. */
export function TriageDialogs(props: {
  store: AppStore;
  asked: Asked | null;
  onClose: () => void;
}) {
  const { store, asked, onClose } = props;
  if (asked === null) return null;
  const parts = { store, anomaly: asked.anomaly, onClose };
  switch (asked.question) {
    case "why":
      return <WhyDialog {...parts} />;
    case "note":
      return <NoteDialog {...parts} />;
    case "snooze":
      return <SnoozeDialog {...parts} />;
    case "assign":
      return <AssignDialog {...parts} />;
  }
}

interface Parts {
  readonly store: AppStore;
  readonly anomaly: AnomalyView;
  readonly onClose: () => void;
}

/** A dialog about an anomaly; its form ends it. @param props.onSubmit what a sent form does */
function StepDialog(
  props: Parts & {
    title: string;
    onSubmit: (submitter: HTMLElement | null) => void;
    children: ComponentChildren;
  },
) {
  const { anomaly, title, onClose, onSubmit, children } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const name = useId();
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="step"
      aria-labelledby={name}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <form
        method="dialog"
        onSubmit={(event) => {
          const { submitter } = event;
          if (submitter instanceof HTMLElement && submitter.dataset.quit !== undefined) return;
          onSubmit(submitter instanceof HTMLElement ? submitter : null);
        }}
      >
        <h2 id={name}>
          {title}: <Name text={ruleTitle(anomaly.rule)} />
        </h2>
        <p>
          <Message anomaly={anomaly} />
        </p>
        {children}
      </form>
    </dialog>
  );
}

function NoteDialog(props: Parts) {
  const { store, anomaly } = props;
  const [text, setText] = useState("");
  const form = useRef<HTMLTextAreaElement>(null);
  return (
    <StepDialog
      {...props}
      title="Note"
      onSubmit={() => {
        if (text.trim() !== "") store.triage.take(anomaly, { kind: "note", text });
      }}
    >
      <Doings store={store} anomaly={anomaly} />
      <label class="field">
        What others should know
        <textarea
          ref={form}
          rows={4}
          autofocus
          required
          maxLength={NOTE_CHARS_MAX}
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
            event.preventDefault();
            form.current?.form?.requestSubmit();
          }}
        />
      </label>
      <Person store={store} />
      <Foot label="Add the note" keys="Ctrl Enter" />
    </StepDialog>
  );
}

function SnoozeDialog(props: Parts) {
  const { store, anomaly } = props;
  const zone = store.preferences.zone.value;
  // The clock of the moment at which it was asked: ends that tick are hard to read.
  const [now] = useState(() => store.clock.live());
  return (
    <StepDialog
      {...props}
      title="Snooze"
      onSubmit={(submitter) => {
        const minutes = Number(submitter?.dataset.minutes);
        if (minutes > 0) store.triage.take(anomaly, { kind: "snooze", minutes });
      }}
    >
      <div class="choose" onKeyDown={chooseByKey}>
        {SNOOZES.map(([minutes, words], k) => (
          <button
            key={minutes}
            type="submit"
            data-minutes={minutes}
            autofocus={minutes === SNOOZE_MINUTES}
          >
            <kbd>{k + 1}</kbd>
            <b>{words}</b>
            <small>until {formatDateTime(now + minutes * 60_000, zone).slice(5, 16)}</small>
          </button>
        ))}
      </div>
      <Foot />
    </StepDialog>
  );
}

/** A digit presses its button, up and down go from one to the next. */
function chooseByKey(event: KeyboardEvent): void {
  const box = event.currentTarget;
  if (!(box instanceof HTMLElement)) return;
  const buttons = [...box.querySelectorAll("button")];
  const digit = /^[1-9]$/.test(event.key) ? buttons[Number(event.key) - 1] : undefined;
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  if (digit === undefined && step === 0) return;
  event.preventDefault();
  if (digit !== undefined) digit.click();
  const at = buttons.findIndex((button) => button === document.activeElement);
  if (step !== 0) buttons[(at + step + buttons.length) % buttons.length].focus();
}

function AssignDialog(props: Parts) {
  const { store, anomaly } = props;
  const [to, setTo] = useState(anomaly.assignee);
  const people = useId();
  const own = store.preferences.person.value;
  const known = new Set([own, ...store.anomalies.list.value.map(({ assignee }) => assignee)]);
  known.delete("");
  return (
    <StepDialog
      {...props}
      title="Assign"
      onSubmit={(submitter) => {
        const name = submitter?.dataset.to ?? to.trim();
        if (name !== anomaly.assignee) store.triage.take(anomaly, { kind: "assign", to: name });
      }}
    >
      <label class="field">
        Who looks after it
        <input
          autofocus
          list={people}
          maxLength={PERSON_CHARS_MAX}
          value={to}
          onInput={(event) => setTo(event.currentTarget.value)}
        />
      </label>
      <datalist id={people}>
        {[...known].sort().map((name) => <option key={name} value={name} />)}
      </datalist>
      <Person store={store} />
      <Foot label="Assign">
        {own !== "" && own !== anomaly.assignee && (
          <button type="submit" data-to={own}>To me</button>
        )}
        {anomaly.assignee !== "" && <button type="submit" data-to="">To nobody</button>}
      </Foot>
    </StepDialog>
  );
}

/** The name that acts are noted under; kept in this browser. */
function Person(props: { store: AppStore }) {
  const { preferences } = props.store;
  return (
    <label class="field">
      Your name, noted with what you do
      <input
        autocomplete="name"
        maxLength={PERSON_CHARS_MAX}
        value={preferences.person.value}
        placeholder="somebody"
        onChange={(event) => preferences.setPerson(event.currentTarget.value)}
      />
    </label>
  );
}

function Foot(props: { label?: string; keys?: string; children?: ComponentChildren }) {
  const { label, keys, children } = props;
  return (
    <div class="foot">
      {label !== undefined && (
        <button type="submit" class="primary">
          {label} {keys !== undefined && <kbd>{keys}</kbd>}
        </button>
      )}
      {children}
      <button type="submit" data-quit formnovalidate>Cancel</button>
    </div>
  );
}
