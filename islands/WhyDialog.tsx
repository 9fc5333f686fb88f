/// <reference lib="dom" />
/** "Why?" as a dialog over the page that asks. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { AnomalyView } from "../contract/views.ts";
import { type Explanation, fetchExplanation, fetchSilencing, type Silencing } from "./api.ts";
import { messageText, ruleTitle, vehiclePath } from "./format.ts";
import { MinuteCharts } from "./MinuteCharts.tsx";
import { Name } from "./Name.tsx";
import type { AppStore } from "./store.ts";
import { messageOf } from "./triage.ts";
import { Particulars, RaisingRule, TermTable, WouldNotHaveFired } from "./WhyParts.tsx";

/** The dialog, open for as long as it is there. */
export function WhyDialog(props: {
  store: AppStore;
  anomaly: AnomalyView;
  onClose: () => void;
}) {
  const { store, anomaly, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [more, setMore] = useState<Explanation | null>(null);
  const [found, setFound] = useState<Silencing | null>(null);
  useEffect(() => {
    dialog.current?.showModal();
    fetchExplanation(anomaly.id).then(setMore, (fault: unknown) => {
      store.toaster.say(`Cannot explain more: ${messageOf(fault)}`);
    });
    fetchSilencing(anomaly.id).then(setFound, (fault: unknown) => {
      store.toaster.say(`Cannot evaluate it again: ${messageOf(fault)}`);
    });
  }, []);
  return (
    <dialog
      ref={dialog}
      class="why"
      aria-labelledby="why-title"
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <h2 id="why-title">
        Why: <Name text={ruleTitle(anomaly.rule)} />
      </h2>
      <p>
        <Name text={messageText(anomaly.message)} />
      </p>
      <TermTable store={store} anomaly={anomaly} />
      {more !== null && <MinuteCharts store={store} anomaly={anomaly} more={more} />}
      <WouldNotHaveFired store={store} found={found} />
      <Particulars store={store} anomaly={anomaly} more={more} />
      {more !== null && <RaisingRule store={store} more={more} />}
      <form method="dialog">
        <a class="button" href={`/anomalies/${encodeURIComponent(anomaly.id)}`}>
          As a page
        </a>
        <a class="button" href={vehiclePath(anomaly.vehicle, anomaly.openedAt)}>
          Open the moment
        </a>
        <button type="submit" class="primary" autofocus>Close</button>
      </form>
    </dialog>
  );
}
