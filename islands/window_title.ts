/** The window's title: how many criticals are open, then the page. */
import { formatCount } from "./format.ts";
import { isolatedText } from "./visible_text.ts";

/** `(2) Live · Kilter`; without the number while none is open. */
export function windowTitle(page: string, critical: number): string {
  const badge = critical > 0 ? `(${formatCount(critical)}) ` : "";
  return `${badge}${isolatedText(page)} · Kilter`;
}
