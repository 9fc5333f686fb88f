/** What the host may call. Two parts: reading samples into rows, and evaluating rules over rows. */
export {
  abiVersion,
  addSignalKey,
  addTimeKey,
  addVehicleKey,
  setNames,
  start,
  startCatalog,
} from "./scan_setup";
export {
  endsAddress,
  inputAddress,
  reserveInput,
  scan,
  scanBegin,
  timesAddress,
} from "./scan";
export { freeVehicle, internVehicle, limitVehicles, vehicleId, vehicleIdLength } from "./vehicles";
export { alloc } from "./memory";
export { customArguments, customStep } from "./ops_custom";
export { planColumn, planLoad, planRoom } from "./plan";
export { addVehicles, listRecords } from "./state";
export { releaseWaiting, runLateRows } from "./run_late";
export { firedAt, runRows, runStart, runStop, runTimers, setFilter, valuesAt } from "./run";
export { markSeen, seenAt } from "./signals";
export { changeBegin, changeClear, changeEnd, changeEvaluate, changeRow } from "./change";
export {
  changeRecords,
  loadStates,
  loadVehicles,
  saveRoom,
  saveVehicles,
  silenceOrder,
} from "./portable";
export { loadWaiting, saveWaiting, saveWaitingBegin } from "./portable_waiting";
export { forgetVehicle } from "./forget";
