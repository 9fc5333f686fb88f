/**
 * Kafka's default partitioner: murmur2 of the key, made positive, modulo the partitions.
 *
 * Both buses place a key by it, so that a vehicle's partition is the same on either.
 */

const M = 0x5bd1e995;
const SEED = 0x9747b28c;

/**
 * Murmur2 of a key as Kafka's Java client computes it.
 *
 * Source: Austin Appleby's MurmurHash2 with Kafka's seed; bytes beyond the last whole word count as
 * one more word.
 *
 * @returns a signed 32-bit integer
 */
export function murmur2(key: Uint8Array): number {
  const length = key.length;
  let hash = SEED ^ length;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    let k = key[i] | (key[i + 1] << 8) | (key[i + 2] << 16) | (key[i + 3] << 24);
    k = Math.imul(k, M);
    k ^= k >>> 24;
    hash = Math.imul(hash, M) ^ Math.imul(k, M);
  }
  if (whole < length) {
    let rest = 0;
    for (let i = length - 1; i >= whole; i--) rest = (rest << 8) | key[i];
    hash = Math.imul(hash ^ rest, M);
  }
  hash ^= hash >>> 13;
  hash = Math.imul(hash, M);
  hash ^= hash >>> 15;
  return hash | 0;
}

/**
 * Partition of a key among `partitions`, as Kafka's default partitioner places it.
 *
 * @param partitions at least 1
 */
export function murmur2Partition(key: Uint8Array, partitions: number): number {
  return (murmur2(key) & 0x7fffffff) % partitions;
}
