/// <reference lib="dom" />
/** The pipeline page: source to browsers, lag in records and seconds, drops, agents, partitions. */
import { useEffect, useState } from "preact/hooks";
import type { AgentAction, AgentStatus } from "../contract/agent.ts";
import type { PipelineView, RuleCost } from "../contract/views.ts";
import { fetchRules } from "./api.ts";
import { formatAge, formatCount, formatNumber } from "./format.ts";
import { LiveTail } from "./LiveTail.tsx";
import { Name } from "./Name.tsx";
import { COST_TITLE, costText } from "./rule_cost_text.ts";
import type { AppStore } from "./store.ts";
import { messageOf, postJson } from "./triage.ts";
import { visibleText } from "./visible_text.ts";

/** Cost and yield of a rule as the page shows them. */
export interface RuleYield {
  readonly id: string;
  readonly fired: number;
  readonly open: number;
  readonly cost: RuleCost | null;
}

/** What the page embeds beside the shell. */
export interface PipelineProps {
  readonly rules: readonly RuleYield[];
}

/** The page. */
export function PipelineMain(props: { store: AppStore; page: PipelineProps }) {
  const { store, page } = props;
  const view = store.pipeline.value;
  if (view === null) return <p class="none">The pipeline has not reported yet.</p>;
  return (
    <div class="page pipeline">
      <Flow view={view} />
      <Agents store={store} agents={view.agents} />
      <div class="columns">
        <Partitions view={view} />
        <Losses view={view} />
        <Yields store={store} rules={page.rules} />
      </div>
      <LiveTail store={store} />
    </div>
  );
}

function Flow(props: { view: PipelineView }) {
  const { view } = props;
  return (
    <section aria-label="Flow">
      <ol class="flow">
        <Stage name="Sources">
          <b>{formatNumber(view.samplesPerSecond)}</b> samples / s
          <small>{formatCount(view.samples)} since the start</small>
        </Stage>
        <Stage name={`Bus (${view.bus})`}>
          <b>{formatCount(view.lagRecords)}</b> records waiting
          <small>
            oldest {view.lagRecords === 0 ? "–" : formatAge(view.lagSeconds * 1000)}
          </small>
        </Stage>
        <Stage name="Rules">
          <b>{formatNumber(view.anomaliesPerSecond, 2)}</b> anomalies / s
          <small>
            version <code>{view.version === "" ? "–" : view.version.slice(0, 8)}</code>
          </small>
        </Stage>
        <Stage name="Store">
          <b>{formatCount(view.vehicles)}</b> vehicles
          <small>
            {formatCount(view.late)} late, {formatCount(view.duplicates)} duplicate samples
          </small>
        </Stage>
        <Stage name="Browsers">
          <b>{formatCount(view.clients)}</b> {view.clients === 1 ? "stream" : "streams"}
          <small>{formatCount(view.framesSkipped)} frames skipped</small>
        </Stage>
      </ol>
    </section>
  );
}

function Stage(props: { name: string; children: preact.ComponentChildren }) {
  return (
    <li>
      <h2>{props.name}</h2>
      <p>{props.children}</p>
    </li>
  );
}

function Agents(props: { store: AppStore; agents: readonly AgentStatus[] }) {
  const { store, agents } = props;
  const now = store.clock.second.value;
  return (
    <section aria-labelledby="agents-title">
      <h2 id="agents-title">Agents</h2>
      {agents.length === 0
        ? (
          <p class="none">
            Agents run as processes of their own here; their supervisor knows them.
          </p>
        )
        : (
          <div class="scroll" tabIndex={0} role="region" aria-label="Agents">
            <table>
              <thead>
                <tr>
                  <th scope="col">Agent</th>
                  <th scope="col">State</th>
                  <th scope="col" class="number">Restarts</th>
                  <th scope="col" class="number">Since</th>
                  <th scope="col" class="number">Last beat</th>
                  <th scope="col">Last fault</th>
                  <th scope="col" class="scripted">Do</th>
                </tr>
              </thead>
              <tbody>
                {agents.map((agent) => (
                  <AgentRow key={agent.name} store={store} agent={agent} now={now} />
                ))}
              </tbody>
            </table>
          </div>
        )}
    </section>
  );
}

