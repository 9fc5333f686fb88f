import { assertEquals } from "@std/assert";
import { find, FINDINGS_MAX } from "./search.ts";

Deno.test("search: vehicles, rules and pages by parts of their names", () => {
  const vehicles = ["", "VH-0412", "XVH-0412", "AB/9"];
  const rules = ["harsh-braking", "overspeed"];
  assertEquals(find("vh-0412", vehicles, rules).map(({ label }) => label), ["VH-0412", "XVH-0412"]);
  assertEquals(find("Harsh br", vehicles, rules)[0].href, "/rules/harsh-braking");
  assertEquals(find("ab/", vehicles, rules)[0].href, "/v/AB%2F9");
  assertEquals(find("pipe", vehicles, rules)[0].href, "/pipeline");
  assertEquals(find("nothing", vehicles, rules), []);
});

Deno.test("search: many vehicles give few findings", () => {
  const vehicles = Array.from({ length: 5000 }, (_, k) => `VH-${k}`);
  assertEquals(find("VH", vehicles, []).length, FINDINGS_MAX);
});
