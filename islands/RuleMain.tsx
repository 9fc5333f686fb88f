/// <reference lib="dom" />
/** One rule: its text, how often it fires, what it found, and what versions made of it. */
import type { AnomalyView, RuleRevision, RuleView } from "../contract/views.ts";
import { ListedCard } from "./AnomalyCard.tsx";
import { Density } from "./Density.tsx";
import { counted, formatAgo, formatCount, formatDateTime } from "./format.ts";
import { lineDiff } from "./line_diff.ts";
import { useListed } from "./listed.ts";
import { Name } from "./Name.tsx";
import { COST_TITLE, costText, STATE_TITLE, stateText } from "./rule_cost_text.ts";
import { SeverityLabel } from "./SeverityShape.tsx";
import type { AppStore } from "./store.ts";
import { revealCard, useTriage } from "./triage_keys.ts";
import { TriageDialogs } from "./TriageDialogs.tsx";
import { VersionName } from "./VersionParts.tsx";
import { visibleText } from "./visible_text.ts";

const DAY_MS = 24 * 3_600_000;
/** Anomalies kept in the list at most, as more come live. */
const LISTED_MAX = 100;

/** What the page embeds. */
export interface RuleProps {
  readonly id: string;
  readonly version: string;
  /** null: not in force any more. */
  readonly rule: RuleView | null;
  readonly densities: readonly {
    readonly from: number;
    readonly stepMs: number;
    readonly counts: readonly number[];
  }[];
  readonly anomalies: readonly AnomalyView[];
  /** Newest first. */
  readonly revisions: readonly RuleRevision[];
}

/** The page. */
export function RuleMain(props: { store: AppStore; page: RuleProps }) {
  const { store, page } = props;
  const ofRule = ({ rule }: AnomalyView) => rule === page.id;
  const anomalies = useListed(store, page.anomalies, ofRule, LISTED_MAX);
  const { asked, ask, close } = useTriage({
    store,
    anomalies,
    select: ({ id }) => {
      store.anomaly.value = id;
      revealCard(id);
    },
  });
  const version = store.pipeline.value?.version ?? page.version;
  const place = `/rules/${encodeURIComponent(page.id)}`;
  return (
    <div class="page rules">
      {version !== page.version && (
        <p class="quiet" role="status">
          <b>The rules changed</b> meanwhile, to version <VersionName version={version} />.{" "}
          <a href={place}>Show how they are now</a>
        </p>
      )}
      <div class="columns wide">
        <div>
          <Found store={store} page={page} />
          <section aria-labelledby="text-title" class="lines">
            <h2 id="text-title">
              The rule {page.rule !== null && (
                <small>
                  version <VersionName version={page.version} />
                </small>
              )}
            </h2>
            <RuleText page={page} />
          </section>
          <Revisions store={store} revisions={page.revisions} />
        </div>
        <section aria-labelledby="own-title">
          <h2 id="own-title">
            Anomalies <small>newest first</small>
          </h2>
          <ol class="cards">
            {anomalies.map((anomaly) => (
              <ListedCard
                key={anomaly.id}
                store={store}
                anomaly={anomaly}
                place={place}
                ask={ask}
              />
            ))}
          </ol>
          {anomalies.length === 0 && <p class="none">None so far.</p>}
        </section>
      </div>
      <TriageDialogs store={store} asked={asked} onClose={close} />
    </div>
  );
}

function Found(props: { store: AppStore; page: RuleProps }) {
  const { store, page: { id, rule, densities } } = props;
  const now = store.clock.second.value;
  return (
    <section class="facts" aria-label="What it found">
      {rule !== null && (
        <dl>
          <div>
            <dt>Severity</dt>
            <dd>
              <SeverityLabel severity={rule.severity} />{" "}
              {rule.once && <span class="tag">event</span>}
            </dd>
          </div>
          <div>
            <dt>Fired</dt>
            <dd>
              <a href={`/anomalies?rule=${encodeURIComponent(id)}`}>
                {counted(rule.fired, "time")}
              </a>
            </dd>
          </div>
          <div>
            <dt>Open</dt>
            <dd>{rule.open === 0 ? "none" : formatCount(rule.open)}</dd>
          </div>
          <div>
            <dt>Last fired</dt>
            <dd>{rule.lastFired === null ? "–" : formatAgo(now - rule.lastFired)}</dd>
          </div>
          <div title={COST_TITLE}>
            <dt>Time / sample</dt>
            <dd>{costText(rule.cost)}</dd>
          </div>
          <div title={STATE_TITLE}>
            <dt>State / vehicle</dt>
            <dd>{stateText(rule.cost)}</dd>
          </div>
        </dl>
      )}
      {densities.map(({ stepMs, counts }) => {
        const label = stepMs < DAY_MS ? `last ${counts.length} h` : `last ${counts.length} d`;
        const total = counts.reduce((sum, count) => sum + count, 0);
        return (
          <figure key={stepMs} class="over">
            <figcaption>
              {label} <b>{formatCount(total)}</b>
            </figcaption>
            <Density counts={counts} label={`over the ${label}`} />
          </figure>
        );
      })}
    </section>
  );
}

function RuleText(props: { page: RuleProps }) {
  const { rule, revisions } = props.page;
  if (rule === null) {
    const last = revisions.find(({ text }) => text !== "");
    return (
      <>
        <p class="none">It is not in force any more. It last read:</p>
        <pre><code>{visibleText((last?.text ?? "").trimEnd(), true)}</code></pre>
      </>
    );
  }
  return (
    <>
      <pre><code>{visibleText(rule.source.trimEnd(), true)}</code></pre>
      {/^https?:\/\//.test(rule.runbook) && (
        <p>
          <a href={rule.runbook} rel="noreferrer">
            What to do: <Name text={rule.runbook} />
          </a>
        </p>
      )}
    </>
  );
}

function Revisions(props: { store: AppStore; revisions: readonly RuleRevision[] }) {
  const { store, revisions } = props;
  const zone = store.preferences.zone.value;
  if (revisions.length === 0) return null;
  return (
    <section aria-labelledby="revisions-title">
      <h2 id="revisions-title">
        What versions made of it <small>{formatCount(revisions.length)}</small>
      </h2>
      <ol class="lines">
        {revisions.map(({ version, time, author, message, change, text }, k) => (
          <li key={`${version} ${time}`}>
            <p>
              <VersionName version={version} /> {change} {formatDateTime(time, zone)} by{" "}
              <Name text={author} />
              {message !== "" && (
                <>
                  :{" "}
                  <q dir="auto">
                    <Name text={message} />
                  </q>
                </>
              )}
            </p>
            {change === "changed" && revisions[k + 1] !== undefined && (
              <details open={k === 0}>
                <summary>What changed</summary>
                <Difference before={revisions[k + 1].text} after={text} />
              </details>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Lines that went and came; signs say which, not colour alone. */
function Difference(props: { before: string; after: string }) {
  return (
    <pre class="diff"><code>{lineDiff(props.before, props.after).map(({ kind, text }, k) => {
      const line = `${{ same: "  ", gone: "- ", new: "+ " }[kind]}${visibleText(text)}\n`;
      if (kind === "same") return line;
      return kind === "gone" ? <del key={k}>{line}</del> : <ins key={k}>{line}</ins>;
    })}</code></pre>
  );
}
