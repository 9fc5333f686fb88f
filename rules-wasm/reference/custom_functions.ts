/** The functions of the custom operators. Written by build_kernel.ts; do not edit. */
import type { CustomFunction } from "./custom_operator.ts";
import { cusum } from "../assembly/custom/cusum.ts";

/** By their number. */
export const CUSTOM_FUNCTIONS: readonly CustomFunction[] = [
  cusum,
];
