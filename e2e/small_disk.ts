/** A disk of a few megabytes that tests may fill, where this user may mount one. */

/** A file system in memory. */
export class SmallDisk {
  private constructor(
    /** Where it is mounted. */
    readonly dir: string,
  ) {}

  /** Mounts one of so many megabytes, or tells why there can be none. */
  static async mount(
    megabytes: number,
  ): Promise<{ readonly disk: SmallDisk } | { readonly disk: null; readonly reason: string }> {
    const dir = await Deno.makeTempDir({ prefix: "kilter-disk-" });
    try {
      await run("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "kilter-test", dir]);
      return { disk: new SmallDisk(dir) };
    } catch (error) {
      await Deno.remove(dir);
      return { disk: null, reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Takes all the room that is left. */
  async fill(): Promise<void> {
    const file = await Deno.open(this.#filler, { create: true, append: true });
    try {
      // Ever smaller pieces, until not one byte goes in.
      for (let bytes = 1 << 20; bytes >= 1;) {
        try {
          if (await file.write(new Uint8Array(bytes)) < bytes) bytes >>= 1;
        } catch (error) {
          if (!/No space left/.test(String(error))) throw error;
          bytes >>= 1;
        }
      }
    } finally {
      file.close();
    }
  }

  /** Gives that room back. */
  async free(): Promise<void> {
    await Deno.remove(this.#filler);
  }

  /** Takes it away with all that is on it. */
  async unmount(): Promise<void> {
    await run("umount", [this.dir]);
    await Deno.remove(this.dir);
  }

  get #filler(): string {
    return `${this.dir}/filler`;
  }
}

async function run(command: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args: [...args] }).output();
  if (!success) throw new Error(`${command}: ${new TextDecoder().decode(stderr).trim()}`);
}
