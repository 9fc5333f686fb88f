/** What a bar is: something measured against a limit, in one row of the table or several. */
import type { Browser } from "playwright-core";
import type { BarServer } from "./server.ts";

/** Short forms run on shared machines: times and rates may be so many times worse there. */
export const LOOSENING = 4;

/** What bars run over. */
export interface BarRun {
  readonly browser: Browser;
  /** 2,000 simulated vehicles at 1 Hz, unless set otherwise. */
  readonly server: BarServer;
  /** Seconds in place of minutes, and looser limits on time. */
  readonly short: boolean;
  /** Minutes of A9. */
  readonly minutes: number;
}

/** One row of the table. */
export interface Row {
  readonly what: string;
  readonly limit: string;
  readonly measured: string;
  readonly ok: boolean;
}

/** One bar of the list. */
export interface Bar {
  readonly id: string;
  readonly run: (run: BarRun) => Promise<Row[]>;
}

interface Figure {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
  readonly unit: string;
  /** Whether a busy machine makes it worse, so that short forms loosen the limit. */
  readonly timing?: boolean;
}

/** A figure that must not exceed its limit. */
export function atMost(run: BarRun, figure: Figure): Row {
  const limit = figure.limit * (run.short && figure.timing === true ? LOOSENING : 1);
  return row(figure, `≤ ${round(limit)} ${figure.unit}`, figure.value <= limit);
}

/** A figure that must reach its limit. */
export function atLeast(run: BarRun, figure: Figure): Row {
  const limit = figure.limit / (run.short && figure.timing === true ? LOOSENING : 1);
  return row(figure, `≥ ${round(limit)} ${figure.unit}`, figure.value >= limit);
}

/** Things that must not be: none, or what they are. */
export function none(what: string, found: readonly string[]): Row {
  const measured = found.length === 0 ? "none" : `${found.length}: ${found.slice(0, 3).join("; ")}`;
  return { what, limit: "none", measured, ok: found.length === 0 };
}

function row({ what, value, unit }: Figure, limit: string, ok: boolean): Row {
  return { what, limit: limit.trim(), measured: `${round(value)} ${unit}`.trim(), ok };
}

function round(value: number): string {
  return Number.isInteger(value) || Math.abs(value) >= 1000
    ? String(Math.round(value))
    : value.toFixed(Math.abs(value) < 1 ? 3 : 1);
}

/** The value that the share of all does not exceed; NaN of none. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN;
}

/** The middle value; NaN of none. */
export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

/** Lets time pass: bars watch what happens meanwhile. */
export function pass(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
