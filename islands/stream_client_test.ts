import { assertEquals } from "@std/assert";
import {
  type EventSourceLike,
  type LinkStatus,
  StreamClient,
  WATCHDOG_MS,
} from "./stream_client.ts";

class FakeSource implements EventSourceLike {
  closed = false;
  readonly #listeners = new Map<string, (event: Event) => void>();
  constructor(readonly url: string) {}
  addEventListener(name: string, listener: (event: Event) => void): void {
    this.#listeners.set(name, listener);
  }
  close(): void {
    this.closed = true;
  }
  say(name: string, data: string, lastEventId = ""): void {
    this.#listeners.get(name)?.(new MessageEvent(name, { data, lastEventId }));
  }
  answer(): void {
    this.#listeners.get("open")?.(new Event("open"));
  }
  fail(): void {
    this.#listeners.get("error")?.(new Event("error"));
  }
}

function setUp() {
  const sources: FakeSource[] = [];
  const heard: string[] = [];
  const phases: LinkStatus["phase"][] = [];
  const clock = { now: 1000 };
  const client = new StreamClient({
    open: (url) => {
      const source = new FakeSource(url);
      sources.push(source);
      return source;
    },
    now: () => clock.now,
    random: () => 0,
    onEvent: (name, text) => heard.push(`${name} ${text}`),
    onStatus: ({ phase }) => phases.push(phase),
  });
  const newest = () => sources[sources.length - 1];
  return { client, sources, heard, phases, clock, newest };
}

Deno.test("stream_client: silence beyond the watchdog is a loss, and a new try at once", () => {
  const { client, sources, heard, phases, clock, newest } = setUp();
  client.watch();
  assertEquals(sources.length, 1);
  newest().say("hello", "{}", "e-7");
  assertEquals(phases, ["open"]);
  clock.now += WATCHDOG_MS;
  client.watch();
  assertEquals(sources.length, 1);
  clock.now += 1;
  client.watch();
  assertEquals([sources.length, sources[0].closed], [2, true]);
  assertEquals(phases, ["open", "lost"]);
  sources[0].say("fleet", "of the dead connection");
  newest().say("hello", "{}", "e-9");
  assertEquals(heard, ["hello {}", "hello {}"]);
  assertEquals(phases, ["open", "lost", "open"]);
});

Deno.test("stream_client: a reconnect names the last id, and forgets it on a reset", () => {
  const { client, clock, newest } = setUp();
  client.watch();
  assertEquals(newest().url, "/api/stream");
  newest().say("anomaly", "{}", "e-12");
  clock.now += WATCHDOG_MS + 1;
  client.watch();
  assertEquals(newest().url, "/api/stream?last=e-12");
  newest().say("reset", "{}");
  client.restart();
  assertEquals(newest().url, "/api/stream");
});

Deno.test("stream_client: after an error it waits a little, then tries for ever", () => {
  const { client, sources, clock, newest } = setUp();
  client.watch();
  for (let round = 2; round <= 6; round++) {
    newest().fail();
    client.watch();
    assertEquals(sources.length, round - 1);
    clock.now += 1000;
    client.watch();
    assertEquals(sources.length, round);
  }
});

Deno.test("stream_client: no answer is tried anew soon, a begun answer gets time", () => {
  const { client, sources, clock, newest } = setUp();
  client.watch();
  const wait = (ms: number) => {
    for (const end = clock.now + ms; clock.now < end;) {
      clock.now += 250;
      client.watch();
    }
    return sources.length;
  };
  assertEquals(wait(1500), 1);
  assertEquals(wait(250), 2);
  newest().answer();
  assertEquals(wait(8000), 2);
  assertEquals(wait(250), 3);
});
