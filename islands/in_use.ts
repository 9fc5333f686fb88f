/// <reference lib="dom" />
/** Whether someone is at work on a part of the page, which then must not move. */

/** Whether the pointer, the focus or selected text is within. */
export function isInUse(box: Element): boolean {
  if (box.matches(":hover, :focus-within")) return true;
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && box.contains(selection.anchorNode);
}
