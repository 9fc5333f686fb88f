/** Static files: read, hashed and packed once at the start, then served from memory for good. */
import type { EventSink } from "../contract/events.ts";
import type { AssetFile } from "./pages/model.ts";

interface Held {
  readonly type: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  /** null where packing gains nothing. */
  readonly gzip: Uint8Array<ArrayBuffer> | null;
}

/** The files under `/assets/HASH/`. */
export class StaticFiles {
  /** `/assets/HASH/` */
  readonly prefix: string;
  readonly #hash: string;
  readonly #held: ReadonlyMap<string, Held>;

  private constructor(hash: string, held: ReadonlyMap<string, Held>) {
    this.#hash = hash;
    this.prefix = `/assets/${hash}/`;
    this.#held = held;
  }

  /** Reads all files. One that is missing is told and left out: pages do without scripts. */
  static async load(files: readonly AssetFile[], events: EventSink): Promise<StaticFiles> {
    const held = new Map<string, Held>();
    const digests: string[] = [];
    for (const { name, url, type } of files) {
      let plain: Uint8Array<ArrayBuffer>;
      try {
        plain = await Deno.readFile(url);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
        events({
          level: "warn",
          name: "server.asset_missing",
          message: `${name} is not there, so pages do without it; deno task build:islands makes it`,
        });
        continue;
      }
      digests.push(`${name} ${hex(await crypto.subtle.digest("SHA-256", plain))}`);
      const packed = await gzip(plain);
      held.set(name, { type, plain, gzip: packed.length < plain.length * 0.9 ? packed : null });
    }
    const all = new TextEncoder().encode(digests.sort().join("\n"));
    const hash = hex(await crypto.subtle.digest("SHA-256", all)).slice(0, 16);
    return new StaticFiles(hash, held);
  }

  /** Names of the files held. */
  get names(): readonly string[] {
    return [...this.#held.keys()];
  }

  /** The answer for a path below `/assets/`; null if there is no such file. */
  serve(request: Request, hash: string, name: string): Response | null {
    const file = this.#held.get(name);
    if (file === undefined || hash !== this.#hash) return null;
    const etag = `"${this.#hash}"`;
    const headers = new Headers({
      "content-type": file.type,
      "cache-control": "public, max-age=31536000, immutable",
      etag,
      vary: "accept-encoding",
    });
    if ((request.headers.get("if-none-match") ?? "").includes(etag)) {
      return new Response(null, { status: 304, headers });
    }
    const packed = file.gzip !== null && takesGzip(request) ? file.gzip : null;
    if (packed !== null) headers.set("content-encoding", "gzip");
    const body = packed ?? file.plain;
    headers.set("content-length", String(body.length));
    return new Response(body, { headers });
  }
}

function takesGzip(request: Request): boolean {
  const accepted = request.headers.get("accept-encoding") ?? "";
  return /(^|,)\s*(gzip|\*)\s*(,|$|;\s*q=(?!0(\.0*)?\s*(,|$)))/i.test(accepted);
}

async function gzip(plain: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = new Blob([plain]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

function hex(digest: ArrayBuffer): string {
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
