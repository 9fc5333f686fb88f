/** The message at the foot of the page. */
import type { AppStore } from "./store.ts";

/** Shows the current message and its way back. */
export function Toasts(props: { store: AppStore }) {
  const { toaster } = props.store;
  const toast = toaster.current.value;
  return (
    <div class="toasts" role="status">
      {toast !== null && (
        <div class="toast">
          <span>{toast.text}</span>
          {toast.undo !== null && (
            <button type="button" onClick={toast.undo}>
              Undo <kbd>U</kbd>
            </button>
          )}
        </div>
      )}
    </div>
  );
}
