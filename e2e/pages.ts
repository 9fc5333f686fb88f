/// <reference lib="dom" />
/** Pages in a real browser, watched for faults, for tests. */
import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { findChromium, startChromium } from "./harness.ts";

/** Sizes of screens. */
export const DESK = { width: 1440, height: 900 };
/** How long a test waits for what is bound to come. */
export const WAIT = { timeout: 20_000 };

const chromiumPath = await findChromium();
if (chromiumPath === null && Deno.env.get("CI") === "true") {
  throw new Error("Cannot run the browser tests: chromium is not installed, and CI=true wants it");
}

/** A page that keeps what went wrong on it. */
export interface Watched {
  readonly page: Page;
  readonly context: BrowserContext;
  /** Console errors, uncaught errors, violations of the content security policy. */
  readonly faults: string[];
}

/** Opens a page in a browser profile of its own. */
export async function open(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({
    viewport: DESK,
    colorScheme: "dark",
    timezoneId: "Europe/Stockholm",
    ...options,
  });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(message.text());
  });
  page.on("pageerror", (fault) => faults.push(String(fault)));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    return dialog.dismiss();
  });
  await page.goto(url);
  return { page, context, faults };
}

/** Waits until `read` answers something that passes, and hands it back. */
export async function until<T>(
  read: () => Promise<T>,
  passes: (value: T) => boolean,
  ms = WAIT.timeout,
): Promise<T> {
  const deadline = performance.now() + ms;
  for (;;) {
    const value = await read();
    if (passes(value)) return value;
    if (performance.now() > deadline) {
      throw new Error(`Waited in vain: the last value is ${JSON.stringify(value)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** What the bar says of the view. */
export const liveWord = (page: Page) => page.locator(".live b").innerText();

/** Waits until the page hears the server, whether anything is sent or not. */
export async function isLive(page: Page): Promise<void> {
  await until(() => liveWord(page), (text) => /^(Live|Delayed|No new data)/.test(text));
}

/** A test in the browser, in steps; skipped, with its reason, where there is none. */
export function browserTest(
  name: string,
  run: (
    browser: Browser,
    step: (name: string, run: () => Promise<void>) => Promise<boolean>,
  ) => Promise<void>,
): void {
  Deno.test({
    name: chromiumPath === null ? `${name}: skipped, since chromium is not installed` : name,
    ignore: chromiumPath === null,
    // The browser's driver keeps timers and pipes of its own.
    sanitizeOps: false,
    sanitizeResources: false,
    async fn(t) {
      if (chromiumPath === null) return;
      const browser = await startChromium(chromiumPath);
      try {
        await run(browser, (name, run) =>
          t.step(name, async () => {
            try {
              await run();
            } finally {
              // What a failed step leaves open would disturb the next.
              for (const context of browser.contexts()) await context.close();
            }
          }));
      } finally {
        await browser.close();
      }
    },
  });
}
