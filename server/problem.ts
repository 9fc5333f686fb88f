/** Errors as the API says them: RFC 9457, `application/problem+json`, never a stack trace. */
import type { Problem } from "../contract/views.ts";

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Not signed in",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  408: "Too slow",
  409: "Conflict",
  413: "Body too large",
  414: "Address too long",
  415: "Unsupported encoding",
  422: "Not acceptable as it stands",
  429: "Too many attempts",
  431: "Headers too large",
  500: "Internal error",
  501: "Not there yet",
  503: "Unavailable",
};

/** Title of a status for people. */
export function titleOf(status: number): string {
  return TITLES[status] ?? "Error";
}

/** A fault that a handler answers with; its message goes to the caller as it is. */
export class HttpFault extends Error {
  override name = "HttpFault";
  /** @param detail cause and what to do, for the caller */
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(detail);
  }
}

/** The answer to a faulty request; `more` are members of its own beside those of the RFC. */
export function problem(
  status: number,
  detail: string,
  headers: Readonly<Record<string, string>> = {},
  more: Readonly<Record<string, unknown>> = {},
): Response {
  const body: Problem = { type: "about:blank", title: titleOf(status), status, detail, ...more };
  return new Response(JSON.stringify(body), {
    status,
    headers: { ...headers, "content-type": "application/problem+json" },
  });
}
