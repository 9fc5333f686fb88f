/** Explanations as text for people: facts, a line of time, a table of samples, limits. */
import type {
  EvaluatedSample,
  ExplainedRule,
  Hindrance,
  Known,
  LogRead,
  NearestLimit,
  Proof,
  Refutation,
  Shown,
  Trace,
} from "../contract/explanation.ts";
import { duration } from "./backtest_report.ts";
import { table } from "./text_table.ts";

/** How truths and openings are drawn. */
interface Marks {
  readonly true: string;
  readonly false: string;
  readonly unknown: string;
  readonly opened: string;
  readonly gap: string;
}

const UNICODE: Marks = { true: "━", false: "┄", unknown: "?", opened: "▲", gap: "…" };
const ASCII: Marks = { true: "=", false: ".", unknown: "?", opened: "O", gap: "~" };

/** Why an anomaly fired, as lines. */
export function proofReport(proof: Proof, ascii: boolean): readonly string[] {
  const { opening, rule, trace, heldMs } = proof;
  const { id, vehicle, message, at, onset, clearedAt, reason } = opening;
  const lines = [
    `${rule?.id ?? "a rule that is gone"} fired for ${plain(vehicle)}: ${plain(message)}`,
    fact("anomaly", `${id}, ${opening.kind} at ${iso(at)}`),
    fact(
      "cleared",
      clearedAt === null
        ? rule?.once ? "never: a point event" : "not yet"
        : `at ${iso(clearedAt)}: ${reason}`,
    ),
  ];
  if (rule !== null) {
    lines.push(...ruleFacts(rule));
    lines.push(
      fact("held", `${duration(heldMs)} since ${iso(onset)}; for ${duration(rule.forMs)}`),
    );
  }
  for (const { fn, durationMs, samples, from } of proof.reaches) {
    lines.push(fact(fn, `over ${duration(durationMs)}, from ${iso(from)} on: ${samples} samples`));
  }
  if (proof.log !== null) lines.push(logFact(proof.log));
  lines.push(
    fact(
      "again",
      proof.reproduced
        ? `the log gives the same opening${
          proof.sameTerms ? "" : "; values differ a little: they remember more than was read"
        }`
        : `NOT the same opening: ${proof.why}`,
    ),
  );
  if (trace !== null) {
    lines.push("", ...traceLines(trace, isOpening(proof), ascii ? ASCII : UNICODE));
  }
  if (proof.duration !== null) {
    lines.push("", "It would not have fired", ...nearestLines(proof));
  }
  if (rule !== null) lines.push("", ...rule.source.trimEnd().split("\n").map((row) => `  ${row}`));
  return lines;
}

/** Why a rule did not fire, as lines. */
export function refutationReport(answer: Refutation, ascii: boolean): readonly string[] {
  const { rule, vehicle, time, why, text, trace, hindrances } = answer;
  const verb = why === "fired" ? "fired" : "did not fire";
  const lines = [
    `${rule.id} ${verb} for ${plain(vehicle)} at ${iso(time)}: ${plain(text)}`,
    ...ruleFacts(rule),
    logFact(answer.log),
  ];
  if (hindrances.length > 0) {
    lines.push("", "What kept it from firing", ...hindrances.map(hindranceLine));
  }
  if (trace.samples.length > 0) {
    const asked = (row: EvaluatedSample) => isSame(row, answer.sample);
    lines.push("", ...traceLines(trace, asked, ascii ? ASCII : UNICODE));
  }
  return lines;
}

function ruleFacts({ version, of }: ExplainedRule): readonly string[] {
  const which = of === "current" ? ", the current one: that of then is not known" : "";
  return [fact("rules", `version ${version}${which}`)];
}

function logFact({ partition, from, to, records, kept, cut }: LogRead): string {
  const text = `partition ${partition}, offsets ${from} to ${to}: ${records} records, ${kept} of ` +
    "them of the vehicle";
  return fact("log", cut === "" ? text : `${text}; ${cut}`);
}

