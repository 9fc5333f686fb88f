/** The figures over the map, as the dashboard's file names them. */
import { type OwnTileName, type SignalTile, tileValue } from "../contract/dashboard.ts";
import { VEHICLE_STATES, type VehicleState } from "../contract/views.ts";
import { formatAge, formatCount, formatDelay, formatValue } from "./format.ts";
import { SEVERITY_WORDS, WORST_FIRST } from "./severity.ts";
import { SeverityShape } from "./SeverityShape.tsx";
import type { AppStore } from "./store.ts";

/** The tiles. */
export function KpiStrip(props: { store: AppStore }) {
  const { store } = props;
  const { tiles } = store.dashboard.value;
  if (tiles.length === 0) return null;
  return (
    <section class="kpis" aria-label="Fleet summary">
      <dl>
        {tiles.map((tile, k) =>
          tile.kind === "own"
            ? <OwnTile key={tile.name} store={store} name={tile.name} />
            : <FleetFigure key={`${k} ${tile.label}`} store={store} tile={tile} place={k} />
        )}
      </dl>
    </section>
  );
}

function Figure(props: {
  label: string;
  title?: string;
  /** Where in the stream of anomalies the figure is true, for whoever holds it against another. */
  position?: string;
  children: preact.ComponentChildren;
}) {
  return (
    <div class="kpi" title={props.title}>
      <dt>{props.label}</dt>
      <dd data-position={props.position}>{props.children}</dd>
    </div>
  );
}

function OwnTile(props: { store: AppStore; name: OwnTileName }) {
  const { store, name } = props;
  switch (name) {
    case "moving":
      return <Figure label="Moving">{counted(store, "moving")}</Figure>;
    case "standing":
      return (
        <Figure label="Idle / stopped">
          {counted(store, "idle")} / {counted(store, "stopped")}
        </Figure>
      );
    case "stale":
      return <Figure label="Stale > 30 s">{counted(store, "stale")}</Figure>;
    case "vehicles":
      return <Figure label="Vehicles">{formatCount(store.counts.value.vehicles)}</Figure>;
    case "anomalies":
      return <OpenAnomalies store={store} />;
    case "samples":
      return <SampleRate store={store} />;
    case "delay":
      return <ScreenDelay store={store} />;
    case "lag":
      return <Lag store={store} />;
  }
}

function counted(store: AppStore, state: VehicleState): string {
  return formatCount(store.counts.value.states[VEHICLE_STATES.indexOf(state)]);
}

function FleetFigure(props: { store: AppStore; tile: SignalTile; place: number }) {
  const { store, tile, place } = props;
  // Read for the subscription: figures move with the fleet.
  store.version.value;
  const { shown, shell } = store;
  // Without scripts the page holds part of the fleet; the server has counted over all of it.
  const value = store.link.value === null
    ? shell.tileValues[place] ?? NaN
    : tileValue(tile, shown.signal(tile.signal), shown.state, shown.size);
  const units = store.preferences.units.value;
  const isCount = tile.fold === "count";
  return (
    <Figure label={tile.label} title={`${tile.fold} of ${tile.signal}, stale vehicles left out`}>
      {!Number.isFinite(value)
        ? "–"
        : isCount
        ? formatCount(value)
        : formatValue(value, tile.unit, units, tile.digits)}
    </Figure>
  );
}

function OpenAnomalies(props: { store: AppStore }) {
  const { open, position } = props.store.anomalies;
  return (
    <Figure label="Open anomalies" position={position.value}>
      {WORST_FIRST.map((severity) => (
        <span key={severity} class="count" title={SEVERITY_WORDS[severity]}>
          <SeverityShape severity={severity} named /> {formatCount(open.value[severity])}
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

function Lag(props: { store: AppStore }) {
  const pipeline = props.store.pipeline.value;
  return (
    <Figure label="Rules behind" title="Age of the oldest sample that no rule has seen yet">
      {pipeline === null ? "–" : formatAge(pipeline.lagSeconds * 1000)}
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
