/** Words that people bring from other systems, and what is meant by them here. */

/** Keys of a rule. */
export const FAMILIAR_RULE_KEYS: ReadonlyMap<string, string> = new Map([
  ...pairs("id", "alert", "name", "title", "key"),
  ...pairs("when", "expr", "expression", "condition", "if", "query", "trigger"),
  ...pairs("for", "duration", "after", "hold", "delay", "pending"),
  ...pairs("clear", "until", "reset", "recovery", "resolve"),
  ...pairs("message", "annotations", "description", "summary", "text", "msg"),
  ...pairs("severity", "level", "priority"),
  ...pairs("labels", "tags"),
  ...pairs("runbook", "link", "url", "runbook_url"),
]);

/** Keys of a signal. */
export const FAMILIAR_SIGNAL_KEYS: ReadonlyMap<string, string> = new Map([
  ...pairs("range", "min", "max", "limits", "bounds"),
  ...pairs("names", "enum", "values", "options"),
  ...pairs("keys", "alias", "aliases", "columns"),
  ...pairs("stale_after", "stale", "timeout", "ttl"),
  ...pairs("type", "kind", "datatype"),
]);

/** Types of a signal. */
export const FAMILIAR_TYPES: ReadonlyMap<string, string> = new Map([
  ...pairs("number", "int", "integer", "float", "double", "real", "num"),
  ...pairs("boolean", "bool", "flag"),
  ...pairs("name", "string", "text", "enum"),
]);

/** Severities. */
export const FAMILIAR_SEVERITIES: ReadonlyMap<string, string> = new Map([
  ...pairs("critical", "error", "fatal", "alarm", "high", "page", "severe", "emergency"),
  ...pairs("warning", "warn", "medium", "minor"),
  ...pairs("info", "notice", "low", "debug", "none"),
]);

/** Functions. */
export const FAMILIAR_FUNCTIONS: ReadonlyMap<string, string> = new Map([
  ...pairs("avg", "average", "mean", "avg_over_time", "mean_over_time"),
  ...pairs("highest", "maximum", "max_over_time", "peak"),
  ...pairs("lowest", "minimum", "min_over_time"),
  ...pairs("sum", "sum_over_time", "total"),
  ...pairs("count", "count_over_time", "count_if"),
  ...pairs("stddev", "std", "stdev", "stddev_over_time"),
  ...pairs("rate", "deriv", "derivative", "irate", "slope"),
  ...pairs("delta", "increase", "change", "difference", "diff"),
  ...pairs("prev", "last", "previous", "lag"),
  ...pairs("absent", "absent_over_time", "silent", "missing", "no_data"),
  ...pairs("held", "for", "sustained", "lasting"),
  ...pairs("inside", "within", "in_zone", "geofence"),
  ...pairs("entered", "enter", "enters"),
  ...pairs("left", "leave", "leaves", "exit", "exited"),
  ...pairs("seq", "sequence", "then", "followed_by"),
]);

/** Truths. */
export const FAMILIAR_TRUTHS: ReadonlyMap<string, string> = new Map([
  ...pairs("true", "yes", "on", "1"),
  ...pairs("false", "no", "off", "0"),
]);

function pairs(meant: string, ...words: readonly string[]): (readonly [string, string])[] {
  return words.map((word) => [word, meant] as const);
}
