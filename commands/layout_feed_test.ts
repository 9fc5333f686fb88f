import { assertEquals, assertStringIncludes } from "@std/assert";
import type { OperationalEvent } from "../contract/events.ts";
import { until } from "../server/test_support.ts";
import { sleep } from "./agents.ts";
import { readCatalog, SHIPPED } from "./files.ts";
import { LayoutFeed } from "./layout_feed.ts";

Deno.test("layout feed: a change is taken, a wrong one is told and changes nothing", async () => {
  const dir = await Deno.makeTempDir();
  const path = `${dir}/dashboard.yaml`;
  const shipped = await Deno.readTextFile(SHIPPED.dashboard);
  await Deno.writeTextFile(path, shipped);
  const events: OperationalEvent[] = [];
  const layout = new LayoutFeed(path, readCatalog(""), (event) => events.push(event));
  const stop = new AbortController();
  const following = layout.follow(stop.signal, sleep);
  let changes = 0;
  const unsubscribe = layout.onChange(() => changes++);
  try {
    await Deno.writeTextFile(path, shipped.replace("tiles: [moving,", "tiles: [vehicles, moving,"));
    await until("the change is taken", () => changes === 1);
    assertEquals(layout.current().tiles[0], { kind: "own", name: "vehicles" });
    await Deno.writeTextFile(path, shipped.replace("  - fuel", "  - fule"));
    await until("the fault is told", () => events.some(({ level }) => level === "error"));
    const told = events.find(({ level }) => level === "error")?.message ?? "";
    assertStringIncludes(told, 'Cannot find a signal named "fule"');
    assertStringIncludes(told, 'did you mean "fuel"?');
    assertEquals(layout.current().tiles[0], { kind: "own", name: "vehicles" });
    // Editors put a new file in the place of the old one.
    await Deno.writeTextFile(`${path}.new`, shipped);
    await Deno.rename(`${path}.new`, path);
    await until("the mended file is taken", () => changes === 2);
    assertEquals(layout.current().tiles[0], { kind: "own", name: "moving" });
  } finally {
    unsubscribe();
    stop.abort();
    await following;
    await Deno.remove(dir, { recursive: true });
  }
});
