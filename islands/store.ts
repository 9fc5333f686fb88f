/// <reference lib="dom" />
/** What a page knows: the fleet's columns, the open anomalies, the link, and what is selected. */
import { type Signal, signal } from "@preact/signals";
import type { DashboardView } from "../contract/dashboard.ts";
import type { AnomalyEvent, FleetFrame } from "../contract/stream.ts";
import type { AnomalyPage, PipelineView } from "../contract/views.ts";
import { AnomalyStore } from "./anomaly_store.ts";
import { Clock } from "./clock.ts";
import { applyFrame, encodeColumns, FleetColumns } from "./decode_frame.ts";
import { DelayMeter } from "./delay_meter.ts";
import { countFleet, type FleetCounts, type FleetFilter } from "./fleet_filter.ts";
import { Notifier } from "./notifier.ts";
import { Preferences } from "./preferences.ts";
import type { LinkPhase, LinkStatus } from "./stream_client.ts";
import type { StreamEvent } from "./stream_events.ts";
import { Toaster } from "./toast.ts";
import { Triage } from "./triage.ts";

/** What every page embeds for its islands. */
export interface ShellProps {
  /** Server clock when the page was drawn, epoch milliseconds. */
  readonly now: number;
  /** Where the static files lie. */
  readonly assets: string;
  /** Title in the bar. */
  readonly title: string;
  /** The fleet, as far as the page brings it. */
  readonly frame: FleetFrame | null;
  /** Counts over the whole fleet; null where the page does not know them. */
  readonly counts: FleetCounts | null;
  /** What is not cleared, as far as the page brings it. */
  readonly anomalies: AnomalyPage;
  readonly pipeline: PipelineView | null;
  readonly dashboard: DashboardView;
  /** Address of a base map in one file; "" for none. */
  readonly baseMap: string;
  /** Figures of its tiles as the server made them, for as long as the page is a still picture. */
  readonly tileValues: readonly (number | null)[];
}

/** The view stands still since `at` (server clock); so much came since. */
export interface Pause {
  readonly at: number;
  readonly samples: number;
  readonly anomalies: number;
}

/** One page's state. Made on the server too, for drawing; only `boot` sets it in motion. */
export class AppStore {
  readonly shell: ShellProps;
  readonly clock: Clock;
  readonly preferences = new Preferences();
  readonly anomalies: AnomalyStore;
  readonly delay = new DelayMeter();
  readonly toaster = new Toaster();
  readonly notifier = new Notifier();
  readonly triage: Triage;
  /** The fleet as shown; `version` moves when it changes. */
  shown = new FleetColumns();
  readonly version: Signal<number> = signal(0);
  readonly counts: Signal<FleetCounts>;
  readonly pipeline: Signal<PipelineView | null>;
  /** What is shown, as the file says now. */
  readonly dashboard: Signal<DashboardView>;
  /** null until scripts run: the page is then a still picture. */
  readonly link: Signal<LinkPhase | null> = signal<LinkPhase | null>(null);
  /** Browser clock of the last word from the server, epoch milliseconds; 0 before the first. */
  heardAt = 0;
  readonly pause: Signal<Pause | null> = signal<Pause | null>(null);
  /** Selected vehicle and anomaly: one selection for row, marker and card; "" for none. */
  readonly vehicle: Signal<string> = signal("");
  readonly anomaly: Signal<string> = signal("");
  readonly filter: Signal<FleetFilter> = signal<FleetFilter>("all");
  /** Part of the ids of the vehicles shown, in small letters; "" for all. */
  readonly name: Signal<string> = signal("");
  /** Anomalies heard live, each event; set by pages that list more than what is open. */
  onAnomaly: ((event: AnomalyEvent) => void) | null = null;
  /** Moves each time that the open anomalies have been read afresh. */
  readonly resynced: Signal<number> = signal(0);
  /** Asked for what happened while the link was down. */
  onResync: (() => void) | null = null;
  #live = this.shown;
  #scheduled = false;

