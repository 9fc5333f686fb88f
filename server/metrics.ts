/** Figures in Prometheus' text format. */
import type { AgentState, AgentStatus } from "../contract/agent.ts";
import type { PipelineView } from "../contract/views.ts";

/** Content-Type of `metricsText`. */
export const METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8";

const AGENT_STATES: readonly AgentState[] = [
  "starting",
  "running",
  "paused",
  "waiting",
  "failed",
  "stopping",
  "stopped",
];

/** What is shown, by metric name without the leading `kilter_`. */
export interface MetricSources {
  readonly server: Readonly<Record<string, number>>;
  readonly bus: Readonly<Record<string, number>>;
  readonly agents: readonly AgentStatus[];
  readonly pipeline: PipelineView;
}

/** All figures as text. */
export function metricsText(sources: MetricSources): string {
  const families = new Families();
  for (const [name, value] of Object.entries(sources.server)) {
    families.add(`kilter_server_${name}`, {}, value);
  }
  for (const [name, value] of Object.entries(sources.bus)) {
    families.add(name.startsWith("bus_") ? `kilter_${name}` : `kilter_bus_${name}`, {}, value);
  }
  const { pipeline } = sources;
  families.add("kilter_samples_total", {}, pipeline.samples);
  families.add("kilter_samples_per_second", {}, pipeline.samplesPerSecond);
  families.add("kilter_vehicles", {}, pipeline.vehicles);
  families.add("kilter_lag_records", {}, pipeline.lagRecords);
  families.add("kilter_lag_seconds", {}, pipeline.lagSeconds);
  families.add("kilter_values_out_of_range_total", {}, pipeline.outOfRange);
  families.add("kilter_keys_unknown_total", {}, pipeline.unknownKeys);
  for (const [reason, count] of Object.entries(pipeline.refused)) {
    families.add("kilter_refused_total", { reason }, count);
  }
  for (const { partition, end, lagRecords } of pipeline.partitions) {
    const labels = { partition: String(partition) };
    families.add("kilter_partition_end", labels, end);
    families.add("kilter_partition_lag_records", labels, lagRecords);
  }
  for (const agent of sources.agents) {
    for (const state of AGENT_STATES) {
      const labels = { agent: agent.name, state };
      families.add("kilter_agent_state", labels, agent.state === state ? 1 : 0);
    }
    families.add("kilter_agent_restarts_total", { agent: agent.name }, agent.restarts);
    families.add("kilter_agent_beat_seconds", { agent: agent.name }, agent.beat / 1000);
    // The dashboard's own figures stand above, fresher; lag by partition likewise.
    if (agent.name === "dashboard") continue;
    for (const [name, value] of Object.entries(agent.metrics)) {
      if (/_p\d+$/.test(name)) continue;
      families.add(`kilter_agent_${name}`, { agent: agent.name }, value);
    }
  }
  return families.text();
}

/** Samples grouped by metric, as the format wants them. */
class Families {
  readonly #families = new Map<string, string[]>();

  add(name: string, labels: Readonly<Record<string, string>>, value: number): void {
    const safe = name.replaceAll(/[^a-zA-Z0-9_:]/g, "_");
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
    const lines = this.#families.get(safe) ?? [];
    lines.push(`${safe}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${number(value)}`);
    this.#families.set(safe, lines);
  }

  text(): string {
    let text = "";
    for (const [name, lines] of this.#families) {
      text += `# TYPE ${name} ${name.endsWith("_total") ? "counter" : "gauge"}\n`;
      text += lines.join("\n") + "\n";
    }
    return text;
  }
}

function escaped(label: string): string {
  return label.replaceAll("\\", "\\\\").replaceAll("\n", "\\n").replaceAll('"', '\\"');
}

function number(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}
