/** What a search finds: vehicles, rules, anomalies' vehicles and pages. */
import { ruleTitle, vehiclePath } from "./format.ts";

/** One thing found. */
export interface Finding {
  readonly kind: "Vehicle" | "Rule" | "Page";
  readonly label: string;
  readonly href: string;
}

/** Findings per kind at most. */
export const FINDINGS_MAX = 8;

const PAGES: readonly Finding[] = [
  { kind: "Page", label: "Live", href: "/" },
  { kind: "Page", label: "Anomalies", href: "/anomalies" },
  { kind: "Page", label: "Rules", href: "/rules" },
  { kind: "Page", label: "Pipeline", href: "/pipeline" },
];

/**
 * Searches by parts of names, upper and lower case alike; what begins with the text comes first.
 *
 * @param vehicles ids; empty ones are passed over
 */
export function find(
  text: string,
  vehicles: readonly string[],
  rules: readonly string[],
): Finding[] {
  const wanted = text.trim().toLowerCase();
  const found = [
    ...best(vehicles, wanted, (id) => id).map((id): Finding => ({
      kind: "Vehicle",
      label: id,
      href: vehiclePath(id),
    })),
    ...best(rules, wanted, (id) => `${id} ${ruleTitle(id)}`).map((id): Finding => ({
      kind: "Rule",
      label: ruleTitle(id),
      href: `/rules/${encodeURIComponent(id)}`,
    })),
  ];
  const pages = PAGES.filter(({ label }) => label.toLowerCase().includes(wanted));
  return wanted === "" ? [...pages, ...found] : [...found, ...pages];
}

function best(
  names: readonly string[],
  wanted: string,
  textOf: (name: string) => string,
): string[] {
  const first: string[] = [];
  const rest: string[] = [];
  for (const name of names) {
    if (name === "" || first.length >= FINDINGS_MAX) continue;
    const at = textOf(name).toLowerCase().indexOf(wanted);
    if (at === 0) first.push(name);
    else if (at > 0 && rest.length < FINDINGS_MAX) rest.push(name);
  }
  return [...first, ...rest].slice(0, FINDINGS_MAX);
}
