/** One short message at a time, with a way back. */
import { type Signal, signal } from "@preact/signals";

/** How long a message stays, milliseconds: also the time in which a step can be undone. */
export const TOAST_MS = 5000;

/** What is said. */
export interface Toast {
  readonly text: string;
  /** Takes the step back; null if it cannot be. */
  readonly undo: (() => void) | null;
}

/** Shows messages for `TOAST_MS` each. */
export class Toaster {
  readonly current: Signal<Toast | null> = signal<Toast | null>(null);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Shows a message in place of the one before. */
  say(text: string, undo: (() => void) | null = null): void {
    clearTimeout(this.#timer);
    this.current.value = { text, undo };
    this.#timer = setTimeout(() => this.dismiss(), TOAST_MS);
  }

  /** Takes the message away. */
  dismiss(): void {
    clearTimeout(this.#timer);
    this.current.value = null;
  }
}
