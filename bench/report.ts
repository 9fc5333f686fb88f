/** How figures are printed, and when they are not. */
import process from "node:process";
import { say, writeData } from "../commands/output.ts";
import { isNoisy, type Ratio, type Timing } from "./measure.ts";

/** Measurements of one row, at most, until the machine was quiet. */
const TRIES = 4;

/** Writes a line of the report. */
export function print(line = ""): void {
  writeData(`${line}\n`);
}

/** Samples a second, with thousands separated. */
export function perSecond(samples: number, ms: number): string {
  return Math.round(samples / ms * 1000).toLocaleString("en");
}

/** "1.23 times (1.20-1.30, aim 7)" */
export function times({ median, least, most }: Ratio, aim = ""): string {
  const limits = `${least.toFixed(2)}-${most.toFixed(2)}`;
  return `${median.toFixed(2)} times (${limits}${aim === "" ? "" : `, aim ${aim}`})`;
}

/** Rates of one side: by processor time of its process, and by the clock. */
export function rates(name: string, samples: number, { wallMs, cpuMs }: Timing): string {
  return `${name} ${perSecond(samples, cpuMs)} samples a CPU-second ` +
    `(${perSecond(samples, wallMs)} a second)`;
}

/** Most memory that this process has had resident, megabytes. */
export function peakMegabytes(): number {
  // Kilobytes on Linux and macOS alike under Deno.
  return Math.round(process.resourceUsage().maxRSS / 1000);
}

/**
 * Prints a row once the machine was quiet enough for it.
 *
 * @returns whether there is a figure
 */
export async function steadyRow<Row>(
  name: string,
  measure: () => Promise<Row>,
  ratioOf: (row: Row) => Ratio,
  text: (row: Row) => string,
): Promise<boolean> {
  try {
    let row = await measure();
    for (let tries = 1; tries < TRIES && isNoisy(ratioOf(row)); tries++) row = await measure();
    const { aa } = ratioOf(row);
    if (isNoisy(ratioOf(row))) {
      print(`  ${name} void: the machine is too noisy, A/A ${aa.toFixed(3)}`);
      return false;
    }
    print(`  ${name} ${text(row)}, A/A ${aa.toFixed(3)}`);
    return true;
  } catch (error) {
    say(error instanceof Error ? error.message : String(error));
    return false;
  }
}
