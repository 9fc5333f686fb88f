/** Which vehicles a rule is limited to. */

/**
 * Makes the test of a rule's `vehicles`: ids or globs, in which `*` stands for any text and `?` for
 * one character. No pattern admits every vehicle.
 */
export function vehicleFilter(patterns: readonly string[]): (vehicle: string) => boolean {
  if (patterns.length === 0) return () => true;
  const sources = patterns.map((pattern) =>
    [...pattern].map((letter) => {
      if (letter === "*") return "[^]*";
      return letter === "?" ? "[^]" : letter.replace(/[\\^$.+()[\]{}|/]/, "\\$&");
    }).join("")
  );
  const test = new RegExp(`^(?:${sources.join("|")})$`, "u");
  return (vehicle) => test.test(vehicle);
}
