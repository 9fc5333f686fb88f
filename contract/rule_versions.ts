/**
 * Versions of the rules and their activations, as they stand on `kilter.rules`: kept for ever, in
 * order, folded alike by everybody who reads them.
 */

/** Where a version came from. */
export const VERSION_SOURCES = ["file", "api", "rollback"] as const;
/** One of `VERSION_SOURCES`. */
export type VersionSource = typeof VERSION_SOURCES[number];

/** All that bears on meaning, as text, and who brought it. */
export interface RuleVersion {
  readonly kind: "version";
  readonly format: 1;
  /** 16 hexadecimal digits; see `docs/rules.md`. */
  readonly version: string;
  /** Version that was in force when it was written; "" for the first. Another one then: refused. */
  readonly base: string;
  /** Epoch milliseconds. */
  readonly time: number;
  /** Who brought it; a name for people. */
  readonly author: string;
  /** Why, in the author's words; "" if nothing was said. */
  readonly message: string;
  readonly source: VersionSource;
  /** Texts of the files. */
  readonly rules: string;
  readonly catalog: string;
  /** "" where there are no zones. */
  readonly zones: string;
}

/** A version came into force on a partition. */
export interface RuleActivation {
  readonly kind: "activation";
  readonly format: 1;
  readonly version: string;
  readonly partition: number;
  /** Input offset of the first record that it was evaluated over. */
  readonly offset: number;
  /** Input offset from which on its new state was warmed; `offset` if nothing was new. */
  readonly warmedFrom: number;
  /** Epoch milliseconds. */
  readonly time: number;
}

/** A record of the topic. */
export type RuleRecord = RuleVersion | RuleActivation;

/** Limits of what people write into a version. */
export const AUTHOR_CHARS_MAX = 100;
/** Most characters of its message. */
export const MESSAGE_CHARS_MAX = 1_000;

/** A record's bytes: one JSON object. */
export function encodeRuleRecord(record: RuleRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

/** Reads a record; null if the bytes are none of this format. */
export function decodeRuleRecord(bytes: Uint8Array): RuleRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    // Not UTF-8 or not JSON: somebody else wrote it. Who reads counts it.
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const fields: Record<string, unknown> = { ...value };
  if (fields.format !== 1) return null;
  return fields.kind === "version" ? asVersion(fields) : asActivation(fields);
}

function asVersion(fields: Record<string, unknown>): RuleVersion | null {
  const { version, base, time, author, message, source, rules, catalog, zones } = fields;
  const from = VERSION_SOURCES.find((known) => known === source);
  if (
    from === undefined || typeof version !== "string" || typeof base !== "string" ||
    typeof time !== "number" || typeof author !== "string" || typeof message !== "string" ||
    typeof rules !== "string" || typeof catalog !== "string" || typeof zones !== "string"
  ) return null;
  const said = { version, base, time, author, message, source: from };
  return { kind: "version", format: 1, ...said, rules, catalog, zones };
}

function asActivation(fields: Record<string, unknown>): RuleActivation | null {
  const { kind, version, partition, offset, warmedFrom, time } = fields;
  if (
    kind !== "activation" || typeof version !== "string" || typeof partition !== "number" ||
    typeof offset !== "number" || typeof warmedFrom !== "number" || typeof time !== "number"
  ) return null;
  return { kind, format: 1, version, partition, offset, warmedFrom, time };
}

/**
 * The topic folded. A version counts only if its base was in force where it stands in the log, so
 * that of two written at once all readers keep the same one.
 */
export class RuleHistory {
  readonly #versions: RuleVersion[] = [];
  readonly #activations = new Map<number, RuleActivation[]>();
  /** Versions that came second. */
  conflicts = 0;
  /** Records that were of no known form. */
  foreign = 0;

  /** Takes the value of a record. @returns what it was, null if it does not count */
  take(value: Uint8Array): RuleRecord | null {
    const record = decodeRuleRecord(value);
    if (record === null) {
      this.foreign++;
      return null;
    }
    if (record.kind === "activation") {
      const known = this.#activations.get(record.partition);
      if (known) known.push(record);
      else this.#activations.set(record.partition, [record]);
      return record;
    }
    if (record.base !== (this.current?.version ?? "")) {
      this.conflicts++;
      return null;
    }
    this.#versions.push(record);
    return record;
  }

  /** The version in force for whoever reads on from here. */
  get current(): RuleVersion | undefined {
    return this.#versions.at(-1);
  }

  /** All versions, oldest first. */
  get versions(): readonly RuleVersion[] {
    return this.#versions;
  }

  /** The newest of a name. */
  find(version: string): RuleVersion | undefined {
    return this.#versions.findLast((each) => each.version === version);
  }

  /** What came into force on a partition, oldest first. */
  activations(partition: number): readonly RuleActivation[] {
    return this.#activations.get(partition) ?? [];
  }
}
