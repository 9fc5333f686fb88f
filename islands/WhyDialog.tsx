/// <reference lib="dom" />
/** "Why?": the rule's terms with their values and limits, the delays, the sample. */
import { useEffect, useRef } from "preact/hooks";
import type { AnomalyView } from "../contract/views.ts";
import { formatAge, formatDateTime, formatValue, ruleTitle, vehiclePath } from "./format.ts";
import { SeverityLabel } from "./SeverityShape.tsx";
import type { AppStore } from "./store.ts";

/** The dialog, open for as long as it is there. */
export function WhyDialog(props: {
  store: AppStore;
  anomaly: AnomalyView;
  onClose: () => void;
}) {
  const { store, anomaly, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="why"
      aria-labelledby="why-title"
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <h2 id="why-title">Why: {ruleTitle(anomaly.rule)}</h2>
      <p>{anomaly.message}</p>
      <TermTable store={store} anomaly={anomaly} />
      <Particulars store={store} anomaly={anomaly} />
      <form method="dialog">
        <a class="button" href={vehiclePath(anomaly.vehicle, anomaly.openedAt)}>
          Open the moment
        </a>
        <button type="submit" class="primary">Close</button>
      </form>
    </dialog>
  );
}

/** Every term with its value and limit, as it stood at the last transition. */
export function TermTable(props: { store: AppStore; anomaly: AnomalyView }) {
  const units = props.store.preferences.units.value;
  const { terms } = props.anomaly;
  if (terms.length === 0) return <p class="none">The rule has no term to show.</p>;
  return (
    <table class="terms">
      <thead>
        <tr>
          <th scope="col">Term</th>
          <th scope="col" class="number">Value</th>
          <th scope="col" class="number">Limit</th>
        </tr>
      </thead>
      <tbody>
        {terms.map(({ text, value, limit, unit }, k) => (
          <tr key={k}>
            <th scope="row">
              <code>{text}</code>
            </th>
            <td class="number">
              {value === null ? "unknown" : formatValue(value, unit, units, 2)}
            </td>
            <td class="number">{formatValue(limit, unit, units, 2)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Particulars(props: { store: AppStore; anomaly: AnomalyView }) {
  const { anomaly, store } = props;
  const { partition, offset, index } = anomaly.source;
  const zone = store.preferences.zone.value;
  const time = (ms: number) => `${formatDateTime(ms, zone)} ${zone}`;
  return (
    <dl class="particulars">
      <div>
        <dt>Severity</dt>
        <dd>
          <SeverityLabel severity={anomaly.severity} />
        </dd>
      </div>
      <div>
        <dt>Condition true since</dt>
        <dd>{time(anomaly.onset)}</dd>
      </div>
      <div>
        <dt>Opened</dt>
        <dd>
          {time(anomaly.openedAt)}, {formatAge(anomaly.openedAt - anomaly.onset)} later
        </dd>
      </div>
      <div>
        <dt>On the bus after</dt>
        <dd>{formatAge(anomaly.append - anomaly.openedAt)}</dd>
      </div>
      <div>
        <dt>Sample</dt>
        <dd>
          partition {partition}, offset {offset}, object {index}
        </dd>
      </div>
      <div>
        <dt>Rule</dt>
        <dd>
          <a href={`/rules#${encodeURIComponent(anomaly.rule)}`}>{anomaly.rule}</a>, version{" "}
          <code>{anomaly.version}</code>
        </dd>
      </div>
    </dl>
  );
}
