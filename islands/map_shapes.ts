/// <reference lib="dom" />
/** Shapes on the map's canvas, in the colours of the page. */
import type { Severity } from "../contract/anomaly.ts";

/** Colours that the canvas draws with, read from the page's custom properties. */
export interface Palette {
  readonly land: string;
  readonly sea: string;
  readonly coast: string;
  readonly zone: string;
  readonly grid: string;
  readonly road: string;
  readonly bg: string;
  readonly raised: string;
  readonly line: string;
  readonly text: string;
  readonly dim: string;
  readonly accent: string;
  readonly normal: string;
  readonly info: string;
  readonly warning: string;
  readonly critical: string;
  readonly onWarning: string;
  readonly onCritical: string;
}

/** Reads the colours that are in force for an element. */
export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    land: colour("land"),
    sea: colour("sea"),
    coast: colour("coast"),
    zone: colour("control"),
    grid: colour("grid"),
    road: colour("road"),
    bg: colour("bg"),
    raised: colour("raised"),
    line: colour("line"),
    text: colour("text"),
    dim: colour("dim"),
    accent: colour("accent"),
    normal: colour("normal"),
    info: colour("info"),
    warning: colour("warning"),
    critical: colour("critical"),
    onWarning: colour("on-warning"),
    onCritical: colour("on-critical"),
  };
}

type Context = CanvasRenderingContext2D;

/** Adds an arrow to the path: `angle` in radians clockwise from north. */
export function arrowPath(g: Context, x: number, y: number, angle: number, r: number): void {
  const cos = Math.cos(angle) * r;
  const sin = Math.sin(angle) * r;
  g.moveTo(x + 1.45 * sin, y - 1.45 * cos);
  g.lineTo(x + 0.9 * cos - sin, y + 0.9 * sin + cos);
  g.lineTo(x - 0.5 * sin, y + 0.5 * cos);
  // Filling closes it: closing each of 2,000 by hand took half of the frame's time.
  g.lineTo(x - 0.9 * cos - sin, y - 0.9 * sin + cos);
}

/** Adds a circle to the path. */
export function circlePath(g: Context, x: number, y: number, r: number): void {
  g.moveTo(x + r, y);
  g.arc(x, y, r, 0, 2 * Math.PI);
}

/** Draws a severity's shape with a rim in the ground's colour, so that it stands off. */
export function drawSeverity(
  g: Context,
  severity: Severity,
  x: number,
  y: number,
  size: number,
  palette: Palette,
): void {
  g.save();
  g.translate(x, y);
  g.scale(size, size);
  g.lineCap = "round";
  drawShape(g, severity, 0, 0, palette);
  g.restore();
}

function drawShape(
  g: Context,
  severity: Severity,
  x: number,
  y: number,
  palette: Palette,
): void {
  switch (severity) {
    case "critical":
      filled(g, palette.bg, () => octagon(g, x, y, 11.5));
      filled(g, palette.critical, () => octagon(g, x, y, 9.5));
      exclamation(g, x, y, palette.onCritical);
      return;
    case "warning":
      filled(g, palette.bg, () => triangle(g, x, y, 12));
      filled(g, palette.warning, () => triangle(g, x, y, 9.5));
      exclamation(g, x, y + 1.5, palette.onWarning, 0.8);
      return;
    case "info":
      g.strokeStyle = palette.bg;
      g.lineWidth = 5.5;
      g.beginPath();
      circlePath(g, x, y, 7);
      g.stroke();
      g.strokeStyle = palette.info;
      g.lineWidth = 2.5;
      g.stroke();
  }
}

/** Draws the ring around what is selected. */
export function drawRing(g: Context, x: number, y: number, palette: Palette): void {
  g.strokeStyle = palette.bg;
  g.lineWidth = 5;
  g.beginPath();
  circlePath(g, x, y, 18);
  g.stroke();
  g.strokeStyle = palette.accent;
  g.lineWidth = 2;
  g.stroke();
}

/** Names longer than this are cut, pixels. */
const LABEL_PIXELS_MAX = 280;

/** The text, or as much of its beginning as has room, with an ellipsis. */
export function fitted(g: Context, text: string, pixels: number): string {
  if (g.measureText(text).width <= pixels) return text;
  const letters = Array.from(text);
  let kept = 0;
  let beyond = letters.length;
  while (beyond - kept > 1) {
    const middle = (kept + beyond) >> 1;
    const width = g.measureText(`${letters.slice(0, middle).join("")}…`).width;
    if (width <= pixels) kept = middle;
    else beyond = middle;
  }
  return `${letters.slice(0, kept).join("")}…`;
}

/** Draws a label beside a point, on its other side where the screen's edge is near. */
export function drawLabel(
  g: Context,
  text: { readonly title: string; readonly rest: string },
  x: number,
  y: number,
  width: number,
  palette: Palette,
): void {
  const bold = "600 12px system-ui, sans-serif";
  const plain = "400 12px system-ui, sans-serif";
  g.font = bold;
  const title = fitted(g, text.title, Math.min(LABEL_PIXELS_MAX, width / 2));
  const titleWidth = g.measureText(title).width;
  g.font = plain;
  const restWidth = text.rest === "" ? 0 : g.measureText(text.rest).width + 8;
  const wide = titleWidth + restWidth + 16;
  const left = x + 24 + wide > width ? x - 24 - wide : x + 24;
  g.fillStyle = palette.raised;
  g.strokeStyle = palette.line;
  g.lineWidth = 1;
  g.beginPath();
  g.roundRect(Math.round(left) + 0.5, Math.round(y) - 11.5, Math.ceil(wide), 23, 4);
  g.fill();
  g.stroke();
  g.textBaseline = "middle";
  g.font = bold;
  g.fillStyle = palette.text;
  g.fillText(title, left + 8, y + 0.5);
  g.font = plain;
  g.fillStyle = palette.dim;
  g.fillText(text.rest, left + 16 + titleWidth, y + 0.5);
}

function filled(g: Context, colour: string, path: () => void): void {
  g.fillStyle = colour;
  g.beginPath();
  path();
  g.fill();
}

function octagon(g: Context, x: number, y: number, r: number): void {
  for (let k = 0; k < 8; k++) {
    const angle = (k + 0.5) * Math.PI / 4;
    g.lineTo(x + Math.cos(angle) * r, y + Math.sin(angle) * r);
  }
  g.closePath();
}

function triangle(g: Context, x: number, y: number, r: number): void {
  g.moveTo(x, y - r);
  g.lineTo(x + r, y + r * 0.75);
  g.lineTo(x - r, y + r * 0.75);
  g.closePath();
}

function exclamation(g: Context, x: number, y: number, colour: string, size = 1): void {
  g.strokeStyle = colour;
  g.lineWidth = 2 * size + 0.2;
  g.beginPath();
  g.moveTo(x, y - 4.5 * size);
  g.lineTo(x, y + 0.8 * size);
  g.moveTo(x, y + 4.2 * size);
  g.lineTo(x, y + 4.3 * size);
  g.stroke();
}
