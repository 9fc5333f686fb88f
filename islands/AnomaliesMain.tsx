/// <reference lib="dom" />
/** The anomalies page: filters, groups by rule, and every anomaly with its steps. */
import { Density } from "./Density.tsx";
import { useRef, useState } from "preact/hooks";
import { ANOMALY_STATES, type AnomalyView } from "../contract/views.ts";
import { ListedCard, STATE_WORDS } from "./AnomalyCard.tsx";
import { counted, formatCount, formatDateTime, ruleTitle, vehiclePath } from "./format.ts";
import { byRule, type Group, isListed, type ListFilter, withEvent } from "./groups.ts";
import { useListed } from "./listed.ts";
import { Name } from "./Name.tsx";
import { SEVERITY_WORDS, severityLevel, WORST_FIRST } from "./severity.ts";
import { SeverityLabel, SeverityShape } from "./SeverityShape.tsx";
import type { AppStore } from "./store.ts";
import { type Ask, revealCard, useTriage } from "./triage_keys.ts";
import { TriageDialogs } from "./TriageDialogs.tsx";
import { visibleText } from "./visible_text.ts";

/** Anomalies kept in the list at most, as more come live. */
const LISTED_MAX = 300;

/** What the page embeds. */
export interface AnomaliesProps {
  readonly filter: ListFilter;
  readonly anomalies: readonly AnomalyView[];
  readonly cursor: string | null;
  readonly groups: readonly Group[];
  /** Length of a bucket of the groups' densities, milliseconds. */
  readonly stepMs: number;
  readonly rules: readonly string[];
}

/** The page. */
export function AnomaliesMain(props: { store: AppStore; page: AnomaliesProps }) {
  const { store, page } = props;
  const [groups, setGroups] = useState(page.groups);
  const [fresh, setFresh] = useState(0);
  const known = useRef(new Map(page.anomalies.map((anomaly) => [anomaly.id, anomaly])));
  // What is listed stays where it is; what is new comes with the next look.
  const list = useListed(store, page.anomalies, () => false, LISTED_MAX, (event) => {
    const { anomaly } = event;
    const before = known.current.get(anomaly.id);
    if (before === undefined && !isListed(anomaly, page.filter)) return;
    known.current.set(anomaly.id, anomaly);
    setGroups((groups) => withEvent(groups, event, before));
    if (before === undefined) setFresh((count) => count + 1);
    if (known.current.size > LISTED_MAX * 4) known.current.clear();
  });
  const { asked, ask, close } = useTriage({
    store,
    anomalies: list,
    select: ({ id }) => {
      store.anomaly.value = id;
      revealCard(id);
    },
  });
  return (
    <div class="page anomalies">
      <Filters page={page} />
      {fresh > 0 && (
        <a class="fresh button" href={`/anomalies${filterQuery(page.filter)}`}>
          {formatCount(fresh)} new: show
        </a>
      )}
      <GroupTable store={store} groups={groups} stepMs={page.stepMs} />
      <AnomalyList store={store} list={list} place={placeOf(page.filter)} ask={ask} />
      {page.cursor !== null && (
        <a class="button" href={`/anomalies${filterQuery(page.filter, page.cursor)}`}>Older</a>
      )}
      <TriageDialogs store={store} asked={asked} onClose={close} />
    </div>
  );
}

/** A plain form: it works without scripts, and the URL holds what was asked. */
function Filters(props: { page: AnomaliesProps }) {
  const { filter, rules } = props.page;
  const submit = (event: Event) => {
    if (event.currentTarget instanceof HTMLSelectElement) event.currentTarget.form?.requestSubmit();
  };
  const options = (values: readonly (readonly [string, string])[], chosen: string) =>
    [["", "any"] as const, ...values].map(([value, label]) => (
      <option key={value} value={value} selected={value === chosen}>{visibleText(label)}</option>
    ));
  return (
    <form class="filters" method="get" action="/anomalies" aria-label="Filter">
      <label class="field">
        State
        <select name="state" onChange={submit}>
          {options(ANOMALY_STATES.map((state) => [state, STATE_WORDS[state]]), filter.state)}
        </select>
      </label>
      <label class="field">
        Severity
        <select name="severity" onChange={submit}>
          {options(WORST_FIRST.map((level) => [level, SEVERITY_WORDS[level]]), filter.severity)}
        </select>
      </label>
      <label class="field">
        Rule
        <select name="rule" onChange={submit}>
          {options(rules.map((rule) => [rule, ruleTitle(rule)]), filter.rule)}
        </select>
      </label>
      <label class="field">
        Vehicle
        <input name="vehicle" value={filter.vehicle} placeholder="any" />
      </label>
      <button type="submit">Show</button>
      {filterQuery(filter) !== "" && <a class="button" href="/anomalies">Reset</a>}
    </form>
  );
}

