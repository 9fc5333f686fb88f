/// <reference lib="dom" />
/** The fleet in rows: only those in sight are drawn, and none moves under the pointer. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Column, OwnColumnName, SignalColumn } from "../contract/dashboard.ts";
import { VEHICLE_STATES } from "../contract/views.ts";
import { formatAge, formatCount, formatNumber, unitLabel, valueIn, vehiclePath } from "./format.ts";
import { isInUse } from "./in_use.ts";
import { SeverityLabel } from "./SeverityShape.tsx";
import { Name } from "./Name.tsx";
import { severityOfLevel } from "./severity.ts";
import type { AppStore } from "./store.ts";
import { columnKey, DEFAULT_SORTING, pressed, type Sorting, tableOrder } from "./table_order.ts";

const STALE = VEHICLE_STATES.indexOf("stale");
/** Rows are put into a new order at most this often, milliseconds. */
const REORDER_MS = 1000;
/** Rows drawn beyond those in sight, above and below. */
const OVERSCAN = 6;

interface Window {
  readonly first: number;
  readonly count: number;
  readonly rowPixels: number;
}

/** The table. As the server draws it, it holds every vehicle that the page brings. */
export function VehicleTable(props: { store: AppStore }) {
  const { store } = props;
  // Read for the subscription: rows are drawn with each frame.
  store.version.value;
  store.clock.second.value;
  const region = useRef<HTMLDivElement>(null);
  const [sorting, setSorting] = useState(DEFAULT_SORTING);
  const [seen, setSeen] = useState<Window | null>(null);
  const order = useOrder(store, sorting, region);
  const { columns } = store.dashboard.value;

  useEffect(() => {
    const box = region.current;
    if (box === null) return;
    const measure = () => {
      const row = box.querySelector("tbody tr[data-row]");
      const rowPixels = row?.getBoundingClientRect().height || 28;
      setSeen({
        first: Math.floor(box.scrollTop / rowPixels),
        count: Math.ceil(box.clientHeight / rowPixels),
        rowPixels,
      });
    };
    measure();
    box.addEventListener("scroll", measure, { passive: true });
    const sized = new ResizeObserver(measure);
    sized.observe(box);
    return () => {
      box.removeEventListener("scroll", measure);
      sized.disconnect();
    };
  }, []);

  const start = seen === null ? 0 : Math.max(0, seen.first - OVERSCAN);
  const end = seen === null ? order.length : seen.first + seen.count + OVERSCAN;
  const rows = order.slice(start, end);
  const step = (event: KeyboardEvent) => {
    const by = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (by === 0 || order.length === 0) return;
    event.preventDefault();
    const at = order.indexOf(store.shown.numberOf(store.vehicle.value));
    const to = Math.min(order.length - 1, Math.max(0, at + by));
    store.selectVehicle(store.shown.ids[order[to]]);
    scrollTo(region.current, to, seen?.rowPixels ?? 28);
  };
  return (
    <div
      ref={region}
      class="table"
      tabIndex={0}
      role="region"
      aria-label="Vehicles; up and down choose one"
      onKeyDown={step}
    >
      <table aria-rowcount={order.length + 1}>
        <Head store={store} sorting={sorting} onSort={(key) => setSorting(pressed(sorting, key))} />
        <tbody>
          {start > 0 && (
            <Spacer rows={start} rowPixels={seen?.rowPixels ?? 28} columns={columns.length} />
          )}
          {rows.map((number, k) => (
            // Keyed by place: a new order writes other words into rows that stay where they are.
            <Row key={start + k} store={store} number={number} index={start + k} />
          ))}
          {end < order.length && (
            <Spacer
              rows={order.length - end}
              rowPixels={seen?.rowPixels ?? 28}
              columns={columns.length}
            />
          )}
        </tbody>
      </table>
      {order.length === 0 && <p class="none">No vehicle passes the filter.</p>}
      <MoreNote store={store} shown={order.length} />
    </div>
  );
}

/** The rows' order: new once a second, or not at all while the pointer or the focus is within. */
function useOrder(
  store: AppStore,
  sorting: Sorting,
  region: { readonly current: HTMLDivElement | null },
): readonly number[] {
  const kept = useRef<
    {
      order: readonly number[];
      at: number;
      sorting: Sorting;
      filter: string;
      name: string;
      columns: unknown;
      size: number;
    } | null
  >(null);
  const filter = store.filter.value;
  const name = store.name.value;
  const { shown } = store;
  const now = store.link.value === null ? 0 : Date.now();
  const before = kept.current;
  const isSame = before !== null && before.sorting === sorting && before.filter === filter &&
    before.name === name &&
    before.columns === shown && before.size === shown.size;
  const isHeld = region.current !== null && isInUse(region.current);
  if (isSame && (isHeld || now - before.at < REORDER_MS)) return before.order;
  const order = tableOrder(shown, filter, sorting, name);
  kept.current = { order, at: now, sorting, filter, name, columns: shown, size: shown.size };
  return order;
}

