/** The HTTP listener: opens the port with clear words, and goes within half a second. */
import type { Handler } from "./app.ts";

/** Answers still being made have this long to end once the listener closes. */
const CLOSE_MS_MAX = 500;

/** The port could not be opened; the message is one line and says what to do. */
export class CannotListenError extends Error {
  override name = "CannotListenError";
}

/** An open port. */
export interface Listener {
  /** Where browsers find it, with the real port. */
  readonly url: string;
  /** Requests being answered. */
  readonly active: () => number;
  /** Closes the port and every connection; end what streams first. */
  close(): Promise<void>;
}

/**
 * Opens the port.
 *
 * @throws {CannotListenError} if it is in use, or the host or port is not this machine's to open
 */
export function listen(host: string, port: number, handler: Handler): Listener {
  const abort = new AbortController();
  let active = 0;
  let idle: (() => void) | undefined;
  const counted = async (
    request: Request,
    { remoteAddr }: Deno.ServeHandlerInfo<Deno.NetAddr>,
  ): Promise<Response> => {
    active++;
    try {
      return await handler(request, remoteAddr.hostname);
    } finally {
      active--;
      if (active === 0) idle?.();
    }
  };
  const hostname = host.replace(/^\[(.*)\]$/, "$1");
  let server: Deno.HttpServer<Deno.NetAddr>;
  try {
    server = Deno.serve({ hostname, port, signal: abort.signal, onListen() {} }, counted);
  } catch (error) {
    throw cannotListen(host, port, error);
  }
  return {
    url: `http://${shownHost(hostname)}:${server.addr.port}`,
    active: () => active,
    async close() {
      // Graceful shutdown waits for browsers that have stopped reading; this does not.
      if (active > 0) {
        let timer: ReturnType<typeof setTimeout> | undefined;
        await new Promise<void>((resolve) => {
          idle = resolve;
          timer = setTimeout(resolve, CLOSE_MS_MAX);
        });
        clearTimeout(timer);
      }
      abort.abort();
      await server.finished;
    },
  };
}

/** What to type into a browser: an address that means "all" is this machine's own. */
function shownHost(hostname: string): string {
  if (hostname === "0.0.0.0" || hostname === "::" || hostname === "") return "127.0.0.1";
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}

function cannotListen(host: string, port: number, cause: unknown): CannotListenError {
  if (cause instanceof Deno.errors.AddrInUse) {
    return new CannotListenError(
      `Cannot listen on ${host}:${port}: the port is in use; stop what uses it, or give another ` +
        "with --port",
      { cause },
    );
  }
  const why = cause instanceof Error ? cause.message : String(cause);
  return new CannotListenError(
    `Cannot listen on ${host}:${port}: ${why}; give another with --host or --port`,
    { cause },
  );
}
