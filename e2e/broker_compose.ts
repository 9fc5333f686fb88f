/** The broker of `docker-compose.yml`, started for tests. */
import type { TestBroker } from "./broker.ts";

const PROJECT = "kilter-test";
/** Where the compose file publishes the broker on the host. */
const ADDRESS = "127.0.0.1:9094";

/**
 * Starts the compose file's broker under a project name of its own and waits until it is healthy.
 *
 * @throws if Docker cannot be used here
 */
export async function startComposeBroker(): Promise<TestBroker> {
  await docker(["info"]);
  const file = new URL("../docker-compose.yml", import.meta.url).pathname;
  const compose = ["compose", "-p", PROJECT, "-f", file];
  await docker([...compose, "up", "-d", "--wait", "kafka"]);
  return {
    brokers: [ADDRESS],
    version: "",
    stop: () => docker([...compose, "down", "-v"]),
    kill: null,
    revive: null,
  };
}

async function docker(args: string[]): Promise<void> {
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command("docker", {
      args,
      // Compose reads the whole file, Kilter's own service included.
      env: { KILTER_TOKEN: "unused-by-tests" },
      stdout: "piped",
      stderr: "piped",
    }).output();
  } catch (error) {
    throw new Error(
      `cannot run docker: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  if (output.success) return;
  const text = new TextDecoder().decode(output.stderr).trim().slice(-500);
  throw new Error(`docker ${args[0]} failed: ${text}`);
}
