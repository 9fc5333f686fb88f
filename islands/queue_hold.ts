/** What a list shows that must not move under someone's hand. */
import type { AnomalyView } from "../contract/views.ts";

/** A card of the queue. */
export interface Card {
  readonly anomaly: AnomalyView;
  /** It has left the list meanwhile and stays only so that nothing moves. */
  readonly gone: boolean;
}

/** The list as shown. */
export interface HeldList {
  readonly cards: readonly Card[];
  /** Anomalies that will come in once the list is let go. */
  readonly waiting: number;
}

/**
 * The list to show now.
 *
 * @param before what was shown
 * @param list what would be shown if nobody held it
 * @param held whether the pointer, the focus or a scrolled position holds it
 * @param latest the newest state of an anomaly that has left the list; undefined if not known
 */
export function holdList(
  before: HeldList,
  list: readonly AnomalyView[],
  held: boolean,
  latest: (id: string) => AnomalyView | undefined = () => undefined,
): HeldList {
  if (!held || before.cards.length === 0) {
    return { cards: list.map((anomaly) => ({ anomaly, gone: false })), waiting: 0 };
  }
  const byId = new Map(list.map((anomaly) => [anomaly.id, anomaly]));
  const shown = new Set<string>();
  const cards = before.cards.map((card): Card => {
    const { id } = card.anomaly;
    shown.add(id);
    const now = byId.get(id);
    if (now !== undefined) return { anomaly: now, gone: false };
    return { anomaly: latest(id) ?? card.anomaly, gone: true };
  });
  return { cards, waiting: list.reduce((count, { id }) => count + (shown.has(id) ? 0 : 1), 0) };
}
