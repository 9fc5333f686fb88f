/** `/rules`: the rules in force, what each has found, and their versions. */
import { RulesMain } from "../../islands/RulesMain.tsx";
import { renderDocument } from "./document.tsx";
import { shellProps } from "./embed.ts";
import type { RulesPage } from "./model.ts";

/** Draws the page of rules. */
export function renderRules(page: RulesPage): string {
  const { version, versions, versionsTotal, pipeline } = page;
  // Texts stand on each rule's own page.
  const rules = page.rules.map((rule) => ({ ...rule, source: "" }));
  const embedded = { version, rules, versions, versionsTotal };
  return renderDocument({
    shell: shellProps(page, { title: "Rules", pipeline }),
    place: "/rules",
    script: "rules.js",
    page: embedded,
    signedIn: page.signedIn,
    main: (store) => <RulesMain store={store} page={embedded} />,
  });
}
