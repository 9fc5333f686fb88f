/** Why an anomaly fired, as a page of its own: to send, to print, and for browsers without scripts. */
import type { ExplanationView } from "../contract/views.ts";
import { Message, STATE_WORDS } from "./AnomalyCard.tsx";
import type { Silencing } from "./api.ts";
import { ruleTitle, vehiclePath } from "./format.ts";
import { MinuteCharts } from "./MinuteCharts.tsx";
import { Name } from "./Name.tsx";
import type { AppStore } from "./store.ts";
import { Particulars, RaisingRule, TermTable, WouldNotHaveFired } from "./WhyParts.tsx";

/** What the page embeds. */
export interface WhyProps {
  readonly why: Omit<ExplanationView, "proof">;
  readonly silencing: Silencing | null;
}

/** The page. */
export function WhyMain(props: { store: AppStore; page: WhyProps }) {
  const { store, page: { why, silencing } } = props;
  const { anomaly } = why;
  return (
    <div class="page explained">
      <section>
        <h2>
          <Name text={ruleTitle(anomaly.rule)} /> <small>{STATE_WORDS[anomaly.state]}</small>
        </h2>
        <p>
          <Message anomaly={anomaly} />
        </p>
        <TermTable store={store} anomaly={anomaly} />
        <MinuteCharts store={store} anomaly={anomaly} more={why} />
        <WouldNotHaveFired store={store} found={silencing} />
        <Particulars store={store} anomaly={anomaly} more={why} />
        <RaisingRule store={store} more={why} />
        <p>
          <a class="button" href={vehiclePath(anomaly.vehicle, anomaly.openedAt)}>
            Open the moment
          </a>
        </p>
      </section>
    </div>
  );
}
