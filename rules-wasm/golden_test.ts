/** Nothing of the language is without a golden trace: it keeps both engines from being wrong together. */
import { assert, assertEquals } from "@std/assert";
import { ALL_FUNCTIONS } from "./language/function_table.ts";
import { RULE_KEYS } from "./language/rule_entry.ts";
import { SETTING_KEYS } from "./language/rule_settings.ts";

/** What the golden traces of this room say that they show, with the tests that do. */
function shownByTests(): Map<string, string[]> {
  const shown = new Map<string, string[]>();
  for (const { name } of Deno.readDirSync(new URL("./", import.meta.url))) {
    if (!/^engine_\w+_test\.ts$/.test(name)) continue;
    const source = Deno.readTextFileSync(new URL(name, import.meta.url));
    for (const [, list, what] of source.matchAll(/^golden\(\s*\[([^\]]*)\],\s*"([^"]*)"/gm)) {
      for (const [, each] of list.matchAll(/"([^"]+)"/g)) {
        shown.set(each, [...shown.get(each) ?? [], `${name}: ${what}`]);
      }
    }
  }
  return shown;
}

Deno.test("golden traces: every function, key and setting of the language has at least one", () => {
  const shown = shownByTests();
  const functions = [...ALL_FUNCTIONS.values()];
  const known = [
    ...functions.map(({ name }) => `${name}()`),
    ...RULE_KEYS.map((key) => `${key}:`),
    ...SETTING_KEYS.map((key) => `settings.${key}`),
  ];
  assert(functions.length >= 25, "the table of functions is not what this test takes it for");
  assertEquals(known.filter((each) => !shown.has(each)), [], "without a golden trace");
  assertEquals(
    [...shown.keys()].filter((each) => !known.includes(each)),
    [],
    "not of the language",
  );
});
