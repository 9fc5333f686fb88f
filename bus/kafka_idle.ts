/** Stops the Kafka client from waking up every millisecond while it has nothing to send. */

/** Prototypes that are calmed already. */
const calmed = new WeakSet<object>();

/**
 * Calms all connections of the client, given one set of connections, best before it is connected.
 *
 * The client's request queue looks at its pending requests every millisecond, also when there are
 * none (its issue 1751); that costs several percent of a core. Queued requests plan the look
 * themselves, so that a look without any can be left out.
 *
 * @returns whether it was found; if not, the client works all the same
 */
export async function calmIdleConnections(cluster: object): Promise<boolean> {
  const builder = follow(cluster, ["connectionPoolBuilder"]);
  const build = follow(builder, ["build"]);
  if (typeof build !== "function") return false;
  // Making connections does not open them yet.
  const connections: unknown = await Reflect.apply(build, builder, []);
  const prototype = prototypeOf(follow(connections, ["pool", "0", "requestQueue"]));
  if (prototype === null) return false;
  if (calmed.has(prototype)) return true;
  const schedule: unknown = Reflect.get(prototype, "scheduleCheckPendingRequests");
  if (typeof schedule !== "function") return false;
  Reflect.set(prototype, "scheduleCheckPendingRequests", function (this: object) {
    const pending: unknown = Reflect.get(this, "pending");
    if (Array.isArray(pending) && pending.length === 0) return;
    Reflect.apply(schedule, this, []);
  });
  calmed.add(prototype);
  return true;
}

function follow(start: unknown, path: readonly string[]): unknown {
  let value = start;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return null;
    value = Reflect.get(value, key);
  }
  return value;
}

function prototypeOf(value: unknown): object | null {
  if (typeof value !== "object" || value === null) return null;
  const prototype: unknown = Object.getPrototypeOf(value);
  return typeof prototype === "object" ? prototype : null;
}
