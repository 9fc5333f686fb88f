/** Text from outside as it may be shown: what cannot be seen, or turns text about, is written out. */

/**
 * Characters without a picture of their own: controls, formats (zero width, direction), lone
 * surrogates, separators of lines, fillers, and what only changes the character before it.
 */
const HIDDEN =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\u{e0000}-\u{e0fff}]/u;
const HIDDEN_ALL = new RegExp(HIDDEN, "gu");
/** More marks over one letter than any script stacks. */
const STACKED = /(\p{M}{4})(\p{M}+)/gu;
/** Joined pictures: the joiner and the selector belong to them. */
const JOINER_AFTER = /^(?:\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)$/u;
const PICTURE = /^\p{Extended_Pictographic}/u;

/**
 * The text with hidden characters written out as `<U+202E>`; joined emoji stay whole.
 *
 * @param lines whether line feeds are kept as such
 */
export function visibleText(text: string, lines = false): string {
  const calm = text.replace(STACKED, (_, kept: string, more: string) => kept + written(more));
  if (!HIDDEN.test(calm)) return calm;
  return calm.replace(HIDDEN_ALL, (hidden, at: number) => {
    if (lines && hidden === "\n") return hidden;
    const before = Array.from(calm.slice(Math.max(0, at - 2), at)).at(-1) ?? "";
    if (hidden === "\u200d") {
      const joins = JOINER_AFTER.test(before) && PICTURE.test(calm.slice(at + 1, at + 3));
      return joins ? hidden : written(hidden);
    }
    if (hidden === "\ufe0f" && PICTURE.test(before)) return hidden;
    return written(hidden);
  });
}

/** The same for text without markup around it: its direction ends where it ends. */
export function isolatedText(text: string): string {
  const visible = visibleText(text);
  return /^[\x20-\x7e]*$/.test(visible) ? visible : `\u2068${visible}\u2069`;
}

function written(text: string): string {
  return Array.from(text, (char) => {
    const code = (char.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    return `<U+${code}>`;
  }).join("");
}