  /** @param wall the browser's clock, epoch milliseconds */
  constructor(shell: ShellProps, wall: () => number) {
    this.shell = shell;
    this.clock = new Clock(shell.now, wall);
    this.anomalies = new AnomalyStore(shell.anomalies);
    this.pipeline = signal(shell.pipeline);
    this.dashboard = signal(shell.dashboard);
    this.preferences.units.value = shell.dashboard.units;
    this.preferences.zone.value = shell.dashboard.zone || "UTC";
    this.triage = new Triage(
      this.anomalies,
      this.toaster,
      () => this.preferences.person.value,
    );
    if (shell.frame !== null) applyFrame(this.#live, shell.frame);
    this.counts = signal(shell.counts ?? countFleet(this.#live));
  }

  /** Takes over where the link stands. */
  linked(status: LinkStatus): void {
    this.heardAt = Math.max(this.heardAt, status.heardAt);
    this.link.value = status.phase;
  }

  /**
   * Takes an event of the stream in.
   *
   * @param id where the stream stands with it
   * @throws {RangeError} if a frame does not fit
   */
  take(event: StreamEvent, id = ""): void {
    switch (event.kind) {
      case "hello":
        this.clock.learn(event.hello.now);
        this.onResync?.();
        return;
      case "reset":
        this.onResync?.();
        return;
      case "dashboard":
        this.dashboard.value = event.view;
        return;
      case "fleet":
        this.#takeFrame(event.frame);
        return;
      case "pipeline":
        this.clock.learn(event.view.now);
        if (this.pause.value === null) this.pipeline.value = event.view;
        return;
      case "anomaly":
        this.#takeAnomaly(event.event, id);
    }
  }

  /** Selects a vehicle, and with it its worst open anomaly; "" selects nothing. */
  selectVehicle(id: string): void {
    this.vehicle.value = id;
    const current = this.anomalies.get(this.anomaly.value);
    if (current?.vehicle === id) return;
    const own = this.anomalies.list.value.find(({ vehicle, state }) =>
      vehicle === id && state === "open"
    );
    this.anomaly.value = own?.id ?? "";
  }

  /** Selects an anomaly, and with it its vehicle. */
  selectAnomaly(id: string, vehicle: string): void {
    this.anomaly.value = id;
    this.vehicle.value = vehicle;
  }

  /** Holds the view still, or lets it catch up in one step. The intake knows nothing of it. */
  togglePause(): void {
    if (this.pause.value === null) {
      const now = this.clock.live();
      this.shown = new FleetColumns();
      applyFrame(this.shown, encodeColumns(this.#live, now));
      this.pause.value = { at: now, samples: 0, anomalies: 0 };
      this.clock.freeze(true);
    } else {
      this.shown = this.#live;
      this.pause.value = null;
      this.clock.freeze(false);
      this.anomalies.publish();
      this.publish();
    }
  }

  /** Shows what the columns hold. */
  publish(): void {
    if (this.pause.value !== null) return;
    const counts = countFleet(this.#live);
    if (this.#live.seq > 0 || counts.vehicles > this.counts.value.vehicles) {
      this.counts.value = counts;
    }
    this.version.value++;
  }

  #takeFrame(frame: FleetFrame): void {
    let samples = 0;
    applyFrame(this.#live, frame, (number) => {
      samples++;
      if (this.pause.value === null) this.delay.expect(this.#live.append[number]);
    });
    // A snapshot from the worker carries the clock of its last frame: never ahead, so harmless.
    this.clock.learn(frame.now);
    const pause = this.pause.value;
    if (pause !== null) this.pause.value = { ...pause, samples: pause.samples + samples };
    else this.#schedule();
  }

  #takeAnomaly(event: AnomalyEvent, id: string): void {
    const opened = this.anomalies.apply(this.triage.seen(event), id);
    const pause = this.pause.value;
    if (pause === null) this.#schedule();
    else if (opened) this.pause.value = { ...pause, anomalies: pause.anomalies + 1 };
    this.notifier.heard(event);
    this.onAnomaly?.(event);
  }

  /** Publishes with the next paint, and measures when that paint was. */
  #schedule(): void {
    if (document.hidden) {
      this.delay.forget();
      return;
    }
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      this.anomalies.publish();
      this.publish();
      const channel = new MessageChannel();
      // The message is delivered after this frame has been painted.
      channel.port1.onmessage = () => {
        channel.port1.close();
        this.delay.painted(this.clock.live());
      };
      channel.port2.postMessage(null);
    });
  }
}
