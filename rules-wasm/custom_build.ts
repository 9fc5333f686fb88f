/** Checks the custom operators and writes the files that the build makes of them. */
import { CustomOperatorError, type CustomSource, readCustomSource } from "./custom_source.ts";
import { declarationHash } from "./language/custom_calls.ts";
import type { CustomArgument, CustomOperator, CustomUnit } from "./language/custom_operators.ts";
import { FUNCTIONS } from "./language/functions.ts";
import { KEYWORDS } from "./language/lexer.ts";
import { textHash } from "./language/text_hash.ts";
import { parseUnit } from "./language/units.ts";

/** Most numbers that an operator may keep per vehicle and call. */
const SLOTS_MAX = 64;
/** Most arguments of an operator. */
const ARGUMENTS_MAX = 8;
/** Most letters of a name. */
const NAME_MAX = 24;

/** Words that no function may be named. */
const RESERVED = new Set(
  ("break case catch class const continue debugger default delete do else enum export extends " +
    "false finally for function if implements import in instanceof interface let new null package " +
    "private protected public return static super switch this throw true try typeof var void " +
    "while with yield await any boolean number string").split(" "),
);

/** What the build makes of the custom operators. */
export interface CustomFiles {
  /** Sources for the AssemblyScript compiler, by path under `assembly/`. */
  readonly assembly: ReadonlyMap<string, string>;
  /** Generated files, by path under `rules-wasm/`. */
  readonly generated: ReadonlyMap<string, string>;
}

/**
 * Checks the declarations by themselves.
 *
 * @throws {CustomOperatorError} with all that is wrong with them
 */
export function checkDeclarations(operators: readonly CustomOperator[]): void {
  const faults = operators.flatMap((operator, i) => {
    const say = (message: string) => `${operator.name}: ${message}`;
    const twice = operators.findIndex(({ name }) => name === operator.name) < i;
    return [
      ...twice ? [say("Cannot declare two operators of one name")] : [],
      ...declarationFaults(operator).map(say),
    ];
  });
  if (faults.length > 0) throw new CustomOperatorError(faults);
}

function declarationFaults(operator: CustomOperator): string[] {
  const { name, slots, result } = operator;
  const faults: string[] = [];
  if (FUNCTIONS.has(name)) faults.push("Cannot use the name of a function of the language");
  else if (RESERVED.has(name) || KEYWORDS.some((word) => word === name)) {
    faults.push("Cannot use a reserved word as a name");
  } else if (!/^[a-z][a-z0-9_]*$/.test(name) || name.length > NAME_MAX) {
    faults.push(
      `Cannot use it as a name: names are lower case letters, digits and _, at most ${NAME_MAX}`,
    );
  }
  if (!Number.isInteger(slots) || slots < 0 || slots > SLOTS_MAX) {
    faults.push(`Cannot keep ${slots} slots for each vehicle: 0 to ${SLOTS_MAX} are possible`);
  }
  if (operator.arguments.length > ARGUMENTS_MAX) {
    faults.push(
      `Cannot take ${operator.arguments.length} arguments: at most ${ARGUMENTS_MAX} are possible`,
    );
  }
  operator.arguments.forEach((each, i) => {
    const before = operator.arguments.slice(0, i);
    if (before.some((other) => other.name === each.name)) {
      faults.push(`Cannot declare two arguments named ${each.name}`);
    }
    if (each.kind === "number") faults.push(...unitFaults(each, each.name, before));
    if (
      each.kind === "duration" && !(Number.isInteger(each.leastMs ?? 1) && (each.leastMs ?? 1) > 0)
    ) {
      faults.push(
        `Cannot use ${each.leastMs} as leastMs of ${each.name}: it is whole milliseconds`,
      );
    }
  });
  if (result.kind === "number") faults.push(...unitFaults(result, "result", operator.arguments));
  return faults;
}

