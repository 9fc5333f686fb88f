/// <reference lib="dom" />
/** One signal over time: uPlot with a keyboard cursor and a table of the data. */
import { type Signal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import type { Severity } from "../contract/anomaly.ts";
import { formatNumber, formatTime, formatValue, unitLabel, valueIn } from "./format.ts";
import { type ChartSeries, indexAt, polylines, rangeOf, withGaps } from "./series_data.ts";
import type { AppStore } from "./store.ts";

/** Charts with this key share one cursor. */
const SYNC_KEY = "vehicle";
const CHART_PIXELS = 120;
const TABLE_ROWS_MAX = 60;

/** A moment marked in every chart. */
export interface Mark {
  readonly at: number;
  readonly severity: Severity;
}

/** What a chart is given. */
export interface SignalChartProps {
  readonly store: AppStore;
  readonly series: ChartSeries;
  readonly title: string;
  readonly from: number;
  readonly to: number;
  readonly marks: readonly Mark[];
  /** Time under the shared cursor, epoch milliseconds; null for none. */
  readonly cursor: Signal<number | null>;
  /** Where the cursor rests when no pointer moves it; null for nowhere. */
  readonly moment: number | null;
}

/** The chart; without scripts a plain line. */
export function SignalChart(props: SignalChartProps) {
  const { store, series, title, from, to, cursor } = props;
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [drawn, setDrawn] = useState(false);
  const units = store.preferences.units.value;
  const zone = store.preferences.zone.value;
  const newest = useRef(props);
  newest.current = props;

  useEffect(() => {
    if (box.current === null) return;
    const made = makePlot(box.current, newest);
    plot.current = made;
    setDrawn(true);
    const sized = new ResizeObserver(([entry]) => {
      made.setSize({ width: Math.floor(entry.contentRect.width), height: CHART_PIXELS });
    });
    sized.observe(box.current);
    const recolour = store.preferences.theme.subscribe(() =>
      requestAnimationFrame(() => made.redraw())
    );
    return () => {
      sized.disconnect();
      recolour();
      made.destroy();
      plot.current = null;
    };
  }, [series.signal]);
  useEffect(() => {
    const made = plot.current;
    if (made === null) return;
    made.setData(dataOf(props), false);
    made.setScale("x", { min: from, max: to });
    placeCursor(made, cursor.peek());
  }, [series, from, to, units, zone, drawn]);
  useSignalEffect(() => placeCursor(plot.current, cursor.value));

  const at = cursor.value === null ? series.t.length - 1 : indexAt(series.t, cursor.value);
  const step = (event: KeyboardEvent) => {
    const last = series.t.length - 1;
    const by = event.shiftKey ? 10 : 1;
    const to = { ArrowLeft: at - by, ArrowRight: at + by, Home: 0, End: last }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    cursor.value = series.t[Math.min(last, Math.max(0, to))] ?? null;
  };
  return (
    <figure class="chart">
      <figcaption>
        <span>{title}</span>
        <b>{formatValue(series.v[at] ?? null, series.unit, units)}</b>
        {cursor.value !== null && at >= 0 && <small>{formatTime(series.t[at], zone)}</small>}
      </figcaption>
      <div
        ref={box}
        class="plot"
        tabIndex={0}
        role="application"
        aria-label={`${title} over time; left and right move the cursor`}
        onKeyDown={step}
      >
        {!drawn && <PlainLine {...props} />}
      </div>
      <details>
        <summary>Data</summary>
        <DataTable {...props} />
      </details>
    </figure>
  );
}

function PlainLine(props: SignalChartProps) {
  const { series, from, to, title } = props;
  return (
    <svg viewBox="0 0 600 120" preserveAspectRatio="none" role="img" aria-label={title}>
      {polylines(series, from, to, 600, 120).map((points) => (
        <polyline key={points} points={points} vector-effect="non-scaling-stroke" />
      ))}
    </svg>
  );
}

function DataTable(props: SignalChartProps) {
  const { store, series, title } = props;
  const units = store.preferences.units.value;
  const zone = store.preferences.zone.value;
  const every = Math.max(1, Math.ceil(series.t.length / TABLE_ROWS_MAX));
  const rows = series.t.map((_, k) => k).filter((k) => k % every === 0).reverse();
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Time, {zone}</th>
          <th scope="col" class="number">{title}, {unitLabel(series.unit, units)}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((k) => (
          <tr key={series.t[k]}>
            <td>{formatTime(series.t[k], zone)}</td>
            <td class="number">{formatNumber(valueIn(series.v[k], series.unit, units), 2)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function dataOf({ series, store }: SignalChartProps): uPlot.AlignedData {
  const units = store.preferences.units.value;
  const [times, values] = withGaps(series);
  return [
    times,
    values.map((value) => value === null ? null : valueIn(value, series.unit, units)),
  ];
}

function makePlot(box: HTMLDivElement, newest: { readonly current: SignalChartProps }): uPlot {
  const colour = (name: string) => () => getComputedStyle(box).getPropertyValue(name).trim();
  const { cursor, from, to } = newest.current;
  const axis = { stroke: colour("--dim"), font: "12px system-ui", labelSize: 0, gap: 4 };
  const lines = { stroke: colour("--line"), width: 1 };
  return new uPlot(
    {
      width: Math.max(100, Math.floor(box.clientWidth)),
      height: CHART_PIXELS,
      ms: 1,
      legend: { show: false },
      padding: [6, 8, 0, 0],
      cursor: {
        y: false,
        drag: { x: false, y: false },
        sync: { key: SYNC_KEY },
        points: { size: 7 },
      },
      scales: {
        x: { time: true, min: from, max: to },
        y: { range: (_plot, least, most) => [...rangeOf([least ?? 0, most ?? 1])] },
      },
      axes: [
        {
          ...axis,
          size: 24,
          space: 90,
          grid: lines,
          ticks: { show: false },
          values: (_plot, splits) =>
            splits.map((time) =>
              formatTime(time, newest.current.store.preferences.zone.value).slice(0, 8)
            ),
        },
        { ...axis, size: 44, space: 28, grid: lines, ticks: { show: false } },
      ],
      series: [{}, { stroke: colour("--accent"), width: 1.5, points: { show: false } }],
      hooks: {
        setCursor: [(plot) => {
          const { left, event } = plot.cursor;
          // Only what a pointer does moves the shared moment; else charts would answer each other.
          if (event === undefined || event === null) return;
          if (left === undefined || left < 0) cursor.value = newest.current.moment;
          else cursor.value = Math.round(plot.posToVal(left, "x"));
        }],
        draw: [(plot) => drawMarks(plot, newest.current.marks, colour)],
      },
    },
    dataOf(newest.current),
    box,
  );
}

/** Puts the cursor's line at a time; off the chart for none. */
function placeCursor(plot: uPlot | null, time: number | null): void {
  if (plot === null) return;
  const left = time === null ? -10 : plot.valToPos(time, "x");
  if (Math.abs((plot.cursor.left ?? -10) - left) > 0.5) plot.setCursor({ left, top: 10 }, false);
}

/** A dashed line at each moment that an anomaly opened, in its severity's colour. */
function drawMarks(
  plot: uPlot,
  marks: readonly Mark[],
  colour: (name: string) => () => string,
): void {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { at, severity } of marks) {
    const x = plot.valToPos(at, "x", true);
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.strokeStyle = colour(`--${severity}`)();
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
