/** Versions of the rules as people read them: what each changed, and what became of one rule. */
import type { RuleVersion } from "../contract/rule_versions.ts";
import type { RuleChangeView, RuleRevision, VersionView } from "../contract/views.ts";
import type { RuleSet } from "../rules-wasm/language/ast.ts";
import { ruleChange } from "../rules-wasm/rule_change.ts";
import { compileTexts, type RuleLog } from "../rules-wasm/rule_source.ts";

/** Versions looked through for one rule: the latest ones. */
const REVISED_MAX = 200;

/** The texts of rules by id, and what the version changed of the one before. */
interface Known {
  readonly texts: ReadonlyMap<string, string>;
  readonly change: RuleChangeView | null;
}

/** Reads the log's versions; what they changed is worked out once. */
export class RuleVersions {
  readonly #rules: RuleLog;
  /** By place in the history: it only ever grows. */
  readonly #known: (Known | undefined)[] = [];

  constructor(rules: RuleLog) {
    this.#rules = rules;
  }

  /** How many there are. */
  get total(): number {
    return this.#rules.history.versions.length;
  }

  /** The latest ones, newest first. */
  list(limit: number): VersionView[] {
    const views: VersionView[] = [];
    for (let i = this.total - 1; i >= 0 && views.length < limit; i--) views.push(this.view(i));
    return views;
  }

  /** The one at a place in the history, from 0. */
  view(i: number): VersionView {
    const { version, base, time, author, message, source } = this.#rules.history.versions[i];
    return {
      ...{ version, base, time, author, message, source },
      current: i === this.total - 1,
      change: this.#at(i).change,
    };
  }

  /** The rules of a version; null if it is not known, or not understood any more. */
  ruleSet(version: string): RuleSet | null {
    try {
      return this.#rules.version(version);
    } catch (error) {
      if (error instanceof SyntaxError) return null;
      throw error;
    }
  }

  /** The newest version of a name; undefined if the log does not know it. */
  find(version: string): RuleVersion | undefined {
    return this.#rules.history.find(version);
  }

  /** What versions made of a rule, newest first. */
  revisions(id: string): RuleRevision[] {
    const revisions: RuleRevision[] = [];
    let before: string | undefined;
    for (let i = Math.max(0, this.total - REVISED_MAX); i < this.total; i++) {
      const { version, time, author, message } = this.#rules.history.versions[i];
      const { texts, change } = this.#at(i);
      const text = texts.get(id);
      const said = { version, time, author, message };
      if (text !== undefined && before === undefined) {
        revisions.push({ ...said, change: "added", text });
      } else if (text === undefined && before !== undefined) {
        revisions.push({ ...said, change: "removed", text: "" });
      } else if (text !== undefined && (change === null || change.changed.includes(id))) {
        revisions.push({ ...said, change: "changed", text });
      }
      before = text;
    }
    return revisions.reverse();
  }

  #at(i: number): Known {
    const known = this.#known[i];
    if (known !== undefined) return known;
    const record = this.#rules.history.versions[i];
    const after = compiled(record);
    const base = this.#rules.history.versions.slice(0, i).findLast(({ version }) =>
      version === record.base
    );
    const before = base === undefined ? null : compiled(base);
    const made: Known = {
      texts: new Map(after?.rules.map(({ id, source }) => [id, source])),
      change: before === null || after === null ? null : ruleChange(before, after),
    };
    this.#known[i] = made;
    return made;
  }
}

/** null for a version whose text this program does not understand any more. */
function compiled(record: RuleVersion): RuleSet | null {
  const compiled = compileTexts(record);
  return compiled.ok ? compiled.ruleSet : null;
}
