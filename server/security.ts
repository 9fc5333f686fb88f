/**
 * Who may ask: without a token, callers on this machine that address it by a loopback name (so that
 * no foreign page reaches it through a name of its own); with one, whoever shows it.
 */
import { HttpFault } from "./problem.ts";
import { Throttle } from "./throttle.ts";

/** Cookie that a browser shows instead of the token. */
export const SESSION_COOKIE = "kilter_session";
const SESSION_SECONDS = 30 * 86_400;

/** Longest address, and most bytes of headers, that are looked at. */
export const ADDRESS_CHARS_MAX = 8_192;
export const HEADER_CHARS_MAX = 32_768;

/** What every answer carries. Styles, scripts and data come from here alone. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; " +
    "connect-src 'self'; font-src 'self'; worker-src 'self'; manifest-src 'self'; " +
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "x-content-type-options": "nosniff",
  // With "no-referrer" browsers send `Origin: null` with this site's own forms.
  "referrer-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
};

/** What the guard decided of a request. */
export type Admission =
  | { readonly kind: "admitted"; readonly signedIn: boolean }
  /** No or a wrong token: a browser is shown the login page, others 401. */
  | { readonly kind: "unknown" }
  | { readonly kind: "refused"; readonly fault: HttpFault };

/** Admits or refuses requests. */
export class Guard {
  readonly #tokenDigest: Uint8Array | null;
  readonly #sessionDigest: Uint8Array | null;
  readonly #session: string;
  readonly #throttle: Throttle;

  private constructor(
    token: Uint8Array | null,
    session: string,
    sessionDigest: Uint8Array | null,
    now: () => number,
  ) {
    this.#tokenDigest = token;
    this.#session = session;
    this.#sessionDigest = sessionDigest;
    this.#throttle = new Throttle(now);
  }

  /** Makes the guard of a server. @param token null: loopback only, no sign-in */
  static async create(token: string | null, now: () => number): Promise<Guard> {
    if (token === null) return new Guard(null, "", null, now);
    // Derived, so that who sees the cookie does not hold the token, and stable over restarts.
    const session = hex(await sha256(`kilter session\n${token}`));
    return new Guard(await sha256(token), session, await sha256(session), now);
  }

  /** Whether callers must sign in. */
  get needsToken(): boolean {
    return this.#tokenDigest !== null;
  }

  /**
   * Decides about a request by its address and headers.
   *
   * @param caller network address that it comes from
   */
  async admit(request: Request, caller = ""): Promise<Admission> {
    const { headers } = request;
    if (request.url.length > ADDRESS_CHARS_MAX) {
      return refused(414, `The address is longer than ${ADDRESS_CHARS_MAX} characters`);
    }
    let chars = 0;
    for (const [name, value] of headers) chars += name.length + value.length + 4;
    if (chars > HEADER_CHARS_MAX) {
      return refused(431, `The headers are longer than ${HEADER_CHARS_MAX} characters`);
    }
    if (this.#tokenDigest === null) return this.#admitLocal(headers);
    const bearer = /^Bearer +(.+?) *$/i.exec(headers.get("authorization") ?? "");
    if (bearer !== null) {
      if (this.#throttle.refuses(caller)) return { kind: "refused", fault: tooManyWrong() };
      const right = await matches(bearer[1] ?? "", this.#tokenDigest);
      this.#throttle.showed(caller, right);
      if (right) return { kind: "admitted", signedIn: false };
      return this.#throttle.exceeded(caller)
        ? { kind: "refused", fault: tooManyWrong() }
        : { kind: "unknown" };
    }
    const cookie = sessionCookie(headers.get("cookie") ?? "");
    if (
      cookie === null || this.#sessionDigest === null ||
      !(await matches(cookie, this.#sessionDigest))
    ) return { kind: "unknown" };
    if (changes(request) && !isSameOrigin(headers)) {
      return refused(403, "The request comes from another site's page, not from this one");
    }
    return { kind: "admitted", signedIn: true };
  }

  /**
   * Signs a browser in.
   *
   * @param caller network address that it comes from
   * @returns the Set-Cookie value, or null if the token is wrong
   * @throws {HttpFault} 403 from a foreign page, 429 after too many wrong tokens
   */
  async signIn(request: Request, token: string, caller = ""): Promise<string | null> {
    if (!isSameOrigin(request.headers)) {
      throw new HttpFault(403, "The sign-in comes from another site's page, not from this one");
    }
    if (this.#throttle.refuses(caller)) throw tooManyWrong();
    const right = this.#tokenDigest !== null && await matches(token, this.#tokenDigest);
    this.#throttle.showed(caller, right);
    if (!right) return null;
    return `${SESSION_COOKIE}=${this.#session}; Path=/; Max-Age=${SESSION_SECONDS}; HttpOnly; SameSite=Strict`;
  }

  #admitLocal(headers: Headers): Admission {
    const host = headers.get("host") ?? "";
    if (!isLoopbackName(host)) {
      return refused(
        403,
        `This server answers to loopback names only, and was asked as ${
          JSON.stringify(host.slice(0, 80))
        }; use http://127.0.0.1, or set KILTER_TOKEN to serve others`,
      );
    }
    const origin = headers.get("origin");
    if (origin !== null && !isOrigin(origin, host)) {
      return refused(403, "The request comes from another site's page, not from this one");
    }
    return { kind: "admitted", signedIn: false };
  }
}

/** Set-Cookie value that signs out. */
export const SIGN_OUT_COOKIE = `${SESSION_COOKIE}=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict`;

/** A path of this site that a form may lead on to; "/" for anything else. */
export function safePath(next: unknown): string {
  return typeof next === "string" && /^\/(?![/\\])[\x21-\x7e]*$/.test(next) && next.length < 2_048
    ? next
    : "/";
}

/** Whether a Host header names this machine: `localhost`, `127.x.y.z` or `[::1]`, any port. */
export function isLoopbackName(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i.test(host);
}

function changes(request: Request): boolean {
  return request.method !== "GET" && request.method !== "HEAD";
}

/** Whether a page of this server sent it. Browsers say so in one of two headers; others say none. */
function isSameOrigin(headers: Headers): boolean {
  const origin = headers.get("origin");
  if (origin !== null) return isOrigin(origin, headers.get("host") ?? "");
  return headers.get("sec-fetch-site") === "same-origin";
}

/** The scheme is left open: a proxy in front may speak TLS. */
function isOrigin(origin: string, host: string): boolean {
  return host !== "" && (origin === `http://${host}` || origin === `https://${host}`);
}

function sessionCookie(header: string): string | null {
  for (const pair of header.split(";")) {
    const [name, value] = pair.split("=", 2);
    if (name?.trim() === SESSION_COOKIE) return value?.trim() ?? "";
  }
  return null;
}

/** Compares digests of equal length in a time that does not depend on where they differ. */
async function matches(given: string, digest: Uint8Array): Promise<boolean> {
  const other = await sha256(given);
  let difference = 0;
  for (let i = 0; i < digest.length; i++) difference |= (digest[i] ?? 0) ^ (other[i] ?? 0);
  return difference === 0;
}

async function sha256(text: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function tooManyWrong(): HttpFault {
  return new HttpFault(429, "Too many wrong tokens were given: try again in a minute", {
    "retry-after": "60",
  });
}

function refused(status: number, detail: string): Admission {
  return { kind: "refused", fault: new HttpFault(status, detail) };
}
