/** The program as `deno task dev` runs it, in a process of its own, for measuring. */

const ROOT = new URL("../../", import.meta.url);
const START_MS_MAX = 60_000;

/** A running server that can be restarted where it was. */
export class BarServer {
  url = "";
  readonly #args: readonly string[];
  readonly #data: string;
  #child: Deno.ChildProcess | null = null;
  #reading: Promise<void> = Promise.resolve();

  private constructor(args: readonly string[], data: string) {
    this.#args = args;
    this.#data = data;
  }

  /** Builds the islands and starts it over empty data. @throws {Error} with what it said */
  static async start(args: readonly string[]): Promise<BarServer> {
    const build = new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "build:islands"],
      cwd: ROOT,
      stdout: "null",
    });
    if (!(await build.output()).success) throw new Error("Cannot build the islands");
    const data = await Deno.makeTempDir({ prefix: "kilter-bars-" });
    const server = new BarServer(args, data);
    await server.#spawn(0);
    return server;
  }

  /** Its process id. */
  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** The port that it listens on. */
  get port(): number {
    return Number(new URL(this.url).port);
  }

  /** JSON that a path answers. */
  async json(path: string): Promise<Record<string, unknown>> {
    return await (await fetch(this.url + path)).json();
  }

  /** One figure of /metrics, all its labels added up; NaN if it is not there. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const values = text.split("\n").filter((line) => /^\w+/.exec(line)?.[0] === name)
      .map((line) => Number(line.split(" ").at(-1)));
    return values.length === 0 ? NaN : values.reduce((sum, value) => sum + value, 0);
  }

  /** Memory that it has resident, megabytes (Linux). */
  async residentMegabytes(): Promise<number> {
    // Reading the file itself would take every permission.
    const read = new Deno.Command("cat", { args: [`/proc/${this.pid}/status`] });
    const status = new TextDecoder().decode((await read.output()).stdout);
    return Number(/VmRSS:\s*(\d+) kB/.exec(status)?.[1]) / 1024;
  }

  /** Ends it with SIGTERM. @returns how long that took, milliseconds */
  async end(): Promise<number> {
    const child = this.#child;
    if (child === null) return 0;
    const from = performance.now();
    try {
      child.kill("SIGTERM");
    } catch (error) {
      // It may have ended with whatever ends this process, too.
      if (!(error instanceof TypeError)) throw error;
    }
    await child.status;
    const took = performance.now() - from;
    await this.#reading;
    this.#child = null;
    return took;
  }

  /** Starts it again, over the same data and on the same port. */
  async again(): Promise<void> {
    await this.#spawn(this.port);
  }

  /** Ends it and takes its data away. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.end();
    await Deno.remove(this.#data, { recursive: true });
  }

  async #spawn(port: number): Promise<void> {
    const child = new Deno.Command(Deno.execPath(), {
      args: [
        ...await taskFlags(),
        `--allow-write=${this.#data}`,
        ...["main.ts", "dev", "--port", String(port), "--data", this.#data],
        ...this.#args,
      ],
      env: { MALLOC_ARENA_MAX: "2", NO_COLOR: "1" },
      cwd: ROOT,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#child = child;
    const listening = Promise.withResolvers<string>();
    const said: string[] = [];
    const timer = setTimeout(() => listening.reject(new Error(said.join("\n"))), START_MS_MAX);
    this.#reading = read(child.stderr, (line) => {
      said.push(line);
      const url = /Kilter is at (http:\/\/\S+)/.exec(line)?.[1];
      if (url !== undefined) listening.resolve(url);
    }).then(() => listening.reject(new Error(`It ended: ${said.join("\n")}`)));
    try {
      this.url = await listening.promise;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The flags of `deno task dev`, without those of what it may write. */
async function taskFlags(): Promise<string[]> {
  const config = await Deno.readTextFile(new URL("deno.json", ROOT));
  const flags = /"dev": "[^"]*deno (run [^"]*) main\.ts dev"/.exec(config)?.[1];
  if (flags === undefined) throw new Error("Cannot find the task dev in deno.json");
  return flags.split(" ").filter((flag) => !flag.startsWith("--allow-write"));
}

async function read(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  take: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(take);
  }
}
