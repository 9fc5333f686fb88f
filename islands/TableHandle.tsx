/// <reference lib="dom" />
/** The edge between map and table: dragged, or moved by arrow keys, it makes the table taller. */
import { useEffect, useRef, useState } from "preact/hooks";
import { recall, remember } from "./preferences.ts";

const KEY = "kilter.table";
const PIXELS_MIN = 120;
const PIXELS_DEFAULT = 264;
/** Rows are this tall; a press of a key moves the edge by one. */
const STEP_PIXELS = 28;
/** What the map keeps at least. */
const MAP_PIXELS_MIN = 160;

/** The edge. The height is kept in this browser. */
export function TableHandle() {
  const edge = useRef<HTMLDivElement>(null);
  const [shown, setShown] = useState(PIXELS_DEFAULT);
  const height = useRef(PIXELS_DEFAULT);
  const grab = useRef<{ readonly y: number; readonly pixels: number } | null>(null);
  const most = () => {
    const stage = edge.current?.parentElement;
    const map = stage?.querySelector(".map")?.getBoundingClientRect().height ?? 0;
    const table = stage?.querySelector(".table")?.getBoundingClientRect().height ?? 0;
    return Math.max(PIXELS_MIN, Math.floor(map + table - MAP_PIXELS_MIN));
  };
  const show = (wanted: number) => {
    height.current = Math.round(Math.min(most(), Math.max(PIXELS_MIN, wanted)));
    setShown(height.current);
    edge.current?.parentElement?.style.setProperty("--table", `${height.current}px`);
  };
  const keep = () => remember(KEY, String(height.current));
  useEffect(() => {
    const kept = Number(recall(KEY));
    if (kept > 0) show(kept);
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowUp: STEP_PIXELS, ArrowDown: -STEP_PIXELS }[event.key];
    if (step === undefined) return;
    event.preventDefault();
    show(height.current + step);
    keep();
  };
  return (
    <div
      ref={edge}
      class="table-edge scripted"
      role="separator"
      tabIndex={0}
      aria-orientation="horizontal"
      aria-label="Height of the table"
      aria-valuenow={shown}
      aria-valuemin={PIXELS_MIN}
      aria-valuemax={2000}
      title="Drag for a taller table; double click for the usual height"
      onKeyDown={onKeyDown}
      onDblClick={() => {
        show(PIXELS_DEFAULT);
        keep();
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        grab.current = { y: event.clientY, pixels: height.current };
      }}
      onPointerMove={(event) => {
        if (grab.current !== null) show(grab.current.pixels + grab.current.y - event.clientY);
      }}
      onPointerUp={() => {
        if (grab.current !== null) keep();
        grab.current = null;
      }}
      onPointerCancel={() => {
        grab.current = null;
      }}
    />
  );
}
