/// <reference lib="dom" />
/** The rules in force with what each has found, and their versions; both follow what happens. */
import { useSignalEffect } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import type { PipelineView, RuleView, VersionView } from "../contract/views.ts";
import { fetchRules, fetchVersions } from "./api.ts";
import { counted, formatAgo, formatCount, formatDateTime, ruleTitle } from "./format.ts";
import { Name } from "./Name.tsx";
import { COST_TITLE, costText, STATE_TITLE, stateText } from "./rule_cost_text.ts";
import { SeverityLabel } from "./SeverityShape.tsx";
import type { AppStore } from "./store.ts";
import { messageOf } from "./triage.ts";
import { ChangeWords, VersionLine, VersionName } from "./VersionParts.tsx";

/** Counts are read again at most this often, milliseconds. */
const REREAD_MS = 2000;
/** While costs are being measured, they are asked for this often, milliseconds. */
const MEASURING_MS = 3000;

/** What the page embeds. */
export interface RulesProps {
  readonly version: string;
  readonly rules: readonly RuleView[];
  /** The latest ones, newest first. */
  readonly versions: readonly VersionView[];
  readonly versionsTotal: number;
}

/** The page. */
export function RulesMain(props: { store: AppStore; page: RulesProps }) {
  const { store, page } = props;
  const { shown, changed } = useRules(store, page);
  const [newest] = shown.versions;
  const zone = store.preferences.zone.value;
  return (
    <div class="page rules">
      {changed !== null && (
        <p class="quiet" role="status">
          <b>The rules changed</b> at {formatDateTime(changed.time, zone).slice(11)}:{" "}
          <ChangeWords change={changed.change} first={changed.base === ""} />.
        </p>
      )}
      <section aria-labelledby="force-title" class="lines">
        <h2 id="force-title">
          In force <small>{counted(shown.rules.length, "rule")}</small>
        </h2>
        <p>
          Version <VersionName version={shown.version} />
          {newest !== undefined && (
            <>
              , <VersionLine view={newest} zone={zone} />
            </>
          )}. <Carried view={store.pipeline.value} version={shown.version} />
        </p>
        <p class="none">
          Rules are read from <code>rules.yaml</code>; <code>kilter rules check</code>{" "}
          says what is wrong with a draft.
        </p>
      </section>
      <RuleTable store={store} rules={shown.rules} recent={changed?.change?.changed ?? []} />
      <Versions store={store} shown={shown} />
    </div>
  );
}

/** What is shown, read again when a version came or an anomaly did. */
function useRules(
  store: AppStore,
  page: RulesProps,
): { shown: RulesProps; changed: VersionView | null } {
  const [shown, setShown] = useState(page);
  const [changed, setChanged] = useState<VersionView | null>(null);
  const asked = useRef({ version: page.version, busy: false, again: false });
  const read = async () => {
    const state = asked.current;
    if (state.busy) {
      state.again = true;
      return;
    }
    state.busy = true;
    try {
      const { version, rules } = await fetchRules();
      if (version === state.version) setShown((shown) => ({ ...shown, rules }));
      else {
        const { versions, total } = await fetchVersions();
        state.version = version;
        setShown({ version, rules, versions, versionsTotal: total });
        setChanged(versions[0] ?? null);
      }
    } catch (fault) {
      store.toaster.say(`Cannot read the rules: ${messageOf(fault)}`);
    }
    setTimeout(() => {
      state.busy = false;
      if (state.again) {
        state.again = false;
        read();
      }
    }, REREAD_MS);
  };
  useSignalEffect(() => {
    const version = store.pipeline.value?.version ?? page.version;
    if (version !== asked.current.version) read();
  });
  const isUnmeasured = shown.rules.some(({ cost }) => cost === null);
  useEffect(() => {
    if (!isUnmeasured) return;
    // Measuring began when the page was asked for.
    const timer = setInterval(read, MEASURING_MS);
    return () => clearInterval(timer);
  }, [isUnmeasured]);
  useEffect(() => {
    store.onAnomaly = () => {
      if (store.pause.value === null) read();
    };
    return () => {
      store.onAnomaly = null;
    };
  }, []);
  return { shown, changed };
}

