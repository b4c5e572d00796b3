import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { PushforwardError } from "../check/index.ts";
import { isInside } from "./isInside.ts";

/** Directories outside of which no file is read or written, whatever a path or a symbolic link says. */
export class AllowedDirectories {
  /** Their paths without symbolic links. */
  private readonly directories: readonly string[];
  /** The files that calls are writing. */
  private readonly reserved: Set<string>;
  /** The reserved paths that `newFile` of this object returned. `reserving` frees them. */
  private readonly own: string[] = [];

  private constructor(directories: readonly string[], reserved = new Set<string>()) {
    this.directories = directories;
    this.reserved = reserved;
  }

  /** Throws `FILE` for a path that is not a directory. */
  static async open(paths: readonly string[]): Promise<AllowedDirectories> {
    const directories: string[] = [];
    for (const path of paths) {
      const real = await realpath(path).catch(() => undefined);
      if (real === undefined || !(await stat(real)).isDirectory()) {
        throw new PushforwardError("FILE", `${path} is not a directory`, {
          hint: "Give the directories with the tables and models.",
        });
      }
      directories.push(real);
    }
    return new AllowedDirectories(directories);
  }

  /** Runs a call. The names that it gets from `newFile` are reserved until it ends, so that no call at the same time can write these files. */
  async reserving<T>(call: (directories: AllowedDirectories) => Promise<T>): Promise<T> {
    const directories = new AllowedDirectories(this.directories, this.reserved);
    try {
      return await call(directories);
    } finally {
      for (const path of directories.own) this.reserved.delete(path);
    }
  }

  get names(): string {
    return this.directories.join(", ");
  }

  /**
   * The path, without symbolic links, of a file that exists. A relative path is one in any of the directories.
   *
   * @throws FILE if there is none. The error does not tell whether there is one outside the directories.
   */
  async existingFile(path: string): Promise<string> {
    for (const directory of this.directories) {
      const real = await realpath(resolve(directory, path)).catch(() => undefined);
      if (real !== undefined && this.contain(real) && (await stat(real)).isFile()) return real;
    }
    throw new PushforwardError("FILE", `There is no file ${path}`, {
      expected: `a file in ${this.names}`,
      hint: "Give its path in the directory. Patterns and queries are not allowed.",
    });
  }

  /**
   * The path, without symbolic links, of a file to write. A relative path is one in the first directory.
   *
   * With `isContinued`, the file may exist if it has a checkpoint beside it: a training run that the time limit ended writes both.
   *
   * @throws FILE if its directory is not in the directories, or if the name is taken, even by a link to a file that does not exist
   *   or by a call that runs at the same time (`reserving`).
   */
  async newFile(path: string, { isContinued = false } = {}): Promise<string> {
    const asked = resolve(this.directories[0]!, path);
    const directory = await realpath(dirname(asked)).catch(() => undefined);
    if (directory === undefined || !this.contain(directory)) {
      throw new PushforwardError("FILE", `${path} cannot be written`, {
        expected: `a file in ${this.names}, or in a directory that exists there`,
        hint: "Give a path in the directory.",
      });
    }
    const name = basename(asked);
    const entries = await readdir(directory, { withFileTypes: true });
    // A training run also writes NAME.checkpoint and NAME.lock, which must not be links to files outside of the directories.
    // Tables that tools write have an ending, and so are no checkpoints.
    const isCheckpoint = (other: string) =>
      other.startsWith(name) && /^\.checkpoint(-[\w-]+)?$/.test(other.slice(name.length));
    const mayExist = isContinued && entries.some((entry) => isCheckpoint(entry.name));
    const conflict = entries.find(
      (entry) =>
        (entry.name === name && !(mayExist && entry.isFile())) ||
        (entry.name.startsWith(`${name}.`) && entry.isSymbolicLink()),
    );
    if (conflict) {
      throw new PushforwardError(
        "FILE",
        `${path} cannot be written, because ${conflict.name} exists already`,
        {
          hint: "Choose another name.",
        },
      );
    }
    const file = join(directory, name);
    if (this.reserved.has(file)) {
      throw new PushforwardError("FILE", `${path} cannot be written, because another call is writing it`, {
        hint: "Choose another name, or wait until the call has ended.",
      });
    }
    this.reserved.add(file);
    this.own.push(file);
    return file;
  }

  private contain(real: string): boolean {
    return this.directories.some((directory) => isInside(real, directory));
  }
}
