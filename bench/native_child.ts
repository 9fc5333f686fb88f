/** The peer in Rust (`native/`): built where cargo is, then a child that is told to run. */
import type { EngineInput } from "../rules-wasm/engine_port.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import type { Side, Timing } from "./measure.ts";
import type { Workload } from "./workload.ts";

const FOLDER = new URL("./native/", import.meta.url);
const PROGRAM = new URL("./native/target/release/kilter-bench-native", import.meta.url);

/** Why there is no peer in Rust. */
export class NoNativeError extends Error {
  override name = "NoNativeError";
}

/** What a check of the whole workload gave. */
export interface NativeCheck {
  readonly transitions: readonly string[];
  readonly refused: number;
}

/**
 * Builds the peer.
 *
 * @returns the version of the compiler
 * @throws {NoNativeError} if cargo is not there, or does not build it
 */
export async function buildNative(): Promise<string> {
  const cargo = async (...args: string[]) => {
    try {
      return await new Deno.Command("cargo", { args, cwd: FOLDER }).output();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) {
        throw new NoNativeError("cargo is not there", { cause: error });
      }
      throw error;
    }
  };
  const text = new TextDecoder();
  const built = await cargo("build", "--release", "--locked", "--quiet");
  if (!built.success) {
    throw new NoNativeError(`cargo does not build it: ${text.decode(built.stderr).trim()}`);
  }
  return text.decode((await cargo("--version")).stdout).trim();
}

/** The running peer; close it when done. */
export class NativeChild implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #folder: string;
  #rest = "";

  private constructor(folder: string) {
    this.#folder = folder;
    this.#process = new Deno.Command(PROGRAM, { stdin: "piped", stdout: "piped" }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#reader = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** Starts it with a workload; `buildNative` comes first. */
  static async start(ruleSet: RuleSet, workload: Workload): Promise<NativeChild> {
    const child = new NativeChild(await Deno.makeTempDir({ prefix: "kilter-bench-" }));
    const path = `${child.#folder}/workload`;
    using file = await Deno.open(path, { write: true, create: true });
    for (const batch of workload.batches) await writeBatch(file, batch);
    await child.#ask(`load ${path} ${ruleSet.version}`);
    await Deno.remove(path);
    return child;
  }

  /** Runs the whole workload and gives its transitions. */
  async check(): Promise<NativeCheck> {
    const path = `${this.#folder}/transitions`;
    const [, , refused] = (await this.#ask(`check ${path}`)).split(" ");
    const lines = (await Deno.readTextFile(path)).split("\n");
    return { transitions: lines.slice(0, -1), refused: Number(refused) };
  }

  /** A side: "run" from bytes to transitions, "rules" over columns alone. */
  side(command: "run" | "rules"): Side {
    return {
      name: "Rust",
      time: async (): Promise<Timing> => {
        const [wallNs, cpuNs] = (await this.#ask(command)).split(" ").map(Number);
        return { wallMs: wallNs / 1e6, cpuMs: cpuNs / 1e6 };
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer.close();
    await this.#process.status;
    await this.#reader.cancel();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #ask(line: string): Promise<string> {
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
    while (!this.#rest.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`Cannot ask the peer in Rust to ${line}: it has ended`);
      this.#rest += value;
    }
    const end = this.#rest.indexOf("\n");
    const answer = this.#rest.slice(0, end);
    this.#rest = this.#rest.slice(end + 1);
    return answer;
  }
}

/** Little-endian: count, bytes, ends, append times, offsets, the bytes (native/src/workload.rs). */
async function writeBatch(file: Deno.FsFile, batch: EngineInput): Promise<void> {
  const { count, values, valueEnds, appendTimes, offsets } = batch;
  const head = new Uint8Array(8 + 20 * count);
  const view = new DataView(head.buffer);
  view.setUint32(0, count, true);
  view.setUint32(4, values.length, true);
  for (let i = 0; i < count; i++) {
    view.setUint32(8 + 4 * i, valueEnds[i], true);
    view.setFloat64(8 + 4 * count + 8 * i, appendTimes[i], true);
    view.setFloat64(8 + 12 * count + 8 * i, offsets[i], true);
  }
  for (const part of [head, values]) {
    for (let at = 0; at < part.length;) at += await file.write(part.subarray(at));
  }
}
