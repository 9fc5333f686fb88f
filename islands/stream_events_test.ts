import { assertEquals, assertThrows } from "@std/assert";
import { STREAM_EVENTS } from "../contract/stream.ts";
import { decodeEvent, isStreamEventName } from "./stream_events.ts";

Deno.test("stream_events: each event is read by its name, and only in its form", () => {
  assertEquals(decodeEvent("hello", '{"epoch":"e","now":5}'), {
    kind: "hello",
    hello: { epoch: "e", now: 5 },
  });
  assertEquals(decodeEvent("reset", "{}"), { kind: "reset" });
  for (const name of STREAM_EVENTS) {
    if (name === "reset") continue;
    for (const text of ["", "{}", "null", "[1]", '{"epoch":1}', "{"]) {
      assertThrows(() => decodeEvent(name, text), SyntaxError);
    }
  }
});

Deno.test("stream_events: names", () => {
  assertEquals(STREAM_EVENTS.every(isStreamEventName), true);
  assertEquals(isStreamEventName("constructor"), false);
});
