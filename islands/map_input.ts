/// <reference lib="dom" />
/** Mouse, touch, wheel and keyboard on the map. */
import type { MapLayer } from "./map_layer.ts";
import { type Camera, panned, zoomedAt } from "./mercator.ts";

/** A press that moves less than this is a click, pixels. */
const CLICK_PIXELS = 5;
const KEY_PIXELS = 96;
/** Wheel travel that doubles the scale, pixels. */
const WHEEL_DOUBLES = 240;

/** What the page does with it. */
export interface MapInputHandlers {
  /** The person looks elsewhere. */
  readonly onLook: (camera: Camera) => void;
  /** A vehicle's number was chosen, -1 the empty ground. */
  readonly onPick: (number: number) => void;
  readonly onFit: () => void;
}

/**
 * Listens on the canvas.
 *
 * @returns stops listening
 */
export function listenToMap(
  canvas: HTMLCanvasElement,
  layer: MapLayer,
  handlers: MapInputHandlers,
): () => void {
  const stop = new AbortController();
  const on = { signal: stop.signal };
  const pressed = new Map<number, { x: number; y: number }>();
  let travelled = 0;

  const place = (event: MouseEvent) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  const zoomAt = (zoom: number, at: { x: number; y: number }) => {
    const { width, height } = layer.size;
    handlers.onLook(zoomedAt(layer.camera, zoom, at.x - width / 2, at.y - height / 2));
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    pressed.set(event.pointerId, place(event));
    if (pressed.size === 1) travelled = 0;
  }, on);

  canvas.addEventListener("pointermove", (event) => {
    const now = place(event);
    const before = pressed.get(event.pointerId);
    if (before === undefined) {
      const number = layer.hit(now.x, now.y);
      canvas.classList.toggle("over", number >= 0);
      layer.hover(number);
      return;
    }
    const other = [...pressed].find(([id]) => id !== event.pointerId)?.[1];
    pressed.set(event.pointerId, now);
    travelled += Math.abs(now.x - before.x) + Math.abs(now.y - before.y);
    if (other !== undefined) {
      const spread = distance(now, other) / Math.max(1, distance(before, other));
      zoomAt(layer.camera.zoom + Math.log2(spread), middle(before, other));
      handlers.onLook(panned(layer.camera, (before.x - now.x) / 2, (before.y - now.y) / 2));
    } else if (travelled > CLICK_PIXELS) {
      handlers.onLook(panned(layer.camera, before.x - now.x, before.y - now.y));
    }
  }, on);

  const release = (event: PointerEvent) => {
    const wasPressed = pressed.delete(event.pointerId);
    if (!wasPressed || event.type === "pointercancel" || travelled > CLICK_PIXELS) return;
    const { x, y } = place(event);
    handlers.onPick(layer.hit(x, y));
  };
  canvas.addEventListener("pointerup", release, on);
  canvas.addEventListener("pointercancel", release, on);
  canvas.addEventListener("pointerleave", () => layer.hover(-1), on);

  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    const travel = event.deltaY * (event.deltaMode === 1 ? 33 : event.deltaMode === 2 ? 400 : 1);
    const step = Math.max(-1, Math.min(1, -travel / WHEEL_DOUBLES * (event.ctrlKey ? 3 : 1)));
    zoomAt(layer.camera.zoom + step, place(event));
  }, { ...on, passive: false });

  canvas.addEventListener("dblclick", (event) => {
    zoomAt(Math.round(layer.camera.zoom) + 1, place(event));
  }, on);

  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const centre = { x: layer.size.width / 2, y: layer.size.height / 2 };
    const pan = (dx: number, dy: number) => handlers.onLook(panned(layer.camera, dx, dy));
    switch (event.key) {
      case "ArrowLeft":
        pan(-KEY_PIXELS, 0);
        break;
      case "ArrowRight":
        pan(KEY_PIXELS, 0);
        break;
      case "ArrowUp":
        pan(0, -KEY_PIXELS);
        break;
      case "ArrowDown":
        pan(0, KEY_PIXELS);
        break;
      case "+":
      case "=":
        zoomAt(layer.camera.zoom + 1, centre);
        break;
      case "-":
        zoomAt(layer.camera.zoom - 1, centre);
        break;
      case "0":
        handlers.onFit();
        break;
      default:
        return;
    }
    event.preventDefault();
  }, on);

  return () => stop.abort();
}

function distance(a: { x: number; y: number }, b: { x: number; y: number }): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function middle(a: { x: number; y: number }, b: { x: number; y: number }) {
  return { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
}
