/// <reference lib="dom" />
/** One vehicle: what it does, its signals over time under one cursor, its trail, its anomalies. */
import { useSignal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import type { AnomalyView, SignalView, VehicleView } from "../contract/views.ts";
import { ListedCard } from "./AnomalyCard.tsx";
import { fetchVehicle } from "./api.ts";
import { formatAge, formatDateTime, formatTime, formatValue, vehiclePath } from "./format.ts";
import { useListed } from "./listed.ts";
import { appended, type ChartSeries, stretches } from "./series_data.ts";
import { SeverityLabel } from "./SeverityShape.tsx";
import { SignalChart } from "./SignalChart.tsx";
import type { AppStore } from "./store.ts";
import { type Trail, TrailMap } from "./TrailMap.tsx";
import { messageOf } from "./triage.ts";
import { revealCard, useTriage } from "./triage_keys.ts";
import { TriageDialogs } from "./TriageDialogs.tsx";
import { isolatedText } from "./visible_text.ts";

/** The page asks for the newest sample this often, milliseconds. */
const POLL_MS = 1000;
/** Charts show at least this much time. */
const CHART_MS_MIN = 2 * 60_000;
const TRAIL_POINTS_MAX = 2000;
/** Anomalies kept in the list at most, as more come live. */
const LISTED_MAX = 300;

/** What the page embeds. */
export interface VehicleProps {
  readonly vehicle: VehicleView;
  readonly anomalies: readonly AnomalyView[];
  readonly series: readonly ChartSeries[];
  readonly trail: Trail;
  /** The window, epoch milliseconds. */
  readonly from: number;
  readonly to: number;
  /** The moment that the page was opened at; null: live. */
  readonly at: number | null;
  /** Signals that have values, as the catalog describes them. */
  readonly signals: readonly SignalView[];
}

interface Telemetry {
  readonly vehicle: VehicleView;
  readonly series: readonly ChartSeries[];
  readonly trail: Trail;
  readonly from: number;
  readonly to: number;
}

/** The page. */
export function VehicleMain(props: { store: AppStore; page: VehicleProps }) {
  const { store, page } = props;
  const [telemetry, setTelemetry] = useState<Telemetry>(page);
  const ofVehicle = ({ vehicle }: AnomalyView) => vehicle === page.vehicle.id;
  const anomalies = useListed(store, page.anomalies, ofVehicle, LISTED_MAX);
  const { asked, ask, close } = useTriage({
    store,
    anomalies,
    select: ({ id }) => {
      store.anomaly.value = id;
      revealCard(id);
    },
  });
  const cursor = useSignal<number | null>(page.at);
  useEffect(() => {
    // Who comes from an anomaly to its moment goes on with that anomaly.
    const own = page.anomalies.find(({ openedAt }) => openedAt === page.at);
    if (own !== undefined) store.anomaly.value = own.id;
  }, []);
  useEffect(() => {
    if (page.at !== null) return;
    return poll(store, page.vehicle.id, (vehicle) => setTelemetry((old) => grown(old, vehicle)));
  }, []);

  const { vehicle, series, trail } = telemetry;
  const [from, to] = chartWindow(telemetry, page.at);
  const marks = anomalies.map(({ openedAt, severity }) => ({ at: openedAt, severity }));
  const { charts } = store.shell.dashboard;
  const speed = series.find(({ signal }) => signal === "speed");
  return (
    <div class="page vehicle">
      <Facts store={store} vehicle={vehicle} page={page} />
      <div class="columns wide">
        <section aria-label="Signals">
          {speed !== undefined && <Timeline series={speed} from={from} to={to} />}
          {series.map((one) => (
            <SignalChart
              key={one.signal}
              store={store}
              series={one}
              title={charts.find(({ signal }) => signal === one.signal)?.label ??
                titleOf(one.signal)}
              from={from}
              to={to}
              marks={marks}
              cursor={cursor}
              moment={page.at}
            />
          ))}
          {series.length === 0 && <p class="none">No signal in this window.</p>}
        </section>
        <div>
          <section aria-labelledby="trail-title">
            <h2 id="trail-title">Trail</h2>
            <TrailMap trail={trail} cursor={cursor} />
          </section>
          <section aria-labelledby="own-title">
            <h2 id="own-title">Anomalies</h2>
            <ol class="cards">
              {anomalies.map((anomaly) => (
                <ListedCard
                  key={anomaly.id}
                  store={store}
                  anomaly={anomaly}
                  place={vehiclePath(page.vehicle.id, page.at ?? undefined)}
                  ask={ask}
                />
              ))}
            </ol>
            {anomalies.length === 0 && <p class="none">None so far.</p>}
          </section>
          <Values store={store} vehicle={vehicle} signals={page.signals} />
        </div>
      </div>
      <TriageDialogs store={store} asked={asked} onClose={close} />
    </div>
  );
}

function Facts(props: { store: AppStore; vehicle: VehicleView; page: VehicleProps }) {
  const { store, vehicle, page } = props;
  const zone = store.preferences.zone.value;
  const now = store.clock.second.value;
  return (
    <section class="facts" aria-label="State">
      <dl>
        <div>
          <dt>State</dt>
          <dd>{titleOf(vehicle.state)}</dd>
        </div>
        <div>
          <dt>Open anomalies</dt>
          <dd>
            {vehicle.severity === null ? "none" : (
              <>
                {vehicle.open} · <SeverityLabel severity={vehicle.severity} />
              </>
            )}
          </dd>
        </div>
        <div>
          <dt>Last seen</dt>
          <dd>{formatAge(now - vehicle.append)} ago</dd>
        </div>
        <div>
          <dt>Device time, {zone}</dt>
          <dd>{formatDateTime(vehicle.at, zone)}</dd>
        </div>
        <div>
          <dt>Position</dt>
          <dd>
            {vehicle.lat === null || vehicle.lon === null
              ? "unknown"
              : `${vehicle.lat.toFixed(5)}, ${vehicle.lon.toFixed(5)}`}
          </dd>
        </div>
      </dl>
      <p class="moment">
        {page.at !== null && (
          <>
            Held at {formatTime(page.at, zone)} {zone}.{" "}
            <a href={vehiclePath(vehicle.id)}>Go on live</a> ·{" "}
          </>
        )}
        <a href={`/?${new URLSearchParams({ q: vehicle.id.toLowerCase(), v: vehicle.id })}`}>
          On the live map
        </a>
      </p>
    </section>
  );
}

/** Moving and standing as a strip over the charts. */
function Timeline(props: { series: ChartSeries; from: number; to: number }) {
  const { series, from, to } = props;
  const x = (time: number) => (time - from) / Math.max(1, to - from) * 600;
  return (
    <figure class="timeline">
      <svg viewBox="0 0 600 8" preserveAspectRatio="none" role="img" aria-label="Moving over time">
        {stretches(series).map((stretch) => (
          <rect
            key={stretch.from}
            class={stretch.moving ? "moving" : "standing"}
            x={x(stretch.from)}
            y={stretch.moving ? 0 : 3}
            width={Math.max(0.5, x(stretch.to) - x(stretch.from))}
            height={stretch.moving ? 8 : 2}
          />
        ))}
      </svg>
      <figcaption>thick: moving, thin: standing</figcaption>
    </figure>
  );
}

function Values(props: {
  store: AppStore;
  vehicle: VehicleView;
  signals: readonly SignalView[];
}) {
  const { store, vehicle, signals } = props;
  const units = store.preferences.units.value;
  return (
    <section aria-labelledby="values-title">
      <h2 id="values-title">Latest values</h2>
      <table class="values">
        <tbody>
          {signals.filter(({ name }) => name in vehicle.signals).map((signal) => (
            <tr key={signal.name}>
              <th scope="row" title={signal.description}>{signal.name}</th>
              <td class="number">
                {signal.type === "name"
                  ? signal.names[vehicle.signals[signal.name]] ?? "–"
                  : signal.type === "boolean"
                  ? formatValue(vehicle.signals[signal.name] === 1, "", units)
                  : formatValue(
                    vehicle.signals[signal.name],
                    signal.unit,
                    units,
                    /^(lat|lon)$/.test(signal.name) ? 5 : 2,
                  )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** Asks for the vehicle again and again while the page is seen, live and connected. */
function poll(store: AppStore, id: string, take: (vehicle: VehicleView) => void): () => void {
  let asking = false;
  const timer = setInterval(() => {
    if (asking || document.hidden || store.pause.value !== null || store.link.value !== "open") {
      return;
    }
    asking = true;
    fetchVehicle(id).then(take, (fault: unknown) => {
      store.toaster.say(`Cannot read ${isolatedText(id)}: ${messageOf(fault)}`);
    }).finally(() => {
      asking = false;
    });
  }, POLL_MS);
  return () => clearInterval(timer);
}

/** The window moved on to a newer sample; its length stays. */
function grown(old: Telemetry, vehicle: VehicleView): Telemetry {
  if (vehicle.at <= old.vehicle.at) return { ...old, vehicle };
  const to = Math.max(old.to, vehicle.at);
  const from = to - (old.to - old.from);
  const { lat, lon, at } = vehicle;
  return {
    vehicle,
    series: old.series.map((one) => appended(one, at, vehicle.signals[one.signal], from)),
    trail: lat === null || lon === null ? old.trail : {
      t: [...old.trail.t, at].slice(-TRAIL_POINTS_MAX),
      lat: [...old.trail.lat, lat].slice(-TRAIL_POINTS_MAX),
      lon: [...old.trail.lon, lon].slice(-TRAIL_POINTS_MAX),
    },
    from,
    to,
  };
}

/** The window that charts show: what has data, and some time around the moment. */
function chartWindow({ series, from, to }: Telemetry, at: number | null): [number, number] {
  let first = Infinity;
  let last = -Infinity;
  for (const { t } of series) {
    first = Math.min(first, t[0] ?? Infinity);
    last = Math.max(last, t[t.length - 1] ?? -Infinity);
  }
  const around = at ?? to;
  return [
    Math.max(from, Math.min(first, around - CHART_MS_MIN)),
    Math.min(to, Math.max(last, around + (at === null ? 0 : CHART_MS_MIN))),
  ];
}

function titleOf(name: string): string {
  return name.charAt(0).toUpperCase() + name.slice(1).replaceAll("_", " ");
}
