/** A bump allocator over the kernel's memory: regions are set up once and never freed. */
import { E_STATE_BYTES } from "./plan_layout";

let top: usize = 0;

/**
 * Reserves `bytes` at a multiple of `align` (a power of two), zeroed, growing memory as needed.
 *
 * Growing detaches the host's views: they are made anew after every call that may come here.
 */
export function alloc(bytes: u32, align: u32): usize {
  if (top == 0) top = __heap_base;
  const mask = <u64>align - 1;
  const start = (<u64>top + mask) & ~mask;
  const end = start + bytes;
  const pages = <i32>((end + 0xffff) >> 16);
  const have = memory.size();
  // The last page stays free, so that no end lies at 2^32. The plan's limit of vehicles sees to it
  // that what vehicles keep never comes here (plan_bounds.ts).
  if (end > 0xffff0000 || (pages > have && memory.grow(pages - have) < 0)) unreachable();
  top = <usize>end;
  return <usize>start;
}

/** The same for state of vehicles, which is counted. */
export function allocState(bytes: u32, align: u32): usize {
  store<f64>(E_STATE_BYTES, load<f64>(E_STATE_BYTES) + <f64>bytes);
  return alloc(bytes, align);
}
