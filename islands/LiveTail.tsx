/// <reference lib="dom" />
/** Records as they come: filtered by text, sampled where they are many, held when asked. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { TailView } from "../contract/views.ts";
import { fetchTail } from "./api.ts";
import { formatCount, formatTime } from "./format.ts";
import { isInUse } from "./in_use.ts";
import { Name } from "./Name.tsx";
import type { AppStore } from "./store.ts";
import { messageOf } from "./triage.ts";
import { visibleText } from "./visible_text.ts";

/** Records shown at most. */
const SHOWN_MAX = 100;
/** After a fault the next look waits this long, milliseconds. */
const AGAIN_MS = 5000;

/** The tail; it looks for as long as it is there, seen, and not held. */
export function LiveTail(props: { store: AppStore }) {
  const { store } = props;
  const [part, setPart] = useState("");
  const [held, setHeld] = useState(false);
  const [view, setView] = useState<TailView | null>(null);
  const list = useRef<HTMLDivElement>(null);
  const wanted = useRef({ part, held });
  wanted.current = { part, held };
  useEffect(() =>
    watch(store, wanted, (found) => {
      // What somebody reads or selects stays where it is.
      if (list.current === null || !isInUse(list.current)) setView(found);
    }), []);
  const zone = store.preferences.zone.value;
  return (
    <section aria-labelledby="tail-title" class="tail scripted">
      <h2 id="tail-title">Records</h2>
      <div class="tail-bar">
        <input
          type="search"
          placeholder="Key or text"
          aria-label="Show records that hold this text"
          maxLength={200}
          value={part}
          onInput={(event) => setPart(event.currentTarget.value)}
        />
        <button type="button" aria-pressed={held} onClick={() => setHeld(!held)}>
          {held ? "Go on" : "Hold"}
        </button>
        <span role="status">{summary(view, held)}</span>
      </div>
      <div ref={list} class="scroll" tabIndex={0} role="region" aria-label="Records">
        <table>
          <thead>
            <tr>
              <th scope="col">Came</th>
              <th scope="col" class="number">Partition</th>
              <th scope="col" class="number">Offset</th>
              <th scope="col">Key</th>
              <th scope="col">Value</th>
            </tr>
          </thead>
          <tbody>
            {view?.records.toReversed().map(({ partition, offset, append, key, text }) => (
              <tr key={`${partition} ${offset}`}>
                <td>{formatTime(append, zone)}</td>
                <td class="number">{partition}</td>
                <td class="number">{formatCount(offset)}</td>
                <td>
                  <Name text={key} />
                </td>
                <td>
                  <code>{text === "" ? "tick: only time passed" : visibleText(text)}</code>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {view !== null && view.records.length === 0 && (
          <p class="none">
            {view.seen === 0 ? "Nothing came just now." : "None of them holds that text."}
          </p>
        )}
      </div>
    </section>
  );
}

/** How much is shown of how much. */
function summary(view: TailView | null, held: boolean): string {
  if (view === null) return "";
  const { seen, matched, records } = view;
  const found = matched === seen
    ? `${formatCount(seen)}`
    : `${formatCount(matched)} that match, of ${formatCount(seen)}`;
  const shown = records.length < matched ? `sampled ${formatCount(records.length)} of ` : "";
  return `${shown}${found} in a second${held ? ", held" : ""}`;
}

/** Looks again and again. @returns what ends it */
function watch(
  store: AppStore,
  wanted: { readonly current: { readonly part: string; readonly held: boolean } },
  take: (view: TailView) => void,
): () => void {
  let ended = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const soon = (ms: number) => {
    if (!ended) timer = setTimeout(look, ms);
  };
  const look = async () => {
    const { part, held } = wanted.current;
    const isIdle = held || document.hidden || store.pause.value !== null ||
      store.link.value !== "open";
    if (isIdle) return soon(300);
    try {
      const view = await fetchTail(part, SHOWN_MAX);
      const now = wanted.current;
      // What was asked for before the last letter was typed is not what is wanted now.
      if (!ended && !now.held && now.part === part) take(view);
      soon(0);
    } catch (fault) {
      if (!ended) store.toaster.say(`Cannot read the records: ${messageOf(fault)}`);
      soon(AGAIN_MS);
    }
  };
  soon(0);
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
