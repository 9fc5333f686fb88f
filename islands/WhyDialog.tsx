/// <reference lib="dom" />
/** "Why?": the rule's terms with their values and limits, the delays, the sample. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { AnomalyView } from "../contract/views.ts";
import { type Explanation, fetchExplanation } from "./api.ts";
import {
  formatAge,
  formatDateTime,
  formatValue,
  messageText,
  ruleTitle,
  unitLabel,
  vehiclePath,
} from "./format.ts";
import { Name } from "./Name.tsx";
import { polylines } from "./series_data.ts";
import { SeverityLabel } from "./SeverityShape.tsx";
import type { AppStore } from "./store.ts";
import { messageOf } from "./triage.ts";
import { visibleText } from "./visible_text.ts";

/** The explanation reaches this far to both sides, milliseconds. */
const AROUND_MS = 60_000;

/** The dialog, open for as long as it is there. */
export function WhyDialog(props: {
  store: AppStore;
  anomaly: AnomalyView;
  onClose: () => void;
}) {
  const { store, anomaly, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [more, setMore] = useState<Explanation | null>(null);
  useEffect(() => {
    dialog.current?.showModal();
    fetchExplanation(anomaly.id).then(setMore, (fault: unknown) => {
      store.toaster.say(`Cannot explain more: ${messageOf(fault)}`);
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
      {more !== null && <Around store={store} anomaly={anomaly} more={more} />}
      <Particulars store={store} anomaly={anomaly} />
      {more?.rule !== null && more?.rule !== undefined && (
        <details>
          <summary>
            The rule{more.current ? "" : " as it is now: another version raised this"}
          </summary>
          <pre><code>{visibleText(more.rule.source, true)}</code></pre>
        </details>
      )}
      <form method="dialog">
        <a class="button" href={vehiclePath(anomaly.vehicle, anomaly.openedAt)}>
          Open the moment
        </a>
        <button type="submit" class="primary" autofocus>Close</button>
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
              <code>{visibleText(text)}</code>
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

/** The signals that the rule names, a minute to both sides. */
function Around(props: { store: AppStore; anomaly: AnomalyView; more: Explanation }) {
  const { store, anomaly, more } = props;
  const units = store.preferences.units.value;
  const from = anomaly.onset - AROUND_MS;
  const to = anomaly.openedAt + AROUND_MS;
  const x = (time: number) => (time - from) / (to - from) * 600;
  return (
    <>
      {more.series.filter(({ t }) => t.length > 1).map((series) => (
        <figure key={series.signal} class="chart">
          <figcaption>
            <span>{series.signal}, {unitLabel(series.unit, units)}</span>
            <small>
              {formatValue(Math.min(...series.v), series.unit, units)} to{" "}
              {formatValue(Math.max(...series.v), series.unit, units)}
            </small>
          </figcaption>
          <svg viewBox="0 0 600 72" preserveAspectRatio="none" aria-hidden="true">
            <rect x={x(anomaly.onset)} width={x(anomaly.openedAt) - x(anomaly.onset)} height={72} />
            <path d={`M${x(anomaly.openedAt)} 0V72`} vector-effect="non-scaling-stroke" />
            {polylines(series, from, to, 600, 72).map((points) => (
              <polyline key={points} points={points} vector-effect="non-scaling-stroke" />
            ))}
          </svg>
        </figure>
      ))}
    </>
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
          <a href={`/rules/${encodeURIComponent(anomaly.rule)}`}>
            <Name text={anomaly.rule} />
          </a>, version <code>{anomaly.version}</code>
        </dd>
      </div>
    </dl>
  );
}
