/// <reference lib="dom" />
/** Notifications of the browser for criticals, if somebody asked for them. */
import { type Signal, signal } from "@preact/signals";
import type { AnomalyEvent } from "../contract/stream.ts";
import type { AnomalyView } from "../contract/views.ts";
import { messageText, ruleTitle, vehiclePath } from "./format.ts";
import { recall, remember } from "./preferences.ts";
import { isolatedText, visibleText } from "./visible_text.ts";

/** Whether notifications come, or what is in their way. */
export type Notifying = "off" | "on" | "denied" | "insecure" | "unsupported";

const KEY = "kilter.notify";
/** Criticals that come within this long are told together, milliseconds. */
const TOGETHER_MS = 500;
/** Between two notifications lies at least this long, milliseconds. */
const APART_MS = 5000;

/** Tells of criticals while the page is not looked at. */
export class Notifier {
  readonly state: Signal<Notifying> = signal<Notifying>("off");
  #waiting: AnomalyView[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;
  #toldAt = -Infinity;

  /** Takes over what was asked for before. */
  load(): void {
    if (!isSecureContext) this.state.value = "insecure";
    else if (typeof Notification === "undefined") this.state.value = "unsupported";
    else if (Notification.permission === "denied") this.state.value = "denied";
    else if (Notification.permission === "granted" && recall(KEY) === "on") this.state.value = "on";
  }

  /** Asks the browser for leave, or stops; call from a press of a button only. */
  async toggle(): Promise<void> {
    if (this.state.value === "on") {
      remember(KEY, "off");
      this.state.value = "off";
      return;
    }
    const leave = await Notification.requestPermission();
    this.state.value = leave === "granted" ? "on" : leave === "denied" ? "denied" : "off";
    if (this.state.value === "on") remember(KEY, "on");
  }

  /** Hears an event; tells of it if it is a critical that has just become one. */
  heard({ kind, anomaly }: AnomalyEvent): void {
    if (this.state.value !== "on" || anomaly.severity !== "critical") return;
    if (anomaly.state !== "open" || !["opened", "reopened", "escalated"].includes(kind)) return;
    if (!document.hidden && document.hasFocus()) return;
    this.#waiting.push(anomaly);
    const wait = Math.max(TOGETHER_MS, this.#toldAt + APART_MS - performance.now());
    this.#timer ??= setTimeout(() => this.#tell(), wait);
  }

  #tell(): void {
    this.#timer = undefined;
    this.#toldAt = performance.now();
    const [first, ...more] = this.#waiting;
    this.#waiting = [];
    if (first === undefined) return;
    const what = `${isolatedText(ruleTitle(first.rule))}: ${
      visibleText(messageText(first.message)) || isolatedText(first.vehicle)
    }`;
    const title = more.length === 0 ? "Critical" : `${more.length + 1} criticals`;
    // Every tab tells: what bears the same tag takes the other's place.
    const told = new Notification(title, { body: what, tag: `kilter-${first.id}` });
    told.addEventListener("click", () => {
      globalThis.focus();
      location.href = more.length === 0
        ? vehiclePath(first.vehicle, first.openedAt)
        : "/anomalies?state=open&severity=critical";
    });
  }
}