const OWN_LABELS: Readonly<Record<OwnColumnName, string>> = {
  vehicle: "Vehicle",
  state: "State",
  anomaly: "Anomaly",
  seen: "Last seen",
};

function isNumeric(column: Column): boolean {
  return column.kind === "own" ? column.name === "seen" : column.type === "number";
}

function Head(props: { store: AppStore; sorting: Sorting; onSort: (key: string) => void }) {
  const { store, sorting, onSort } = props;
  const units = store.preferences.units.value;
  const label = (column: Column) => {
    if (column.kind === "own") return OWN_LABELS[column.name];
    return column.unit === "" ? column.label : `${column.label}, ${unitLabel(column.unit, units)}`;
  };
  return (
    <thead>
      <tr>
        {store.dashboard.value.columns.map((column) => {
          const key = columnKey(column);
          const order = sorting.descending ? "descending" : "ascending";
          return (
            <th
              key={key}
              scope="col"
              class={isNumeric(column) ? "number" : ""}
              aria-sort={sorting.key !== key ? "none" : order}
            >
              <button type="button" onClick={() => onSort(key)}>{label(column)}</button>
            </th>
          );
        })}
      </tr>
    </thead>
  );
}

function Row(props: { store: AppStore; number: number; index: number }) {
  const { store, number, index } = props;
  // Read for the subscription: a row whose props stay the same is not drawn again with its table.
  store.version.value;
  store.clock.second.value;
  const { shown } = store;
  const id = shown.ids[number];
  const isSelected = store.vehicle.value === id;
  return (
    <tr
      data-row
      aria-rowindex={index + 2}
      aria-current={isSelected ? "true" : undefined}
      class={shown.state[number] === STALE ? "stale" : ""}
      onClick={(event) => {
        if (!(event.target instanceof HTMLAnchorElement)) store.selectVehicle(id);
      }}
    >
      {store.dashboard.value.columns.map((column) => cell(store, number, column))}
    </tr>
  );
}

/** A function and no component: the row draws its cells, each time. */
function cell(store: AppStore, number: number, column: Column) {
  const key = columnKey(column);
  const numeric = isNumeric(column) ? "number" : undefined;
  if (column.kind === "signal") {
    return <td key={key} class={numeric}>{signalCell(store, number, column)}</td>;
  }
  const { name } = column;
  if (name !== "vehicle") {
    return <td key={key} class={numeric}>{ownCell(store, number, name)}</td>;
  }
  const id = store.shown.ids[number];
  return (
    <th key={key} scope="row">
      <a href={vehiclePath(id)}>
        <Name text={id} />
      </a>
    </th>
  );
}

function ownCell(store: AppStore, number: number, name: Exclude<OwnColumnName, "vehicle">) {
  const { shown } = store;
  switch (name) {
    case "state": {
      const state = VEHICLE_STATES[shown.state[number]];
      return state.charAt(0).toUpperCase() + state.slice(1);
    }
    case "anomaly": {
      const severity = severityOfLevel(shown.severity[number]);
      return severity === null ? "–" : <SeverityLabel severity={severity} />;
    }
    case "seen":
      return formatAge(store.clock.now() - shown.append[number]);
  }
}

function signalCell(store: AppStore, number: number, column: SignalColumn): string {
  const value = store.shown.signal(column.signal)?.[number] ?? NaN;
  switch (column.type) {
    case "number":
      return formatNumber(
        valueIn(value, column.unit, store.preferences.units.value),
        column.digits,
      );
    case "boolean":
      return value === 1 ? "yes" : value === 0 ? "no" : "–";
    case "name":
      return column.names[value] ?? "–";
  }
}

function Spacer(props: { rows: number; rowPixels: number; columns: number }) {
  return (
    <tr aria-hidden="true">
      <td colSpan={props.columns} style={{ height: `${props.rows * props.rowPixels}px` }} />
    </tr>
  );
}

/** Says that the page without scripts holds only part of a large fleet. */
function MoreNote(props: { store: AppStore; shown: number }) {
  const { store, shown } = props;
  const { vehicles } = store.counts.value;
  if (store.link.value !== null || shown >= vehicles) return null;
  return (
    <p class="none">
      {formatCount(shown)} of {formatCount(vehicles)} vehicles, those with anomalies first.
    </p>
  );
}

function scrollTo(box: HTMLDivElement | null, index: number, rowPixels: number): void {
  if (box === null) return;
  const head = box.querySelector("thead")?.getBoundingClientRect().height ?? 0;
  const top = index * rowPixels;
  if (top < box.scrollTop) box.scrollTop = top;
  const bottom = top + rowPixels + head - box.clientHeight;
  if (bottom > box.scrollTop) box.scrollTop = bottom;
}
