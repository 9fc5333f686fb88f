/** The commands: what each does and takes, for the help and for the reader of arguments. */

/** One command. */
export interface CommandSpec {
  /** What stands behind the name in the help. */
  readonly hint: string;
  readonly help: string;
  /** Least and most arguments without a flag. */
  readonly files: readonly [number, number];
}

/** All commands, in the order of the help. */
export const COMMANDS: Readonly<Record<string, CommandSpec>> = {
  dev: {
    hint: "",
    help: "everything in one process: simulated fleet, bus, analysis, dashboard",
    files: [0, 0],
  },
  start: { hint: "", help: "the same without the simulator", files: [0, 0] },
  producer: { hint: "", help: "the simulated fleet alone, onto the bus", files: [0, 0] },
  analysis: { hint: "", help: "the rule engine alone", files: [0, 0] },
  dashboard: { hint: "", help: "intake, API and pages alone", files: [0, 0] },
  simulate: { hint: "--out FILE", help: "a seeded fleet to a file, no bus", files: [0, 0] },
  replay: {
    hint: "FILE…",
    help: "recorded drives onto the bus (CSV, NDJSON, gzip)",
    files: [1, 1_000],
  },
  backtest: {
    hint: "--rules FILE [--input FILE]",
    help: "the anomalies that those rules would have raised, as NDJSON on stdout",
    files: [0, 0],
  },
  explain: {
    hint: "ID | --rule R --vehicle V --at T",
    help: "why an anomaly fired, and what would have kept it from it; or why a rule did not fire",
    files: [0, 1],
  },
  rules: {
    hint: "check|test FILE… | versions | rollback [VERSION]",
    help: "faults and likely mistakes of rules, their tests; versions in force, and the way back",
    files: [0, 1_000],
  },
  dlq: {
    hint: "list|replay",
    help: "refused telemetry: what and why, and back onto the bus once it would be accepted",
    files: [1, 1],
  },
  init: { hint: "[DIR]", help: "writes the shipped defaults out to edit", files: [0, 1] },
};