function unitFaults(
  declared: CustomUnit,
  what: string,
  before: readonly CustomArgument[],
): string[] {
  if ("unit" in declared) {
    if (declared.unit === "" || declared.unit === "any" && what !== "result") return [];
    const read = parseUnit(declared.unit);
    return read.ok ? [] : [`Cannot read the unit of ${what}: ${read.message}; ${read.suggestion}`];
  }
  const name = "like" in declared ? declared.like : declared.differenceOf;
  if (before.some((each) => each.name === name && each.kind === "number")) return [];
  return [`Cannot measure ${what} as ${name}: there is no number of that name before it`];
}

/**
 * Makes what the kernel and the reference need of the operators.
 *
 * @param sources text of each operator's file by its name, of every file in `assembly/custom/`
 * @throws {CustomOperatorError} with all that is wrong
 */
export function customFiles(
  operators: readonly CustomOperator[],
  sources: ReadonlyMap<string, string>,
): CustomFiles {
  checkDeclarations(operators);
  const faults = [...sources.keys()].filter((name) => operators.every((each) => each.name !== name))
    .map((name) => `custom/${name}.ts: Cannot build it: CUSTOM_OPERATORS does not declare ${name}`);
  const read = new Map<string, CustomSource>();
  for (const operator of operators) {
    const source = sources.get(operator.name);
    if (source === undefined) {
      faults.push(
        `${operator.name}: Cannot find its file rules-wasm/assembly/custom/${operator.name}.ts`,
      );
      continue;
    }
    try {
      read.set(operator.name, readCustomSource(operator, source));
    } catch (error) {
      if (!(error instanceof CustomOperatorError)) throw error;
      faults.push(...error.faults);
    }
  }
  if (faults.length > 0) throw new CustomOperatorError(faults);
  const assembly = new Map([...read].map(([name, each]) => [`custom/${name}.ts`, each.assembly]));
  return {
    assembly,
    generated: new Map([
      ["assembly/custom_dispatch.ts", dispatchText(operators)],
      ["reference/custom_functions.ts", functionsText(operators)],
      ["language/custom_built.ts", builtText(operators, read)],
    ]),
  };
}

const GENERATED = "Written by build_kernel.ts; do not edit.";

/** The kernel's calls. */
function dispatchText(operators: readonly CustomOperator[]): string {
  const imports = operators.map(({ name }, i) =>
    `import { ${name} as custom${i} } from "./custom/${name}";\n`
  );
  const cases = operators.map((operator, i) => {
    const values = ["slots", "t", ...operator.arguments.map((_, n) => `argument(${n})`)];
    return `    case ${i}:\n      return custom${i}(${values.join(", ")});\n`;
  });
  return `/** Calls custom operators by their number. ${GENERATED} */
import { argument, Slots } from "./slots_kernel";
${imports.join("")}
export function callCustom(operator: i32, slots: Slots, t: f64): f64 {
  switch (operator) {
${cases.join("")}    default:
      return NaN;
  }
}
`;
}

/** The reference's calls. */
function functionsText(operators: readonly CustomOperator[]): string {
  const imports = operators.map(({ name }) =>
    `import { ${name} } from ${JSON.stringify(`../assembly/custom/${name}.ts`)};\n`
  );
  return `/** The functions of the custom operators. ${GENERATED} */
import type { CustomFunction } from "./custom_operator.ts";
${imports.join("")}
/** By their number. */
export const CUSTOM_FUNCTIONS: readonly CustomFunction[] = ${list(operators.map((o) => o.name))};
`;
}

/** What the language knows of the build. */
function builtText(
  operators: readonly CustomOperator[],
  read: ReadonlyMap<string, CustomSource>,
): string {
  const rows = operators.map((operator) => {
    const declared = declarationHash(operator);
    const hash = textHash(`${declared} ${read.get(operator.name)?.meaning ?? ""}`);
    return `{ name: "${operator.name}", declared: "${declared}", hash: "${hash}" }`;
  });
  return `/** The custom operators that the kernel was built with. ${GENERATED} */
import type { CustomBuilt } from "./custom_calls.ts";

/** By their number in the kernel. */
export const CUSTOM_BUILT: readonly CustomBuilt[] = ${list(rows)};
`;
}

function list(items: readonly string[]): string {
  return items.length === 0 ? "[]" : `[\n${items.map((item) => `  ${item},\n`).join("")}]`;
}
