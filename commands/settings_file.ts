/** Reads `kilter.yaml`: a flat mapping of setting names, every fault with its line and column. */
import { isMap, isScalar, isSeq, LineCounter, parseDocument } from "yaml";
import { SETTINGS, type SettingSpec } from "./settings_table.ts";
import { suggest } from "./suggest.ts";

/** A setting found in the file. */
export interface FileSetting {
  readonly spec: SettingSpec;
  readonly text: string;
  /** `file:line:column`, for faults of its value. */
  readonly place: string;
}

/** Reads the text of a settings file. */
export function readSettingsFile(
  file: string,
  content: string,
): { readonly settings: readonly FileSetting[]; readonly faults: readonly string[] } {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  const faults = document.errors.map((error) =>
    `${place(error.pos[0])}: ${firstLine(error.message)}`
  );
  const settings: FileSetting[] = [];
  if (faults.length > 0 || document.contents === null) return { settings, faults };
  if (!isMap(document.contents)) {
    return { settings, faults: [`${file}:1:1: it must be a mapping such as \`port: 8000\``] };
  }
  // A secret may stand in the file: unlike a flag it shows in no process list.
  const names = SETTINGS.map((spec) => spec.name);
  for (const { key, value } of document.contents.items) {
    if (!isScalar(key)) continue;
    const name = String(key.value);
    const at = place(key.range?.[0] ?? 0);
    const spec = SETTINGS.find((each) => each.name === name);
    if (!spec) faults.push(`${at}: ${name}: there is no such setting${suggest(name, names)}`);
    else if (isScalar(value)) {
      settings.push({ spec, text: scalarText(value.value, value.source), place: at });
    } else if (isSeq(value) && value.items.every(isScalar)) {
      const separator = spec.repeated ? "\n" : ",";
      const text = value.items.map((item) => isScalar(item) ? String(item.value) : "").join(
        separator,
      );
      settings.push({ spec, text, place: at });
    } else faults.push(`${at}: ${name}: it must be one value, or a list of them`);
  }
  return { settings, faults };
}

/** As written: `1.50` and `0x10` stay what the user typed, and the readers judge them. */
function scalarText(value: unknown, source: string | undefined): string {
  if (value === null) return "";
  return typeof value === "string" ? value : source ?? String(value);
}

function firstLine(message: string): string {
  return message.split("\n")[0].replace(/ at line \d+, column \d+:?$/, "");
}
