import { assertEquals } from "@std/assert";
import { murmur2, murmur2Partition } from "./murmur2.ts";

const encoder = new TextEncoder();

/** Values of the Java client: those of its own unit test, and of other ports checked against it. */
const KNOWN: readonly (readonly [string, number])[] = [
  ["", 275646681],
  ["21", -973932308],
  ["foobar", -790332482],
  ["a-little-bit-long-string", -985981536],
  ["a-little-bit-longer-string", -1486304829],
  ["lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971],
  ["abc", 479470107],
  ["1", -1993445489],
  ["12", 126087238],
  ["123", -267702483],
  ["1234", -1614185708],
  ["12345", -1188365604],
];

Deno.test("murmur2: gives the hashes of Kafka's Java client", () => {
  for (const [key, hash] of KNOWN) assertEquals(murmur2(encoder.encode(key)), hash, key);
});

Deno.test("murmur2: a partition is the positive hash modulo the partitions", () => {
  for (const [key, hash] of KNOWN) {
    for (const partitions of [1, 3, 8, 12]) {
      const want = Number(BigInt.asUintN(31, BigInt(hash)) % BigInt(partitions));
      assertEquals(murmur2Partition(encoder.encode(key), partitions), want, key);
    }
  }
});
