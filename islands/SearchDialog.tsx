/// <reference lib="dom" />
/** Search over vehicles, rules and pages: a native dialog with a list under a field. */
import { useEffect, useRef, useState } from "preact/hooks";
import { fetchRuleIds } from "./api.ts";
import { Name } from "./Name.tsx";
import { find } from "./search.ts";
import type { AppStore } from "./store.ts";
import { messageOf } from "./triage.ts";

/** The dialog, open for as long as it is there. */
export function SearchDialog(props: { store: AppStore; onClose: () => void }) {
  const { store, onClose } = props;
  const dialog = useRef<HTMLDialogElement>(null);
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const [rules, setRules] = useState<readonly string[]>([]);
  useEffect(() => {
    dialog.current?.showModal();
    fetchRuleIds().then(setRules, (fault: unknown) => {
      store.toaster.say(`Cannot search rules: ${messageOf(fault)}`);
    });
  }, []);
  const found = find(text, store.shown.ids, rules);
  const at = Math.min(chosen, found.length - 1);
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0 && found.length > 0) {
      event.preventDefault();
      setChosen((at + step + found.length) % found.length);
    } else if (event.key === "Enter" && found[at] !== undefined) {
      event.preventDefault();
      location.href = found[at].href;
    }
  };
  return (
    <dialog
      ref={dialog}
      class="search"
      aria-label="Search"
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current?.close()}
    >
      <input
        type="text"
        autofocus
        placeholder="Vehicle, rule or page"
        aria-label="Search vehicles, rules and pages"
        role="combobox"
        aria-expanded="true"
        aria-controls="found"
        aria-activedescendant={at >= 0 ? `found-${at}` : undefined}
        value={text}
        onInput={(event) => {
          setText(event.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
      />
      <ul id="found" role="listbox" aria-label="Found">
        {found.map(({ kind, label, href }, k) => (
          <li
            key={href}
            id={`found-${k}`}
            role="option"
            aria-selected={k === at}
            onMouseMove={() => setChosen(k)}
            onClick={() => {
              location.href = href;
            }}
          >
            <span>
              <Name text={label} />
            </span>
            <small>{kind}</small>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p class="none">Nothing by that name.</p>}
    </dialog>
  );
}
