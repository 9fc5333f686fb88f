/** `/v/:id`: one vehicle over time. */
import { VehicleMain } from "../../islands/VehicleMain.tsx";
import { renderDocument } from "./document.tsx";
import { shellProps } from "./embed.ts";
import type { VehiclePage } from "./model.ts";

/** Draws the page of a vehicle. */
export function renderVehicle(page: VehiclePage): string {
  const { vehicle, anomalies, series, trail, from, to, at } = page;
  const signals = page.signals.filter(({ name }) => name in vehicle.signals);
  const embedded = {
    vehicle,
    anomalies: anomalies.anomalies,
    series: series.map(({ signal, unit, t, v }) => ({ signal, unit, t, v })),
    trail,
    from,
    to,
    at,
    signals,
  };
  return renderDocument({
    shell: shellProps(page, { title: vehicle.id, vehicles: [vehicle], anomalies }),
    place: "",
    script: "vehicle.js",
    page: embedded,
    signedIn: page.signedIn,
    main: (store) => <VehicleMain store={store} page={embedded} />,
  });
}
