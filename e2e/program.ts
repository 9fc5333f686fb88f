/** The program as its users start it: a process with arguments, its output, its exit code. */

const ROOT = new URL("../", import.meta.url);
/** What belongs to the project, wherever the program runs. */
const of = (name: string) => decodeURIComponent(new URL(name, ROOT).pathname);

/** What a finished run gave. */
export interface Finished {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Arguments of `deno` that run the program; writing is limited to `writable`. */
function denoArgs(args: readonly string[], writable: readonly string[]): string[] {
  const write = writable.length === 0 ? [] : [`--allow-write=${writable.join(",")}`];
  const may = ["--allow-net", "--allow-read", ...write, "--allow-env"];
  const config = ["--config", of("deno.json")];
  return ["run", "--no-check", "--no-prompt", ...config, ...may, of("main.ts"), ...args];
}

/**
 * Runs a command to its end.
 *
 * @param cwd folder that it runs in
 */
export async function runKilter(
  args: readonly string[],
  writable: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
  cwd: string | URL = ROOT,
): Promise<Finished> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: denoArgs(args, writable),
    cwd,
    stdin: "null",
    env: { NO_COLOR: "1", ...env },
  }).output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}

/** Starts a command whose output nobody wants, to be killed. */
export function spawnKilter(
  args: readonly string[],
  writable: readonly string[],
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: denoArgs(args, writable),
    cwd: ROOT,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
}

/** A command that keeps running. */
export class Program implements AsyncDisposable {
  readonly #child: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  readonly said: string[] = [];
  /** Whether it runs no more. */
  ended = false;
  url = "";

  /** @param before shell commands that run in the process before the program takes its place */
  constructor(args: readonly string[], writable: readonly string[], before = "") {
    const all = denoArgs(args, writable);
    const shell = ["-c", `${before}; exec "$0" "$@"`, Deno.execPath(), ...all];
    this.#child = new Deno.Command(before === "" ? Deno.execPath() : "sh", {
      args: before === "" ? all : shell,
      cwd: ROOT,
      stdin: "null",
      stdout: "null",
      stderr: "piped",
      env: { NO_COLOR: "1" },
    }).spawn();
    this.#reading = this.#read();
    this.#child.status.then(() => this.ended = true);
  }

  /** Starts a command that serves pages, on a free port, and waits until it listens. */
  static async serve(args: readonly string[], data: string, before = ""): Promise<Program> {
    const program = new Program([...args, "--port", "0", "--data", data], [data], before);
    try {
      await until("it listens", () => Promise.resolve(program.url !== ""), () => program.report());
    } catch (error) {
      await program.kill("SIGKILL");
      throw error;
    }
    return program;
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** The JSON that a path answers. */
  async json(path: string, init?: RequestInit): Promise<unknown> {
    const response = await fetch(this.url + path, init);
    const body: unknown = await response.json();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${JSON.stringify(body)}`);
    return body;
  }

  /** Sends it a signal, if it still runs. */
  signal(signal: Deno.Signal): void {
    try {
      this.#child.kill(signal);
    } catch (error) {
      // It may have ended by itself.
      if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  /** Ends it with a signal and waits for that. */
  async kill(signal: Deno.Signal): Promise<number> {
    this.signal(signal);
    const { code } = await this.#child.status;
    await this.#reading;
    return code;
  }

  /** All that it has said, for a failure. */
  report(): string {
    return this.said.join("\n");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill("SIGTERM");
  }

  async #read(): Promise<void> {
    let rest = "";
    for await (const text of this.#child.stderr.pipeThrough(new TextDecoderStream())) {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        this.said.push(line);
        this.url ||= /Kilter is at (http:\/\/[^\s]+)/.exec(line)?.[1] ?? "";
      }
    }
    if (rest !== "") this.said.push(rest);
  }
}

/** Waits until a condition holds, for at most half a minute. */
export async function until(
  what: string,
  test: () => Promise<boolean>,
  report: () => string = () => "",
): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!await test()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain until ${what}\n${report()}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A folder that is removed again. */
export async function withFolder(run: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir({ prefix: "kilter-e2e-" });
  try {
    await run(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Anomalies that the API lists, newest first. */
export async function anomalies(program: Program): Promise<Listed[]> {
  const page = await program.json("/api/anomalies?limit=200");
  if (typeof page !== "object" || page === null || !("anomalies" in page)) return [];
  return Array.isArray(page.anomalies) ? page.anomalies : [];
}

/** What tests look at of a listed anomaly. */
export interface Listed {
  readonly id: string;
  readonly rule: string;
  readonly vehicle: string;
  readonly message: string;
  readonly openedAt: number;
  readonly state: string;
}
