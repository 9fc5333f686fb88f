/** The figures over the map. */
import { VEHICLE_STATES, type VehicleState } from "../contract/views.ts";
import { formatCount, formatDelay } from "./format.ts";
import { SEVERITY_WORDS, WORST_FIRST } from "./severity.ts";
import { SeverityShape } from "./SeverityShape.tsx";
import type { AppStore } from "./store.ts";

/** Moving, idle, stale, open anomalies, samples a second, screen delay. */
export function KpiStrip(props: { store: AppStore }) {
  const { store } = props;
  const { states } = store.counts.value;
  const count = (state: VehicleState) => states[VEHICLE_STATES.indexOf(state)];
  return (
    <section class="kpis" aria-label="Fleet summary">
      <dl>
        <Figure label="Moving">{formatCount(count("moving"))}</Figure>
        <Figure label="Idle / stopped">
          {formatCount(count("idle"))} / {formatCount(count("stopped"))}
        </Figure>
        <Figure label="Stale > 30 s">{formatCount(count("stale"))}</Figure>
        <OpenAnomalies store={store} />
        <SampleRate store={store} />
        <ScreenDelay store={store} />
      </dl>
    </section>
  );
}

function Figure(props: {
  label: string;
  title?: string;
  children: preact.ComponentChildren;
}) {
  return (
    <div class="kpi" title={props.title}>
      <dt>{props.label}</dt>
      <dd>{props.children}</dd>
    </div>
  );
}

function OpenAnomalies(props: { store: AppStore }) {
  const open = props.store.anomalies.open.value;
  return (
    <Figure label="Open anomalies">
      {WORST_FIRST.map((severity) => (
        <span key={severity} class="count" title={SEVERITY_WORDS[severity]}>
          <SeverityShape severity={severity} named /> {formatCount(open[severity])}
        </span>
      ))}
    </Figure>
  );
}

function SampleRate(props: { store: AppStore }) {
  const pipeline = props.store.pipeline.value;
  return (
    <Figure label="Samples / s">
      {pipeline === null ? "–" : formatCount(pipeline.samplesPerSecond)}
    </Figure>
  );
}

function ScreenDelay(props: { store: AppStore }) {
  const { clock, delay } = props.store;
  // Read for the subscription: the figure moves once a second.
  const now = clock.second.value;
  return (
    <Figure
      label="Screen delay p95"
      title="From a sample's arrival on the bus to the paint that shows it, measured in this browser"
    >
      {formatDelay(delay.percentile(0.95, now))}
    </Figure>
  );
}
