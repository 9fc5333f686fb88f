/// <reference lib="dom" />
/** What the keys do. */
import { useEffect, useRef } from "preact/hooks";
import { TRIAGE_KEYS } from "./triage_keys.ts";

const PAGE_KEYS: readonly (readonly [key: string, words: string])[] = [
  ["/", "Search vehicles, rules, pages"],
  ["F", "Filter the live page by name"],
  ["C", "Copy the link to this view"],
  ["Space", "Hold the view still, or let it catch up"],
  ["?", "This help"],
  ["Esc", "Close what is open"],
];

/** The dialog, open for as long as it is there. */
export function KeysDialog(props: { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="step keys"
      aria-labelledby="keys-title"
      onClose={props.onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <form method="dialog">
        <h2 id="keys-title">Keys</h2>
        {[PAGE_KEYS, TRIAGE_KEYS].map((keys, k) => (
          <dl key={k}>
            {keys.map(([key, words]) => (
              <div key={key}>
                <dt>
                  <kbd>{key}</kbd>
                </dt>
                <dd>{words}</dd>
              </div>
            ))}
          </dl>
        ))}
        <p>
          <small>The second group works wherever anomalies are listed.</small>
        </p>
        <div class="foot">
          <button type="submit" class="primary" autofocus>Close</button>
        </div>
      </form>
    </dialog>
  );
}
