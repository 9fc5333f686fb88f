/** The whole program and a real browser, for tests. */
import type { Browser } from "playwright-core";

/** Where the browser lies; `KILTER_TEST_CHROMIUM` names another. */
const CHROMIUM_PATHS = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const CHROMIUM_FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];
const START_MS_MAX = 20_000;

/** A running program. */
export interface RunningKilter {
  /** Where its pages are, without a slash at the end. */
  readonly url: string;
  readonly port: number;
  /** Ends it cleanly and takes its data away. */
  stop(): Promise<void>;
}

/** How a program is started. */
export interface StartOptions {
  /** Folder of its data, which then is left to the caller; else one of its own. */
  readonly data?: string;
  /** A free one unless given. */
  readonly port?: number;
  /** `dev` unless said otherwise. */
  readonly command?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Folder that it runs in, as its user would; the project's own unless given. */
  readonly cwd?: string;
}

const ROOT = new URL("../", import.meta.url);

/**
 * Builds the islands and starts the program in a process of its own, on a free port, over empty data.
 *
 * @throws {Error} with what it said if it does not listen within 20 seconds
 */
export async function startKilter(
  args: readonly string[] = [],
  options: StartOptions = {},
): Promise<RunningKilter> {
  await run(["task", "--quiet", "build:islands"]);
  const data = options.data ?? await Deno.makeTempDir({ prefix: "kilter-e2e-" });
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-check",
      "--no-prompt",
      "--allow-net",
      "--allow-read",
      `--allow-write=${data}`,
      "--allow-env",
      "--config",
      decodeURIComponent(new URL("deno.json", ROOT).pathname),
      decodeURIComponent(new URL("main.ts", ROOT).pathname),
      options.command ?? "dev",
      "--port",
      String(options.port ?? 0),
      "--data",
      data,
      ...args,
    ],
    cwd: options.cwd ?? ROOT,
    env: options.env,
    stdout: "null",
    stderr: "piped",
    stdin: "null",
  }).spawn();
  const listening = Promise.withResolvers<string>();
  const said: string[] = [];
  const reading = readLines(child.stderr, (line) => {
    said.push(line);
    const url = /http:\/\/127\.0\.0\.1:\d+/.exec(line)?.[0];
    if (url !== undefined) listening.resolve(url);
  });
  const timer = setTimeout(
    () => listening.reject(new Error(`Kilter did not listen in time: ${said.join("\n")}`)),
    START_MS_MAX,
  );
  child.status.then(({ code }) =>
    listening.reject(new Error(`Kilter ended with ${code}: ${said.join("\n")}`))
  );
  const stop = async () => {
    try {
      child.kill("SIGTERM");
    } catch (fault) {
      // It may have ended by itself, which the caller has been told.
      if (!(fault instanceof TypeError || fault instanceof Deno.errors.NotFound)) throw fault;
    }
    await child.status;
    await reading;
    if (options.data === undefined) await Deno.remove(data, { recursive: true });
  };
  try {
    const url = await listening.promise;
    return { url, port: Number(new URL(url).port), stop };
  } catch (fault) {
    await stop();
    throw fault;
  } finally {
    clearTimeout(timer);
  }
}

/** Path of a browser; null if there is none. */
export async function findChromium(): Promise<string | null> {
  const named = Deno.env.get("KILTER_TEST_CHROMIUM");
  for (const path of named === undefined ? CHROMIUM_PATHS : [named]) {
    try {
      await Deno.stat(path);
      return path;
    } catch (fault) {
      if (!(fault instanceof Deno.errors.NotFound)) throw fault;
    }
  }
  return null;
}

/** Starts a browser. */
export async function startChromium(executablePath: string): Promise<Browser> {
  // At import the driver looks into /proc for a foreign kernel, which takes every permission; with
  // this variable set it leaves that until somebody asks.
  Deno.env.set("__IS_WSL_TEST__", "1");
  const { chromium } = await import("playwright-core");
  Deno.env.delete("__IS_WSL_TEST__");
  return await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
}

/**
 * A plain TCP way to a port that can be cut: bytes stop in both directions and nobody is told, as
 * with a pulled plug.
 */
export class CutProxy {
  readonly url: string;
  readonly #listener: Deno.TcpListener;
  readonly #open = new Set<Deno.TcpConn>();
  readonly #dead = new WeakSet<Deno.TcpConn>();
  readonly #tasks = new Set<Promise<void>>();
  readonly #target: number;
  #cut = false;

  constructor(target: number) {
    this.#target = target;
    this.#listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    this.url = `http://127.0.0.1:${this.#listener.addr.port}`;
    this.#track(this.#accept());
  }

  /** Cuts, or joins again; what was open when it was cut stays dead. */
  cut(isCut: boolean): void {
    this.#cut = isCut;
    if (!isCut) { for (const connection of this.#open) close(connection); }
  }

  /** Ends it and everything that runs through it. */
  async stop(): Promise<void> {
    this.#listener.close();
    for (const connection of this.#open) close(connection);
    await Promise.all(this.#tasks);
  }

  async #accept(): Promise<void> {
    try {
      for await (const connection of this.#listener) this.#track(this.#join(connection));
    } catch (fault) {
      if (!isClosed(fault)) throw fault;
    }
  }

  async #join(near: Deno.TcpConn): Promise<void> {
    this.#open.add(near);
    let far: Deno.TcpConn;
    try {
      far = await Deno.connect({ hostname: "127.0.0.1", port: this.#target });
    } catch (fault) {
      if (!(fault instanceof Deno.errors.ConnectionRefused)) throw fault;
      // Nobody listens (any more): whoever came is told so in the same way.
      this.#open.delete(near);
      close(near);
      return;
    }
    this.#open.add(far);
    await Promise.all([this.#pump(near, far), this.#pump(far, near)]);
  }

  async #pump(from: Deno.TcpConn, to: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(65_536);
    try {
      for (;;) {
        const count = await from.read(buffer);
        if (count === null) break;
        // Once bytes are lost on the way, the connection stays silent for good.
        if (this.#cut) this.#dead.add(from).add(to);
        if (this.#dead.has(from)) continue;
        for (let at = 0; at < count;) at += await to.write(buffer.subarray(at, count));
      }
    } catch (fault) {
      if (!isClosed(fault)) throw fault;
    } finally {
      for (const connection of [from, to]) {
        this.#open.delete(connection);
        close(connection);
      }
    }
  }

  #track(task: Promise<void>): void {
    this.#tasks.add(task);
    task.finally(() => this.#tasks.delete(task));
  }
}

function close(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (fault) {
    if (!isClosed(fault)) throw fault;
  }
}

function isClosed(fault: unknown): boolean {
  return fault instanceof Deno.errors.BadResource || fault instanceof Deno.errors.Interrupted ||
    fault instanceof Deno.errors.ConnectionReset || fault instanceof Deno.errors.BrokenPipe ||
    fault instanceof Deno.errors.ConnectionAborted || fault instanceof Deno.errors.NotConnected;
}

async function run(args: string[]): Promise<void> {
  const cwd = new URL("../", import.meta.url);
  const command = new Deno.Command(Deno.execPath(), { args, cwd, stdout: "null", stderr: "piped" });
  const { success, stderr } = await command.output();
  if (!success) {
    throw new Error(`deno ${args.join(" ")} failed: ${new TextDecoder().decode(stderr)}`);
  }
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(take);
  }
  if (rest !== "") take(rest);
}
