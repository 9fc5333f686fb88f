/** What a member of a group tells when its share changes, alike on every bus. */
import type { OperationalEvent } from "../contract/events.ts";

/** The event `bus.assigned`: which partitions of a topic a member of a group holds from now on. */
export function assignedEvent(
  group: string,
  topic: string,
  partitions: readonly number[],
): OperationalEvent {
  const list = [...partitions].sort((a, b) => a - b).join(", ");
  const what = partitions.length === 0
    ? "no partition"
    : `${partitions.length === 1 ? "partition" : "partitions"} ${list}`;
  return {
    level: "info",
    name: "bus.assigned",
    message: `${group} holds ${what} of ${topic} here`,
  };
}
