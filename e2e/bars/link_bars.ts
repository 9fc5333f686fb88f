/** A6, A7, A8, A16: cut networks, stopped clients, many tabs, and the end. */
import type { Page } from "playwright-core";
import { CutProxy } from "../harness.ts";
import { isLive, liveWord, open, until } from "../pages.ts";
import { atLeast, atMost, type Bar, type BarRun, none, pass, percentile, type Row } from "./bar.ts";
import { BarServer } from "./server.ts";
import { type Heard, heard, tap } from "./tap.ts";

const CUT_MS = 10_000;
const STREAM_REQUEST = "GET /api/stream HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n";

/** Milliseconds until the page says something. */
async function untilSaid(page: Page, text: RegExp): Promise<number> {
  const from = performance.now();
  await page.waitForFunction(
    (source) => new RegExp(source).test(document.querySelector(".live b")?.textContent ?? ""),
    text.source,
    { polling: 20, timeout: 30_000 },
  );
  return performance.now() - from;
}

function linkRows(run: BarRun, what: string, toldMs: number, backMs: number): Row[] {
  return [
    atMost(run, {
      what: `${what}: told after`,
      value: toldMs,
      limit: 3000,
      unit: "ms",
      timing: true,
    }),
    atMost(run, {
      what: `${what}: live again after`,
      value: backMs,
      limit: 2000,
      unit: "ms",
      timing: true,
    }),
  ];
}

async function cuts(run: BarRun): Promise<Row[]> {
  const { server } = run;
  const proxy = new CutProxy(server.port);
  const { page, context } = await open(run.browser, `${proxy.url}/`);
  try {
    await isLive(page);
    await tap(page);
    await pass(1_000);
    const from = Date.now();
    proxy.cut(true);
    const toldMs = await untilSaid(page, /^Reconnecting/);
    await pass(Math.max(0, CUT_MS - (Date.now() - from)));
    proxy.cut(false);
    const to = Date.now();
    const backMs = await untilSaid(page, /^Live/);
    await pass(2_000);
    const during = await openedBetween(server, from, to);
    if (during.length === 0) throw new Error("No anomaly opened during the cut");
    const missed = ({ opened }: Heard) => during.filter((id) => !opened.includes(id));
    // What the server lists by now is on its way to the page, if not there yet.
    const ear = await until(() => heard(page), (ear) => missed(ear).length === 0)
      .catch(() => heard(page));
    const { transitions } = ear;
    const missing = missed(ear);
    const twice = transitions.filter((each, k) => transitions.indexOf(each) !== k);
    const rows = [
      ...linkRows(run, `network cut for ${CUT_MS / 1000} s`, toldMs, backMs),
      none(`of ${during.length} anomalies of the cut missing on the page`, missing),
      none(`of ${transitions.length} transitions heard twice`, twice),
    ];
    return [...rows, ...await restart(run, page)];
  } finally {
    await context.close();
    await proxy.stop();
  }
}

/** Ids of anomalies that opened within a time of the server's clock. */
async function openedBetween(server: BarServer, from: number, to: number): Promise<string[]> {
  const { anomalies } = await server.json("/api/anomalies?limit=200");
  if (!Array.isArray(anomalies)) throw new Error("The server lists no anomalies");
  return anomalies.filter(({ append, count }) => append > from && append < to && count === 1)
    .map(({ id }) => String(id));
}

async function restart(run: BarRun, page: Page): Promise<Row[]> {
  const { server } = run;
  const told = untilSaid(page, /^Reconnecting/);
  await server.end();
  const toldMs = await told;
  await server.again();
  const backMs = await untilSaid(page, /^Live/);
  return [
    ...linkRows(run, "server restarted", toldMs, backMs),
    none("open anomalies that differ from the server's", await differing(page, server)),
  ];
}

/** Places in the stream at which page and server are compared. */
const PLACES = 3;
/** They stand at one place often enough, milliseconds. */
const PLACES_MS_MAX = 60_000;

