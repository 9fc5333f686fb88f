/** Versions of the rules in words. */
import type { RuleChangeView, VersionView } from "../contract/views.ts";
import { counted, formatDateTime, ruleTitle } from "./format.ts";
import { Name } from "./Name.tsx";

/** A version's name, cut short; the whole of it on hovering. */
export function VersionName(props: { version: string }) {
  return <code title={props.version}>{props.version.slice(0, 8)}</code>;
}

/** Where a version came from, in words. */
const SOURCE_WORDS: Readonly<Record<VersionView["source"], string>> = {
  file: "from the file",
  api: "over HTTP",
  rollback: "by going back",
};

/** When a version came, from whom, and why. */
export function VersionLine(props: { view: VersionView; zone: string }) {
  const { view, zone } = props;
  return (
    <>
      <time>{formatDateTime(view.time, zone)}</time> {SOURCE_WORDS[view.source]}
      {view.author !== view.source && (
        <>
          {" "}by <Name text={view.author} />
        </>
      )}
      {view.message !== "" && (
        <>
          :{" "}
          <q dir="auto">
            <Name text={view.message} />
          </q>
        </>
      )}
    </>
  );
}

/** What a version changed, each rule a link. */
export function ChangeWords(props: { change: RuleChangeView | null; first: boolean }) {
  const { change, first } = props;
  if (change === null) return <>{first ? "the first" : "not to be told any more"}</>;
  const parts = [
    ["changed", change.changed],
    ["added", change.added],
    ["removed", change.removed],
  ] as const;
  const told = parts.filter(([, ids]) => ids.length > 0);
  if (told.length === 0 && !change.settings) return <>texts only</>;
  return (
    <>
      {told.map(([word, ids], k) => (
        <span key={word}>
          {k > 0 && "; "}
          {counted(ids.length, "rule")} {word}: {ids.map((id, k) => (
            <span key={id}>
              {k > 0 && ", "}
              <a href={`/rules/${encodeURIComponent(id)}`}>
                <Name text={ruleTitle(id)} />
              </a>
            </span>
          ))}
        </span>
      ))}
      {change.settings && `${told.length > 0 ? "; " : ""}settings, catalog or zones`}
    </>
  );
}
