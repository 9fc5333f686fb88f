/** "Why?": the rule's terms with their values and limits, the delays, the sample. */
import type { AnomalyView } from "../contract/views.ts";
import type { Explanation, Silencing } from "./api.ts";
import { formatAge, formatDateTime, formatDifference, formatValue } from "./format.ts";
import { Name } from "./Name.tsx";
import { SeverityLabel } from "./SeverityShape.tsx";
import type { AppStore } from "./store.ts";
import { visibleText } from "./visible_text.ts";

/** The nearest limits that would have kept it from firing; nothing while they are not known. */
export function WouldNotHaveFired(props: { store: AppStore; found: Silencing | null }) {
  const { store, found } = props;
  const units = store.preferences.units.value;
  if (found === null || (found.limits.length === 0 && found.forMs === null)) return null;
  const { forMs } = found;
  return (
    <section class="silencing">
      <p>It would not have fired</p>
      <ul>
        {found.limits.map(({ term, unit, nearest }, k) => (
          <li key={k}>
            <code>{visibleText(term)}</code> with a limit{" "}
            {nearest.exclusive ? `just ${nearest.side}` : "of"}{" "}
            {formatValue(nearest.value, unit, units, 2)}{" "}
            ({formatDifference(nearest.difference, unit, units)})
          </li>
        ))}
        {forMs !== null && (
          <li>with a duration of {forMs < 60_000 ? `${forMs / 1000} s` : formatAge(forMs)}</li>
        )}
      </ul>
    </section>
  );
}

/** The rule's text as it was when it raised the anomaly, and how it stands now. */
export function RaisingRule(props: { store: AppStore; more: Explanation }) {
  const { more: { rule, inForce, written } } = props;
  const zone = props.store.preferences.zone.value;
  const text = rule ?? inForce;
  const since = written === null ? "" : `, in force since ${formatDateTime(written.time, zone)}`;
  const now = inForce === null
    ? "it is not in force any more"
    : inForce.source === rule?.source
    ? "it still reads so"
    : "it reads otherwise now";
  return (
    <details>
      <summary>
        {rule === null
          ? "The version that raised this is not known any more"
          : `The rule as it raised this${since}; ${now}`}
      </summary>
      {rule === null && inForce !== null && <p>As it is in force now:</p>}
      {text !== null && <pre><code>{visibleText(text.source.trimEnd(), true)}</code></pre>}
      {text !== null && /^https?:\/\//.test(text.runbook) && (
        <a href={text.runbook} rel="noreferrer">
          What to do: <Name text={text.runbook} />
        </a>
      )}
    </details>
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
          <th scope="col" class="number difference">Difference</th>
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
            <td class="number difference">
              {typeof value === "number" && typeof limit === "number"
                ? formatDifference(value - limit, unit, units)
                : "–"}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Particulars(
  props: { store: AppStore; anomaly: AnomalyView; more: Explanation | null },
) {
  const { anomaly, store, more } = props;
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
          {more !== null && more.topic !== "" && (
            <>
              <code>{more.topic}</code>,{" "}
            </>
          )}
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
