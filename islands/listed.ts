/// <reference lib="dom" />
/** Lists of anomalies that hold more than what is open, kept true while the page is open. */
import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { AnomalyEvent } from "../contract/stream.ts";
import type { AnomalyView } from "../contract/views.ts";
import { fetchAnomaly } from "./api.ts";
import type { AppStore } from "./store.ts";
import { messageOf } from "./triage.ts";

/** Anomalies asked for one by one at most, after the stream had to begin afresh. */
const REREAD_MAX = 100;

/**
 * The list, changed as events come; what is listed stays in its place.
 *
 * @param takes whether an anomaly not listed yet is to come first
 * @param onEvent told of each event too
 */
export function useListed(
  store: AppStore,
  initial: readonly AnomalyView[],
  takes: (anomaly: AnomalyView) => boolean,
  listedMax: number,
  onEvent: (event: AnomalyEvent) => void = () => {},
): readonly AnomalyView[] {
  const [list, setList] = useState(initial);
  const newest = useRef(list);
  newest.current = list;
  const take = (anomaly: AnomalyView) =>
    setList((list) => {
      const at = list.findIndex(({ id }) => id === anomaly.id);
      if (at >= 0) return list.with(at, anomaly);
      return takes(anomaly) ? [anomaly, ...list].slice(0, listedMax) : list;
    });
  useEffect(() => {
    store.onAnomaly = (event) => {
      take(event.anomaly);
      onEvent(event);
    };
    return () => {
      store.onAnomaly = null;
    };
  }, []);
  useSignalEffect(() => {
    if (store.resynced.value === 0) return;
    // What is neither cleared nor open any more has changed while nobody listened.
    const lost = newest.current.filter(({ id, state }) =>
      state !== "cleared" && store.anomalies.get(id) === undefined
    );
    for (const { id } of lost.slice(0, REREAD_MAX)) {
      fetchAnomaly(id).then(take, (fault: unknown) => {
        store.toaster.say(`Cannot read an anomaly: ${messageOf(fault)}`);
      });
    }
  });
  return list;
}
