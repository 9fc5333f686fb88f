/** The table of bounds names counters that there are. */
import { assert, assertEquals } from "@std/assert";
import { Program, until, withFolder } from "./program.ts";

const DOCS = new URL("../docs/operating.md", import.meta.url);
const KAFKA = new URL("../bus/kafka_port.ts", import.meta.url);

/** Counters by the heading of their rows. */
async function named(): Promise<Map<string, string[]>> {
  const text = await Deno.readTextFile(DOCS);
  const table = text.slice(text.indexOf("\n## Bounds\n"), text.indexOf("\n## Memory\n"));
  const found = new Map<string, string[]>();
  let heading = "";
  for (const line of table.split("\n").filter((each) => each.startsWith("| "))) {
    const cells = line.split("|").map((cell) => cell.trim());
    heading = /^\*\*(.+)\*\*$/.exec(cells[1])?.[1] ?? heading;
    const names = [...cells[4].matchAll(/`(kilter_\w+)`/g)].map(([, name]) => name);
    found.set(heading, [...found.get(heading) ?? [], ...names]);
  }
  return found;
}

Deno.test("docs: every counter of the table of bounds is in /metrics", () =>
  withFolder(async (data) => {
    const counters = await named();
    const kafka = counters.get("Kafka") ?? [];
    const source = await Deno.readTextFile(KAFKA);
    for (const name of [...kafka, ...counters.get("Bus, both") ?? []]) {
      assert(source.includes(`${name.replace("kilter_", "")}:`), `${name} on Kafka`);
    }
    const others = [...counters].flatMap(([heading, names]) => heading === "Kafka" ? [] : names);
    assert(others.length >= 25 && kafka.length >= 2, `${others.length} and ${kafka.length}`);
    await using program = await Program.serve(["dev", "--vehicles", "20"], data);
    let missing: string[] = [];
    await until("all agents have beaten", async () => {
      const text = await (await fetch(`${program.url}/metrics`)).text();
      missing = others.filter((name) => !new RegExp(`^${name}[{ ]`, "m").test(text));
      // The figures of each agent come with its first beat.
      return !missing.some((name) => name.startsWith("kilter_agent_"));
    }, () => `${missing.join(", ")}\n${program.report()}`);
    assertEquals(missing, []);
  }));
