/** A bump allocator over the kernel's memory: regions are set up once and never freed. */

let top: usize = 0;

/**
 * Reserves `bytes` at a multiple of `align` (a power of two), zeroed, growing memory as needed.
 *
 * Never called while rows are scanned or evaluated: growing detaches the host's views.
 */
export function alloc(bytes: u32, align: u32): usize {
  if (top == 0) top = __heap_base;
  const mask = <u64>align - 1;
  const start = (<u64>top + mask) & ~mask;
  const end = start + bytes;
  const pages = <i32>((end + 0xffff) >> 16);
  const have = memory.size();
  if (pages > have && memory.grow(pages - have) < 0) unreachable();
  top = <usize>end;
  return <usize>start;
}