/** Figures of the page that differ from the server's at the same place in the stream. */
async function differing(page: Page, server: BarServer): Promise<string[]> {
  const shown = new Map<string, string>();
  const counted = new Map<string, string>();
  const common = () => [...shown.keys()].filter((position) => counted.has(position));
  const deadline = performance.now() + PLACES_MS_MAX;
  while (common().length < PLACES) {
    if (performance.now() > deadline) throw new Error("Page and server never stood at one place");
    const figure = await page.locator(".kpi dd[data-position]").evaluate((element) => ({
      position: element.getAttribute("data-position") ?? "",
      counts: [...element.querySelectorAll(".count")]
        .map((count) => count.textContent?.replace(/\D/g, "")).join(),
    }));
    shown.set(figure.position, figure.counts);
    const { open, position } = await server.json("/api/anomalies?limit=1");
    const { critical, warning, info }: Record<string, unknown> = { ...Object(open) };
    counted.set(String(position), [critical, warning, info].join());
  }
  return common().filter((position) => shown.get(position) !== counted.get(position)).map(
    (position) => `${shown.get(position)} for ${counted.get(position)} at ${position}`,
  );
}

/** A client that asks for the stream and never reads it. */
async function stoppedClient(port: number): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.write(new TextEncoder().encode(STREAM_REQUEST));
  return connection;
}

async function stopped(run: BarRun): Promise<Row[]> {
  const { server } = run;
  const seconds = run.short ? 10 : 60;
  await pass(run.short ? 2_000 : 30_000);
  const before = await server.residentMegabytes();
  const connections = await Promise.all(
    Array.from({ length: 20 }, () => stoppedClient(server.port)),
  );
  const stop = new AbortController();
  let frames = 0;
  const response = await fetch(`${server.url}/api/stream`, { signal: stop.signal });
  const reading = count(response, () => frames++);
  const rates: number[] = [];
  const memory: number[] = [];
  for (let k = 0; k < seconds; k++) {
    const from = frames;
    await pass(1_000);
    rates.push(frames - from);
    memory.push(await server.residentMegabytes());
  }
  stop.abort();
  await reading;
  for (const connection of connections) connection.close();
  return [
    atMost(run, {
      what: `server memory with 20 clients stopped for ${seconds} s, growth`,
      value: Math.max(...memory) - before,
      limit: 20,
      unit: "MB",
      timing: true,
    }),
    atLeast(run, {
      // Of ten seconds on a busy machine the slowest one says nothing about those who read.
      what: `frames for the others, ${run.short ? "median" : "p5"} of seconds`,
      value: percentile(rates.slice(1), run.short ? 0.5 : 0.05),
      limit: 4,
      unit: "Hz",
      timing: true,
    }),
  ];
}

async function count(response: Response, onFrame: () => void): Promise<void> {
  if (response.body === null) return;
  try {
    for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
      for (const _frame of text.matchAll(/^event: fleet$/gm)) onFrame();
    }
  } catch (error) {
    if (!(error instanceof DOMException && error.name === "AbortError")) throw error;
  }
}

async function tabs(run: BarRun): Promise<Row[]> {
  const { server } = run;
  const streams = () => server.metric("kilter_server_stream_clients");
  await until(streams, (count) => count === 0);
  const { page, context } = await open(run.browser, `${server.url}/`);
  const pages = [page];
  while (pages.length < 8) pages.push(await context.newPage());
  for (const tab of pages.slice(1)) await tab.goto(`${server.url}/`);
  for (const tab of pages) await isLive(tab);
  const words = await Promise.all(pages.map(liveWord));
  const clients = await streams();
  await context.close();
  return [
    atLeast(run, {
      what: "tabs of eight that are live",
      value: words.filter((word) => /^(Live|Delayed)/.test(word)).length,
      limit: 8,
      unit: "",
    }),
    atMost(run, { what: "connections for eight tabs", value: clients, limit: 1, unit: "" }),
  ];
}

async function end(run: BarRun): Promise<Row[]> {
  await using server = await BarServer.start(["--vehicles", run.short ? "500" : "2000"]);
  const connections = await Promise.all(
    Array.from({ length: 20 }, () => stoppedClient(server.port)),
  );
  const streams = () => server.metric("kilter_server_stream_clients");
  await until(streams, (count) => count === 20);
  const took = await server.end();
  for (const connection of connections) connection.close();
  return [
    atMost(run, {
      what: "SIGTERM with 20 open streams: gone after",
      value: took,
      limit: 2000,
      unit: "ms",
      timing: true,
    }),
  ];
}

/** The bars. */
export const LINK_BARS: readonly Bar[] = [
  { id: "A6", run: cuts },
  { id: "A7", run: stopped },
  { id: "A8", run: tabs },
  { id: "A16", run: end },
];
