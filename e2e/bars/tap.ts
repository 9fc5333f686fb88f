/// <reference lib="dom" />
/**
 * A second ear on a page's stream: its own port to the page's SharedWorker, apart from the page's
 * code, so that what the page says of itself can be held against it.
 */
import type { Page } from "playwright-core";
import { PROPS_ID } from "../../islands/roots.ts";

/** What was heard. */
export interface Heard {
  /** From append time to the paint after the frame came, milliseconds, in the order of arrival. */
  readonly delays: readonly number[];
  /** `id kind at` of every transition, in the order of arrival. */
  readonly transitions: readonly string[];
  /** Ids of those that opened. */
  readonly opened: readonly string[];
}

/** Begins to listen. */
export async function tap(page: Page): Promise<void> {
  await page.evaluate((propsId) => {
    const { shell } = JSON.parse(document.getElementById(propsId)?.textContent ?? "{}");
    const heard = {
      delays: new Array<number>(),
      transitions: new Array<string>(),
      opened: new Array<string>(),
    };
    Reflect.set(globalThis, "barsHeard", heard);
    const appends = new Map<number, number>();
    const takeFrame = (frame: { now: number; full: boolean; i: number[]; a: number[] }) => {
      const fresh: number[] = [];
      frame.i.forEach((number, k) => {
        const append = frame.now - frame.a[k];
        const isNewer = append > (appends.get(number) ?? 0);
        appends.set(number, append);
        if (isNewer && !frame.full) fresh.push(append);
      });
      requestAnimationFrame(() => {
        const channel = new MessageChannel();
        channel.port1.onmessage = () => {
          channel.port1.close();
          const now = Date.now();
          for (const append of fresh) heard.delays.push(now - append);
        };
        channel.port2.postMessage(null);
      });
    };
    const { port } = new SharedWorker(`${shell.assets}stream_worker.js`, {
      type: "module",
      name: `kilter${shell.assets}`,
    });
    port.onmessage = ({ data }) => {
      if (data.kind !== "event") return;
      if (data.name === "fleet") takeFrame(JSON.parse(data.text));
      if (data.name !== "anomaly") return;
      const { kind, anomaly } = JSON.parse(data.text);
      heard.transitions.push(`${anomaly.id} ${kind} ${anomaly.at}`);
      if (kind === "opened") heard.opened.push(anomaly.id);
    };
  }, PROPS_ID);
}

/** What has been heard so far. */
export async function heard(page: Page): Promise<Heard> {
  return await page.evaluate(() => Reflect.get(globalThis, "barsHeard"));
}
