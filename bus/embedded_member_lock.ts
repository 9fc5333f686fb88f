/**
 * Files that tell a dead member from a silent one: each member keeps one locked while its thread
 * lives, and the kernel lets go of it however that ends.
 */

/** Folder of the files, beside the bus. */
const FOLDER = "members";
/** Tries to make a file that nobody who cleans up takes away before it is locked. */
const TRIES = 3;

/** A member's own file. */
export class MemberLock {
  readonly #path: string;
  readonly #file: Deno.FsFile;

  private constructor(path: string, file: Deno.FsFile) {
    this.#path = path;
    this.#file = file;
  }

  /**
   * Makes and locks the file of a member, and removes what dead ones left.
   *
   * @param known members whose files their groups have yet to look at
   * @throws {Error} if the folder takes no file
   */
  static take(dir: string, memberId: string, known: ReadonlySet<string>): MemberLock {
    const folder = `${dir}/${FOLDER}`;
    Deno.mkdirSync(folder, { recursive: true });
    for (const { name } of Deno.readDirSync(folder)) if (!known.has(name)) isDead(dir, name);
    const path = `${folder}/${memberId}`;
    for (let tries = 1; tries <= TRIES; tries++) {
      const file = Deno.openSync(path, { read: true, write: true, create: true });
      if (file.tryLockSync(true) && exists(path)) return new MemberLock(path, file);
      file.close();
    }
    throw new Error(`Cannot lock ${path}: others take it away`);
  }

  /** Lets go of the file and removes it. */
  release(): void {
    removeIfThere(this.#path);
    this.#file.close();
  }
}

/**
 * Whether a member's thread has ended without leaving; its file is removed then. A member without a
 * file counts as alive: how long it is silent decides.
 */
export function isDead(dir: string, memberId: string): boolean {
  const path = `${dir}/${FOLDER}/${memberId}`;
  let file: Deno.FsFile;
  try {
    file = Deno.openSync(path, { read: true, write: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
  try {
    if (!file.tryLockSync(true)) return false;
    removeIfThere(path);
    return true;
  } finally {
    file.close();
  }
}

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