function GroupTable(props: { store: AppStore; groups: readonly Group[]; stepMs: number }) {
  const { store, groups, stepMs } = props;
  const zone = store.preferences.zone.value;
  if (groups.length === 0) {
    return <p class="none">No anomaly in the last day that the filter lets through.</p>;
  }
  const hours = Math.round((groups[0]?.density.length ?? 0) * stepMs / 3_600_000);
  return (
    <section aria-labelledby="groups-title">
      <h2 id="groups-title">
        By rule and vehicle <small>last {hours} h</small>
      </h2>
      <div class="scroll" tabIndex={0} role="region" aria-label="Groups">
        <table class="groups">
          <thead>
            <tr>
              <th scope="col">Vehicle</th>
              <th scope="col">Worst</th>
              <th scope="col" class="number">Times</th>
              <th scope="col" class="number">Open</th>
              <th scope="col">Over time</th>
              <th scope="col" class="number">First</th>
              <th scope="col" class="number">Last</th>
            </tr>
          </thead>
          {byRule(groups).map(({ rule, groups }) => (
            <tbody key={rule}>
              <tr class="rule">
                <th scope="rowgroup" colSpan={7}>
                  <SeverityShape severity={worstOf(groups)} />{" "}
                  <a href={`/rules/${encodeURIComponent(rule)}`}>
                    <Name text={ruleTitle(rule)} />
                  </a>{" "}
                  <small>
                    {counted(groups.reduce((sum, { count }) => sum + count, 0), "time")} on{" "}
                    {counted(groups.length, "vehicle")}
                  </small>
                </th>
              </tr>
              {groups.map((group) => (
                <tr key={group.vehicle}>
                  <th scope="row">
                    <a href={vehiclePath(group.vehicle, group.last)}>
                      <Name text={group.vehicle} />
                    </a>
                  </th>
                  <td>
                    <SeverityLabel severity={group.severity} />
                  </td>
                  <td class="number">{formatCount(group.count)}</td>
                  <td class="number">{group.open === 0 ? "–" : formatCount(group.open)}</td>
                  <td>
                    <Density counts={group.density} label={`over the last ${hours} hours`} />
                  </td>
                  <td class="number">{formatDateTime(group.first, zone).slice(5)}</td>
                  <td class="number">{formatDateTime(group.last, zone).slice(5)}</td>
                </tr>
              ))}
            </tbody>
          ))}
        </table>
      </div>
    </section>
  );
}

function AnomalyList(props: {
  store: AppStore;
  list: readonly AnomalyView[];
  place: string;
  ask: Ask;
}) {
  const { store, list, place, ask } = props;
  if (list.length === 0) return null;
  return (
    <section aria-labelledby="list-title">
      <h2 id="list-title">
        Each anomaly <small>newest first</small>
      </h2>
      <ol class="cards">
        {list.slice(0, LISTED_MAX).map((anomaly) => (
          <ListedCard key={anomaly.id} store={store} anomaly={anomaly} place={place} ask={ask} />
        ))}
      </ol>
    </section>
  );
}

function worstOf(groups: readonly Group[]): Group["severity"] {
  return groups.reduce(
    (worst, { severity }) => severityLevel(severity) > severityLevel(worst) ? severity : worst,
    groups[0].severity,
  );
}

/** The page under this filter, as a form leads back to it. */
function placeOf(filter: ListFilter): string {
  return `/anomalies${filterQuery(filter)}`;
}

function filterQuery(filter: ListFilter, cursor: string | null = null): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(filter)) if (value !== "") query.set(name, value);
  if (cursor !== null) query.set("cursor", cursor);
  const text = query.toString();
  return text === "" ? "" : `?${text}`;
}
