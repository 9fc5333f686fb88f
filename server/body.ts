/** Reading request bodies: streamed, bounded, unpacked. */
import { HttpFault } from "./problem.ts";

/** Telemetry in one request at most, unpacked. */
export const TELEMETRY_BYTES_MAX = 16 * 2 ** 20;
/** Body of any other request at most. */
export const SMALL_BYTES_MAX = 64 * 1024;
/** Telemetry held in memory for all requests together at most. */
const IN_FLIGHT_BYTES_MAX = 64 * 2 ** 20;

/** A body has this long to come to its end: at 16 MiB two megabits a second. */
export const BODY_MS_MAX = 60_000;
/** A small one has this long. */
const SMALL_BODY_MS_MAX = 10_000;

/** Bytes held by all requests that are being read or stored. */
export class InFlight {
  bytes = 0;
  /** Requests refused since too much was in flight. */
  refused = 0;

  /** @throws {HttpFault} 503 if all requests together hold too much */
  take(bytes: number): void {
    if (this.bytes + bytes > IN_FLIGHT_BYTES_MAX) {
      this.refused++;
      throw new HttpFault(503, "Too much telemetry is being stored at once: send it again soon", {
        "retry-after": "1",
      });
    }
    this.bytes += bytes;
  }

  /** Gauges and counters by metric name. */
  metrics(): Record<string, number> {
    return { intake_bytes_in_flight: this.bytes, intake_refused_total: this.refused };
  }
}

/**
 * Reads a body to its end, unpacking gzip.
 *
 * @param bytesMax bound on the bytes unpacked, so that a small body cannot become a huge one
 * @param inFlight where to account for the bytes; the caller gives them back
 * @param msMax time that it has to come to its end
 * @throws {HttpFault} 413 beyond `bytesMax`, 415 for another encoding, 400 if it cannot be unpacked,
 *   408 if it is too slow
 */
export async function readBody(
  request: Request,
  bytesMax: number,
  inFlight?: { take(bytes: number): void },
  msMax: number = BODY_MS_MAX,
): Promise<Uint8Array> {
  const declared = Number(request.headers.get("content-length") ?? "0");
  if (declared > bytesMax) throw tooLarge(bytesMax);
  if (request.body === null) return new Uint8Array(0);
  const encoding = (request.headers.get("content-encoding") ?? "identity").trim().toLowerCase();
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reader = unpacked(request.body, encoding).getReader();
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    void abandon(reader);
  }, msMax);
  try {
    for (;;) {
      const { done, value: chunk } = await reader.read();
      if (late) throw tooSlow(msMax);
      if (done) break;
      bytes += chunk.length;
      if (bytes > bytesMax) throw tooLarge(bytesMax);
      inFlight?.take(chunk.length);
      chunks.push(chunk);
    }
  } catch (error) {
    if (late) throw tooSlow(msMax);
    if (error instanceof HttpFault) {
      await abandon(reader);
      throw error;
    }
    throw new HttpFault(400, `The body could not be read to its end as ${encoding}`);
  } finally {
    clearTimeout(timer);
  }
  const body = new Uint8Array(bytes);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  return body;
}

/** Reads a JSON object or a form. @throws {HttpFault} 400 if it is neither, 413 if too large */
export async function readFields(
  request: Request,
  bytesMax: number = SMALL_BYTES_MAX,
): Promise<Readonly<Record<string, unknown>>> {
  const bytes = await readBody(request, bytesMax, undefined, SMALL_BODY_MS_MAX);
  const text = decode(bytes);
  if (isForm(request)) return Object.fromEntries(new URLSearchParams(text));
  if (text.trim() === "") return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new HttpFault(400, "The body is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new HttpFault(400, "The body is not a JSON object");
  }
  return { ...value };
}

/** Whether a page's form sent the request, which then wants to be led back to a page. */
export function isForm(request: Request): boolean {
  return /^application\/x-www-form-urlencoded\b/i.test(request.headers.get("content-type") ?? "");
}

function unpacked(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  encoding: string,
): ReadableStream<Uint8Array> {
  switch (encoding) {
    case "":
    case "identity":
      return body;
    case "gzip":
    case "x-gzip":
      return body.pipeThrough(new DecompressionStream("gzip"));
    default:
      throw new HttpFault(415, `Content-Encoding ${encoding.slice(0, 40)} is not known: use gzip`);
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new HttpFault(400, "The body is not UTF-8");
  }
}

/** Ends the reading, and whoever waits for it; that the caller has gone meanwhile is no news. */
async function abandon(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  await reader.cancel().catch(() => {});
}

function tooSlow(msMax: number): HttpFault {
  return new HttpFault(408, `The body did not end within ${msMax / 1000} s: send it in parts`, {
    connection: "close",
  });
}

function tooLarge(bytesMax: number): HttpFault {
  return new HttpFault(413, `The body is larger than ${bytesMax} bytes: send it in parts`);
}
