/** The `expect` key of a rule test: which transitions are to come, and when. */
import {
  CLEAR_REASONS,
  SEVERITIES,
  TRANSITION_KINDS,
  type TransitionKind,
} from "../../contract/anomaly.ts";
import type { RuleSet, Span } from "../language/ast.ts";
import { didYouMean, type FaultList, quote } from "../language/faults.ts";
import { asDurationMs, asMap, asScalar, asWhole } from "../language/yaml_fields.ts";
import type { MapNode, Node, ScalarNode } from "../language/yaml_text.ts";

/** One transition that is to come; what is null is not looked at. */
export interface ExpectedTransition {
  readonly kind: TransitionKind;
  /** Milliseconds of T after the start. */
  readonly at: number;
  readonly vehicle: string;
  readonly severity: string | null;
  readonly reason: string | null;
  readonly message: string | null;
  /** Milliseconds of T after the start. */
  readonly onset: number | null;
  readonly count: number | null;
}

/** What one rule is to do: these transitions and no others. */
export interface Expectation {
  readonly rule: string;
  readonly span: Span;
  readonly transitions: readonly ExpectedTransition[];
}

/** What a test expects. */
export interface Expectations {
  readonly expect: readonly Expectation[];
  readonly othersNone: boolean;
}

/** Stands for every rule that is not named. */
const OTHERS = "*";
const NONE = "none";
const ITEM = /^([a-z]+)(?:\s+at)?\s+(0|(?:\d+(?:\.\d+)?)\s*[a-z]+)(?:\s+of\s+(\S.*))?$/;
const ADVICE = 'write "opened at 12 s", or { opened: 12 s, severity: critical }';

/** Reads expectations; `none` alone expects that no rule does anything. */
export function readExpectations(
  node: Node,
  rules: RuleSet,
  vehicles: readonly string[],
  faults: FaultList,
): Expectations {
  if (isNone(node)) return { expect: [], othersNone: true };
  const map = asMap(node, "expect", faults);
  const ids = rules.rules.map(({ id }) => id);
  const expect: Expectation[] = [];
  let othersNone = false;
  for (const { key, keySpan, value } of map?.entries ?? []) {
    if (key === OTHERS) {
      othersNone = isNone(value);
      if (!othersNone) faults.add(value.span, 'Cannot expect anything but none of "*"');
      continue;
    }
    if (!ids.includes(key)) {
      const near = didYouMean(key, ids);
      const advice = near === "" ? `rules are ${ids.slice(0, 20).join(", ")}` : near;
      faults.add(keySpan, `Cannot find a rule named ${quote(key)} that is enabled`, advice);
      continue;
    }
    const items = isNone(value) ? [] : value.kind === "list" ? value.items : [value];
    const transitions = items.map((item) => readTransition(item, vehicles, faults))
      .filter((each) => each !== null).sort((a, b) => a.at - b.at);
    expect.push({ rule: key, span: keySpan, transitions });
  }
  return { expect, othersNone };
}

function isNone(node: Node): boolean {
  return node.kind === "scalar" && node.text === NONE;
}

function readTransition(
  node: Node,
  vehicles: readonly string[],
  faults: FaultList,
): ExpectedTransition | null {
  if (node.kind === "map") return readDetailed(node, vehicles, faults);
  const scalar = asScalar(node, "a transition", faults);
  if (scalar === null) return null;
  const [, name = "", time = "", vehicle] = ITEM.exec(scalar.text.trim()) ?? [];
  if (time === "") {
    faults.add(scalar.span, `Cannot use ${quote(scalar.text)} as a transition`, ADVICE);
    return null;
  }
  const kind = kindOf(name, scalar.span, faults);
  const at = asDurationMs(part(scalar, time), "the time of a transition", 0, faults);
  const whose = whoseOf(vehicle, vehicles, scalar.span, faults);
  if (kind === null || at === null || whose === null) return null;
  return { kind, at, vehicle: whose, ...NOTHING };
}

const NOTHING = { severity: null, reason: null, message: null, onset: null, count: null };

/** A part of a scalar as one of its own. */
function part(scalar: ScalarNode, text: string): ScalarNode {
  const at = scalar.text.indexOf(text);
  const { place } = scalar;
  const moved = {
    locate: (offset: number, length: number) => place.locate(at + offset, length),
  };
  return { ...scalar, text, span: place.locate(at, text.length), place: moved };
}

function readDetailed(
  map: MapNode,
  vehicles: readonly string[],
  faults: FaultList,
): ExpectedTransition | null {
  const details = new Map<string, Node>();
  let kind: TransitionKind | null = null;
  let at: number | null = null;
  for (const { key, keySpan, value } of map.entries) {
    if (key in NOTHING || key === "vehicle") details.set(key, value);
    else if (kind !== null) {
      const near = didYouMean(key, ["vehicle", ...Object.keys(NOTHING)]);
      faults.add(keySpan, `Cannot use the key ${quote(key)} in a transition`, near);
    } else {
      kind = kindOf(key, keySpan, faults);
      at = asDurationMs(value, "the time of a transition", 0, faults);
    }
  }
  if (kind === null || at === null) {
    if (kind === null && at === null) faults.add(map.span, "Cannot tell the transition", ADVICE);
    return null;
  }
  const text = (key: string, among?: readonly string[]) => {
    const node = details.get(key);
    const scalar = node === undefined ? null : asScalar(node, key, faults);
    if (scalar !== null && among !== undefined && !among.includes(scalar.text)) {
      const near = didYouMean(scalar.text, among);
      const advice = near === "" ? `it is one of ${among.join(", ")}` : near;
      faults.add(scalar.span, `Cannot use ${quote(scalar.text)} as ${key}`, advice);
    }
    return scalar?.text ?? null;
  };
  const onset = details.get("onset");
  const count = details.get("count");
  const vehicle = whoseOf(text("vehicle") ?? undefined, vehicles, map.span, faults);
  if (vehicle === null) return null;
  return {
    kind,
    at,
    vehicle,
    severity: text("severity", SEVERITIES),
    reason: text("reason", CLEAR_REASONS),
    message: text("message"),
    onset: onset === undefined ? null : asDurationMs(onset, "onset", 0, faults),
    count: count === undefined ? null : asWhole(count, "count", 1, 1e6, faults),
  };
}

function kindOf(name: string, span: Span, faults: FaultList): TransitionKind | null {
  const kind = TRANSITION_KINDS.find((each) => each === name);
  if (kind !== undefined) return kind;
  const near = didYouMean(name, TRANSITION_KINDS);
  const advice = near === "" ? `kinds are ${TRANSITION_KINDS.join(", ")}` : near;
  faults.add(span, `Cannot use ${quote(name)} as the kind of a transition`, advice);
  return null;
}

function whoseOf(
  vehicle: string | undefined,
  vehicles: readonly string[],
  span: Span,
  faults: FaultList,
): string | null {
  const [first = ""] = vehicles;
  if (vehicle === undefined && vehicles.length <= 1) return first;
  if (vehicle === undefined) {
    faults.add(span, "Cannot tell whose transition this is", "write: opened at 12 s of VEHICLE");
    return null;
  }
  if (vehicles.includes(vehicle)) return vehicle;
  const near = didYouMean(vehicle, vehicles);
  faults.add(
    span,
    `Cannot find a vehicle named ${quote(vehicle)} in this test`,
    near === "" ? `vehicles are ${vehicles.slice(0, 20).join(", ")}` : near,
  );
  return null;
}
