/** How live the view is, and the button that holds it still. */
import { Icon } from "./Icon.tsx";
import { formatTime } from "./format.ts";
import { type LiveState, liveState } from "./live_state.ts";
import type { AppStore } from "./store.ts";

/** The state to show now; reading it subscribes to all that it depends on. */
export function currentState(store: AppStore): LiveState {
  // Read for the subscription: silence is only seen by looking again.
  const second = store.clock.second.value;
  const { vehicles, newest, newestTime } = store.counts.value;
  const link = store.link.value;
  return liveState({
    link,
    heardAt: store.heardAt,
    pause: store.pause.value,
    wall: link === null ? second : Date.now(),
    now: store.clock.now(),
    vehicles,
    newestAppend: newest,
    newestTime,
  });
}

/** The bar's liveness. Before scripts run it says when the page was drawn. */
export function LiveBar(props: { store: AppStore }) {
  const { store } = props;
  const state = currentState(store);
  const drawn = `as of ${formatTime(store.shell.now, "UTC")} UTC`;
  return (
    <>
      <span class={`live tone-${state.tone}`}>
        <i class="dot" />
        <b role="status">{state.word}</b>
        <small>{state.tone === "still" ? drawn : state.detail}</small>
      </span>
      <PauseButton store={store} />
    </>
  );
}

function PauseButton(props: { store: AppStore }) {
  const { store } = props;
  const paused = store.pause.value !== null;
  return (
    <button
      type="button"
      class="pause scripted"
      aria-pressed={paused}
      onClick={() => store.togglePause()}
    >
      <Icon name={paused ? "play" : "pause"} />
      <span>{paused ? "Resume" : "Pause"}</span> <kbd>Space</kbd>
    </button>
  );
}

/** Says in words over the whole width that what is shown is not live. */
export function LinkBanner(props: { store: AppStore }) {
  const { store } = props;
  if (currentState(store).tone === "lost") {
    return (
      <div class="banner lost" role="alert">
        <b>No connection.</b> What you see is as of{" "}
        {formatTime(store.counts.value.newest || store.shell.now, store.preferences.zone.value)};
        ages go on counting. Trying again by itself.
      </div>
    );
  }
  return null;
}