function AgentRow(props: { store: AppStore; agent: AgentStatus; now: number }) {
  const { store, agent, now } = props;
  const [busy, setBusy] = useState(false);
  const act = async (action: AgentAction) => {
    setBusy(true);
    try {
      await postJson(`/api/agents/${encodeURIComponent(agent.name)}/${action}`, {});
      store.toaster.say(`Asked ${agent.name} to ${action}`);
    } catch (fault) {
      store.toaster.say(`Cannot ${action} ${agent.name}: ${messageOf(fault)}`);
    } finally {
      setBusy(false);
    }
  };
  const actions: readonly AgentAction[] = [
    agent.state === "paused" ? "resume" : "pause",
    "restart",
  ];
  return (
    <tr>
      <th scope="row">{visibleText(agent.name)}</th>
      <td>
        <span class={`state ${agent.state}`}>
          <i class="dot" />
          {agent.state}
          {agent.state === "waiting" && ` ${formatAge(agent.retryAt - now)}`}
        </span>
      </td>
      <td class="number">{formatCount(agent.restarts)}</td>
      <td class="number">{formatAge(now - agent.since)}</td>
      <td class="number">{agent.beat === 0 ? "–" : formatAge(now - agent.beat)}</td>
      <td class="fault">{agent.error === "" ? "–" : <Name text={agent.error} />}</td>
      <td class="scripted acts">
        {actions.map((action) => (
          <button
            key={action}
            type="button"
            disabled={busy}
            aria-label={`${action} ${agent.name}`}
            onClick={() => act(action)}
          >
            {action}
          </button>
        ))}
      </td>
    </tr>
  );
}

function Partitions(props: { view: PipelineView }) {
  const { partitions } = props.view;
  return (
    <section aria-labelledby="partitions-title">
      <h2 id="partitions-title">Partitions</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Partition</th>
            <th scope="col" class="number">End</th>
            <th scope="col" class="number">Waiting</th>
          </tr>
        </thead>
        <tbody>
          {partitions.map(({ partition, end, lagRecords }) => (
            <tr key={partition}>
              <th scope="row">{partition}</th>
              <td class="number">{formatCount(end)}</td>
              <td class="number">{formatCount(lagRecords)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {partitions.length === 0 && <p class="none">No partition is known yet.</p>}
    </section>
  );
}

function Losses(props: { view: PipelineView }) {
  const { view } = props;
  const refused = Object.entries(view.refused).filter(([, count]) => count > 0);
  const seldom: readonly (readonly [string, number, string])[] = [
    ["samples that wait for older ones", view.waiting, "evaluated in their turn"],
    ["samples with no room to wait", view.crowded, "evaluated before their turn"],
    ["vehicles whose clock was set back", view.clockResets, "begun afresh"],
    ["vehicles silent for too long", view.forgotten, "forgotten"],
    ["vehicles outside their partition", view.misplaced, "taken for others"],
  ];
  const rows: readonly (readonly [string, number, string])[] = [
    ...refused.map(([reason, count]) => [reason, count, "refused"] as const),
    ["outside the signal's range", view.outOfRange, "taken as missing"],
    ["keys unknown to the catalog", view.unknownKeys, "passed over"],
    ["late samples", view.late, "kept, not evaluated"],
    ["duplicates", view.duplicates, "counted"],
    ...seldom.filter(([, count]) => count > 0),
  ];
  return (
    <section aria-labelledby="losses-title">
      <h2 id="losses-title">Out of the ordinary</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">What</th>
            <th scope="col" class="number">Count</th>
            <th scope="col">Became of it</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([what, count, fate]) => (
            <tr key={what}>
              <th scope="row">{what}</th>
              <td class="number">{formatCount(count)}</td>
              <td>{fate}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {refused.length === 0 && <p class="none">Nothing was refused.</p>}
    </section>
  );
}

/** Counts are read again this often, milliseconds. */
const REREAD_MS = 5000;

function Yields(props: { store: AppStore; rules: readonly RuleYield[] }) {
  const { store } = props;
  const [rules, setRules] = useState(props.rules);
  useEffect(() => {
    const timer = setInterval(() => {
      if (document.hidden || store.pause.value !== null || store.link.value !== "open") return;
      fetchRules().then(({ rules }) => setRules(rules), (fault: unknown) => {
        store.toaster.say(`Cannot read the rules: ${messageOf(fault)}`);
      });
    }, REREAD_MS);
    return () => clearInterval(timer);
  }, []);
  return (
    <section aria-labelledby="yields-title">
      <h2 id="yields-title">Rules</h2>
      <table>
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col" class="number">Fired</th>
            <th scope="col" class="number">Open</th>
            <th scope="col" class="number" title={COST_TITLE}>Time / sample</th>
          </tr>
        </thead>
        <tbody>
          {rules.map(({ id, fired, open, cost }) => (
            <tr key={id}>
              <th scope="row">
                <a href={`/rules/${encodeURIComponent(id)}`}>
                  <Name text={id} />
                </a>
              </th>
              <td class="number">{formatCount(fired)}</td>
              <td class="number">{formatCount(open)}</td>
              <td class="number">{costText(cost)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
