/** The signals that a rule names, a minute to both sides of what happened, with their limits. */
import type { AnomalyView, SeriesView, SignalLimit } from "../contract/views.ts";
import type { Explanation } from "./api.ts";
import { formatTime, formatValue, unitLabel } from "./format.ts";
import { polylines, rangeOf } from "./series_data.ts";
import type { AppStore } from "./store.ts";
import { visibleText } from "./visible_text.ts";

/** The explanation reaches this far to both sides, milliseconds. */
const AROUND_MS = 60_000;
const WIDTH = 600;
const HEIGHT = 96;

/** A chart for each signal that has values. */
export function MinuteCharts(props: {
  store: AppStore;
  anomaly: AnomalyView;
  more: Explanation;
}) {
  const { store, anomaly, more } = props;
  const drawn = more.series.filter(({ t }) => t.length > 1);
  if (drawn.length === 0) return <p class="none">The samples around it are not kept any more.</p>;
  return (
    <>
      {drawn.map((series) => (
        <MinuteChart
          key={series.signal}
          store={store}
          anomaly={anomaly}
          series={series}
          limits={more.limits.filter(({ signal }) => signal === series.signal)}
        />
      ))}
    </>
  );
}

function MinuteChart(props: {
  store: AppStore;
  anomaly: AnomalyView;
  series: SeriesView;
  limits: readonly SignalLimit[];
}) {
  const { store, anomaly, series, limits } = props;
  const units = store.preferences.units.value;
  const zone = store.preferences.zone.value;
  const from = anomaly.onset - AROUND_MS;
  const to = anomaly.openedAt + AROUND_MS;
  const range = rangeOf([...series.v, ...limits.map(({ value }) => value)]);
  const x = (time: number) => (time - from) / (to - from) * WIDTH;
  const y = (value: number) => HEIGHT - (value - range[0]) / (range[1] - range[0]) * HEIGHT;
  const opened = x(anomaly.openedAt);
  return (
    <figure class="chart minute">
      <figcaption>
        <span>
          {visibleText(series.signal)}, {unitLabel(series.unit, units)}
        </span>
        <small>
          {formatValue(Math.min(...series.v), series.unit, units)} to{" "}
          {formatValue(Math.max(...series.v), series.unit, units)}
        </small>
        {limits.map(({ text, value }) => (
          <small key={text} class="limit">
            limit {formatValue(value, series.unit, units, 2)}
          </small>
        ))}
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <rect x={x(anomaly.onset)} width={opened - x(anomaly.onset)} height={HEIGHT} />
        <path d={`M${opened.toFixed(1)} 0V${HEIGHT}`} vector-effect="non-scaling-stroke" />
        {limits.map(({ text, value }) => (
          <path
            key={text}
            class={`limit ${anomaly.severity}`}
            d={`M0 ${y(value).toFixed(1)}H${WIDTH}`}
            vector-effect="non-scaling-stroke"
          />
        ))}
        {polylines(series, from, to, WIDTH, HEIGHT, range).map((points) => (
          <polyline key={points} points={points} vector-effect="non-scaling-stroke" />
        ))}
      </svg>
      <p class="axis" aria-hidden="true">
        <span>{formatTime(from, zone)}</span>
        <span>
          true from {formatTime(anomaly.onset, zone)}, opened {formatTime(anomaly.openedAt, zone)}
        </span>
        <span>{formatTime(to, zone)}</span>
      </p>
    </figure>
  );
}