/** Whether the agents that evaluate rules run this version already. */
function Carried(props: { view: PipelineView | null; version: string }) {
  const agents = props.view?.agents.filter(({ version }) => version !== "") ?? [];
  if (agents.length === 0) return null;
  const behind = agents.filter(({ version }) => version !== props.version);
  return behind.length === 0
    ? <>Every agent runs it.</>
    : <>Coming into force: {behind.map(({ name }) => name).join(", ")} still on the one before.</>;
}

function RuleTable(
  props: { store: AppStore; rules: readonly RuleView[]; recent: readonly string[] },
) {
  const { store, rules, recent } = props;
  const now = store.clock.second.value;
  if (rules.length === 0) return <p class="none">No rule is in force: nothing is watched.</p>;
  return (
    <section aria-label="Rules">
      <div class="scroll" tabIndex={0} role="region" aria-label="Rules in force">
        <table>
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col">Severity</th>
              <th scope="col" class="number">Fired</th>
              <th scope="col" class="number">Open</th>
              <th scope="col" class="number">Last fired</th>
              <th scope="col">Why</th>
              <th scope="col" class="number roomy" title={COST_TITLE}>Time / sample</th>
              <th scope="col" class="number roomy" title={STATE_TITLE}>State / vehicle</th>
            </tr>
          </thead>
          <tbody>
            {rules.map(({ id, severity, once, fired, open, lastFired, lastId, cost }) => (
              <tr key={id} id={id}>
                <th scope="row">
                  <a href={`/rules/${encodeURIComponent(id)}`}>
                    <Name text={ruleTitle(id)} />
                  </a>{" "}
                  {once && <span class="tag">event</span>}{" "}
                  {recent.includes(id) && <span class="tag">changed</span>}
                </th>
                <td>
                  <SeverityLabel severity={severity} />
                </td>
                <td class="number">
                  {fired === 0
                    ? "–"
                    : <a href={`/anomalies?rule=${encodeURIComponent(id)}`}>{formatCount(fired)}
                    </a>}
                </td>
                <td class="number">
                  {open === 0
                    ? "–"
                    : (
                      <a href={`/anomalies?state=open&rule=${encodeURIComponent(id)}`}>
                        {formatCount(open)}
                      </a>
                    )}
                </td>
                <td class="number">
                  {lastFired === null ? "–" : formatAgo(now - lastFired)}
                </td>
                <td>
                  {lastId === "" ? "–" : (
                    <a
                      href={`/anomalies/${encodeURIComponent(lastId)}`}
                      aria-label={`Why ${ruleTitle(id)} fired last`}
                    >
                      Why?
                    </a>
                  )}
                </td>
                <td class="number roomy" title={COST_TITLE}>{costText(cost)}</td>
                <td class="number roomy" title={STATE_TITLE}>{stateText(cost)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Versions(props: { store: AppStore; shown: RulesProps }) {
  const { store, shown: { versions, versionsTotal } } = props;
  const zone = store.preferences.zone.value;
  if (versions.length === 0) return null;
  return (
    <section aria-labelledby="versions-title">
      <h2 id="versions-title">
        Versions{" "}
        <small>
          {versions.length < versionsTotal
            ? `the latest ${versions.length} of ${formatCount(versionsTotal)}`
            : formatCount(versionsTotal)}
        </small>
      </h2>
      <ol class="lines">
        {versions.map((view, k) => (
          <li key={`${view.version} ${view.time}`}>
            <p>
              <VersionName version={view.version} /> {k === 0 && <span class="tag">in force</span>}
              {" "}
              <VersionLine view={view} zone={zone} />
            </p>
            <p class="what">
              <ChangeWords change={view.change} first={view.base === ""} />
            </p>
          </li>
        ))}
      </ol>
    </section>
  );
}
