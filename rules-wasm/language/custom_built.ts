/** The custom operators that the kernel was built with. Written by build_kernel.ts; do not edit. */
import type { CustomBuilt } from "./custom_calls.ts";

/** By their number in the kernel. */
export const CUSTOM_BUILT: readonly CustomBuilt[] = [
  { name: "cusum", declared: "b0868e32638e3041", hash: "9e8520bed63e7354" },
];
