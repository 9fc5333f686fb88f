/** Severity as shape, colour and word: octagon critical, triangle warning, ring info. */
import type { Severity } from "../contract/anomaly.ts";
import { SEVERITY_WORDS } from "./severity.ts";

/**
 * The shape of a severity.
 *
 * @param props.named whether it carries its word for those who do not see it; leave out where the
 *   word stands beside it
 */
export function SeverityShape(props: { severity: Severity; named?: boolean }) {
  const word = SEVERITY_WORDS[props.severity];
  const role = props.named ? { role: "img" as const, "aria-label": word } : {
    "aria-hidden": "true" as const,
  };
  return (
    <svg class={`shape ${props.severity}`} viewBox="0 0 18 18" {...role}>
      {props.severity === "critical" && (
        <>
          <path class="fill" d="M5.5 1h7L17 5.5v7L12.5 17h-7L1 12.5v-7z" />
          <path class="mark" d="M9 4.8v5.2M9 13v.01" />
        </>
      )}
      {props.severity === "warning" && (
        <>
          <path class="fill" d="M9 1.5 17.5 16.5H.5z" />
          <path class="mark" d="M9 7v4M9 13.8v.01" />
        </>
      )}
      {props.severity === "info" && (
        <>
          <circle class="ring" cx="9" cy="9" r="7" />
          <path class="ring" d="M9 8.5v4M9 5.6v.01" />
        </>
      )}
    </svg>
  );
}

/** Shape and word of a severity. */
export function SeverityLabel(props: { severity: Severity }) {
  return (
    <span class="severity">
      <SeverityShape severity={props.severity} /> {SEVERITY_WORDS[props.severity]}
    </span>
  );
}
