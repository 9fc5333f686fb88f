/** The live page's islands, laid out. */
import { useComputed } from "@preact/signals";
import { AnomalyQueue } from "./AnomalyQueue.tsx";
import { EmptyFleet } from "./EmptyFleet.tsx";
import { FleetMap } from "./FleetMap.tsx";
import { KpiStrip } from "./KpiStrip.tsx";
import type { AppStore } from "./store.ts";
import { TableHandle } from "./TableHandle.tsx";
import { VehicleTable } from "./VehicleTable.tsx";

/** Figures, map, table and queue. */
export function LiveMain(props: { store: AppStore }) {
  const { store } = props;
  const isEmpty = useComputed(() => store.counts.value.vehicles === 0);
  const isLost = store.link.value === "lost";
  return (
    <div class={`stage${isLost ? " lost" : ""}`}>
      <KpiStrip store={store} />
      <FleetMap store={store} />
      <VehicleTable store={store} />
      <TableHandle />
      <AnomalyQueue store={store} />
      {isEmpty.value && <EmptyFleet />}
    </div>
  );
}
