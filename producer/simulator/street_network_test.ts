import { assert, assertEquals, assertGreater } from "@std/assert";
import { MOTORWAY, StreetNetwork } from "./street_network.ts";
import { drawStreets } from "./street_plan.ts";

Deno.test("streets: every place can be reached from everywhere, by every seed", () => {
  for (const seed of [0, 1, 2, 77, 4_294_967_295]) {
    const streets = new StreetNetwork(drawStreets(59.33, 18.06, seed));
    assertGreater(streets.places.length, 50);
    for (const place of [streets.places[0], streets.places[streets.places.length - 1]]) {
      const way = streets.wayTo(place);
      for (let node = 0; node < streets.nodeCount; node++) {
        assertEquals(way[node] < 0, node === place, `seed ${seed}, node ${node} to ${place}`);
      }
    }
  }
});

Deno.test("streets: following the way ends at the place", () => {
  const streets = new StreetNetwork(drawStreets(59.33, 18.06, 1));
  const place = streets.places[10];
  const way = streets.wayTo(place);
  let node = streets.places[40];
  let edges = 0;
  for (; node !== place; edges++) {
    assert(edges < streets.edgeCount, "the way runs in a circle");
    node = streets.edgeTo[way[node]];
  }
});

Deno.test("streets: they bend gently, and motorways can be driven at their limit", () => {
  const streets = new StreetNetwork(drawStreets(59.33, 18.06, 1));
  for (let e = 0; e < streets.edgeCount; e++) {
    assertGreater(streets.length[e], 5, `edge ${e}`);
    for (let p = streets.pointStart[e]; p < streets.pointStart[e + 1] - 1; p++) {
      const step = streets.along[p + 1] - streets.along[p];
      assert(step > 0 && step < 40, `edge ${e}: ${step} m between two points`);
      if (streets.kind[e] === MOTORWAY) assertGreater(streets.bendSpeed[p], 150 / 3.6, `edge ${e}`);
    }
    const back = e ^ 1;
    assert(Math.abs(streets.length[e] - streets.length[back]) < 1e-6);
  }
});
