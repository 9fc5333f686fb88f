/** A name or message from outside: kept to its own direction, hidden characters written out. */
import { visibleText } from "./visible_text.ts";

/** The text, isolated from what stands around it. */
export function Name(props: { text: string }) {
  return <bdi>{visibleText(props.text)}</bdi>;
}
