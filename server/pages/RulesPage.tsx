/** `/rules`: the rules in force, in their own words, and what each has found. */
import type { RuleView } from "../../contract/views.ts";
import { counted, formatCount, ruleTitle } from "../../islands/format.ts";
import { SeverityLabel } from "../../islands/SeverityShape.tsx";
import { renderDocument } from "./document.tsx";
import { shellProps } from "./embed.ts";
import type { RulesPage } from "./model.ts";

/** Draws the page of rules. */
export function renderRules(page: RulesPage): string {
  const only = page.rules.length === 1 ? page.rules[0] : undefined;
  const title = only === undefined ? "Rules" : ruleTitle(only.id);
  return renderDocument({
    shell: shellProps(page, { title }),
    windowTitle: title,
    place: "/rules",
    script: "page.js",
    page: null,
    signedIn: page.signedIn,
    main: () => (
      <div class="page rules">
        <p class="lead">
          {counted(page.rules.length, "rule")} of version{" "}
          <code>{page.version}</code>. They are read from <code>rules.yaml</code>;{" "}
          <code>kilter rules check</code> says what is wrong with a draft.
        </p>
        {page.rules.map((rule) => <Rule key={rule.id} rule={rule} />)}
        {page.rules.length === 0 && <p class="none">No rule is in force: nothing is watched.</p>}
      </div>
    ),
  });
}

function Rule(props: { rule: RuleView }) {
  const { rule } = props;
  const anomalies = `/anomalies?rule=${encodeURIComponent(rule.id)}`;
  return (
    <section class="rule" id={rule.id} aria-labelledby={`title-${rule.id}`}>
      <header>
        <h2 id={`title-${rule.id}`}>
          <a href={`/rules/${encodeURIComponent(rule.id)}`}>{ruleTitle(rule.id)}</a>
        </h2>
        <SeverityLabel severity={rule.severity} />
        {rule.once && <span class="tag">event</span>}
        <span class="spring" />
        <a href={anomalies}>
          fired {counted(rule.fired, "time")}
        </a>
        <span>{rule.open === 0 ? "none open" : `${formatCount(rule.open)} open`}</span>
      </header>
      <pre><code>{rule.source.trimEnd()}</code></pre>
      {/^https?:\/\//.test(rule.runbook) && (
        <a href={rule.runbook} rel="noreferrer">What to do: {rule.runbook}</a>
      )}
    </section>
  );
}