function fact(name: string, text: string): string {
  return `  ${name.padEnd(8)} ${text}`;
}

function isOpening({ opening: { source, append } }: Proof) {
  return (row: EvaluatedSample) =>
    row.offset === source.offset && row.index === source.index && row.append === append;
}

function isSame(row: EvaluatedSample, other: EvaluatedSample | null): boolean {
  return other !== null && row.offset === other.offset && row.index === other.index &&
    row.append === other.append && row.t === other.t;
}

/** A line of time, one mark a sample, and the samples as a table. */
function traceLines(
  { signals, terms, samples, omitted, omittedAfter }: Trace,
  marked: (row: EvaluatedSample) => boolean,
  marks: Marks,
): readonly string[] {
  const line = samples.map((row, i) => {
    const gap = omitted > 0 && i === omittedAfter ? marks.gap : "";
    return gap + (marked(row) ? marks.opened : markOf(row.when, marks));
  }).join("");
  const head = [
    "T",
    "offset/index",
    ...signals.map(({ name, unit }) => unit === "" ? name : `${name} ${unit}`),
    ...terms.map(({ text }) => text),
    "when",
    "",
  ];
  const rows = samples.map((row) => [
    new Date(row.t).toISOString().slice(11, -1) + (row.cause === "time" ? " (time)" : ""),
    `${row.offset}/${row.index}`,
    ...row.values.map(shown),
    ...row.terms.map(({ truth, value, limit }) =>
      limit === null || typeof value !== "number"
        ? truthText(truth)
        : `${truthText(truth)} ${value}`
    ),
    row.brought ? truthText(row.when) : "not brought",
    marked(row) ? marks.opened : "",
  ]);
  const lines = [...table([head, ...rows])];
  if (omitted > 0) lines.splice(omittedAfter + 1, 0, `  ${marks.gap} ${omitted} more samples`);
  return [`  ${line}`, ...lines];
}

function markOf(truth: Known, marks: Marks): string {
  return truth === null ? marks.unknown : truth ? marks.true : marks.false;
}

function truthText(truth: Known): string {
  return truth === null ? "unknown" : String(truth);
}

function shown(value: Shown): string {
  return value === null ? "unknown" : plain(String(value));
}

function nearestLines({ thresholds, duration: shortest }: Proof): readonly string[] {
  const rows = thresholds.map(({ term, unit, nearest, why }) =>
    `  ${term}: ${nearest === null ? `at no limit; ${why}` : nearestText(nearest, unit)}`
  );
  if (shortest === null) return rows;
  const { forMs, nearestMs, why } = shortest;
  return [
    ...rows,
    `  for ${duration(forMs)}: ${
      nearestMs === null ? `at no duration; ${why}` : `with ${nearestMs} ms and longer`
    }`,
  ];
}

function nearestText({ value, side, exclusive, difference }: NearestLimit, unit: string): string {
  const named = unit === "" ? String(value) : `${value} ${unit}`;
  const where = exclusive
    ? `with a limit ${side} ${named}, not with that itself`
    : `with a limit of ${named}, or just ${side} it`;
  return `${where} (${difference > 0 ? "+" : ""}${Number(difference.toPrecision(12))})`;
}

function hindranceLine({ term, unit, truth, wanted, value, limit, ...rest }: Hindrance): string {
  const { difference, unknown } = rest;
  if (truth === null) return `  ${term} is unknown: ${unknown}`;
  const is = `  ${term} is ${truth}${wanted ? "" : ", and would have to be false"}`;
  if (limit === null) return is;
  const away = difference === null
    ? ""
    : ` (${difference > 0 ? "+" : ""}${Number(difference.toPrecision(12))}${
      unit === "" ? "" : ` ${unit}`
    })`;
  return `${is}: ${shown(value)} against ${shown(limit)}${away}`;
}

/** Text without what could drive a terminal. */
function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, " ");
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}
