import { chmodSync, lstatSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { expect, it } from "vitest";
import { replaceFile, writeError } from "../../src/files/atomicFile.ts";
import { writeFileAtomically } from "../../src/files/index.ts";
import { makeDirectory } from "../../src/files/makeDirectory.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";

const files = temporaryDirectory();
const text = (name: string) => readFileSync(files.path(name), "utf8");

it("writes a new file, and replaces an old one with the same permissions", async () => {
  await writeFileAtomically(files.path("model"), "one");
  chmodSync(files.path("model"), 0o640);
  await writeFileAtomically(files.path("model"), Buffer.from("two"));
  expect(text("model")).toBe("two");
  expect(statSync(files.path("model")).mode & 0o777).toBe(0o640);
  expect(files.list()).toEqual(["model"]);
});

it("writes through a link", async () => {
  files.write("real", "old");
  symlinkSync(files.path("real"), files.path("link"));
  await writeFileAtomically(files.path("link"), "new");
  expect(text("real")).toBe("new");
  expect(text("link")).toBe("new");
});

it("says which part of the path of a new directory is a file", async () => {
  files.write("table.csv", "a");
  const reasons = ["table.csv", "table.csv/", "table.csv/sub"].map((name) =>
    files.failure(makeDirectory(files.path(name))),
  );
  expect(await Promise.all(reasons)).toMatchInlineSnapshot(`
    [
      "FILE Cannot make the directory table.csv: a file has this name.
    Choose another name, or remove the file.",
      "FILE Cannot make the directory table.csv/: a file has this name.
    Choose another name, or remove the file.",
      "FILE Cannot make the directory table.csv/sub: a part of its path is a file.
    Choose another name, or remove the file.",
    ]
  `);
});

it("creates the target of a link that does not exist yet", async () => {
  mkdirSync(files.path("elsewhere"));
  symlinkSync("elsewhere/second", files.path("first"));
  symlinkSync("../new", files.path("elsewhere/second"));
  await writeFileAtomically(files.path("first"), "created");
  expect(text("new")).toBe("created");
  for (const link of ["first", "elsewhere/second"]) {
    expect(lstatSync(files.path(link)).isSymbolicLink()).toBe(true);
    expect(text(link)).toBe("created");
  }
  expect(readdirSync(files.path("elsewhere"))).toEqual(["second"]);

  symlinkSync("none/model", files.path("lost"));
  expect(await files.failure(writeFileAtomically(files.path("lost"), ""))).toMatchInlineSnapshot(`
    "FILE Cannot write lost: there is no directory none.
    Create it first: mkdir -p none"
  `);
  expect(await files.failure(writeFileAtomically(files.path("Zoe's/model"), ""))).toMatch(/Zoe'\\''s'$/);
  expect(await files.failure(writeFileAtomically(undefined as never, ""))).toMatchInlineSnapshot(
    `"ARGUMENT the path of a file is not a string: expected a path, such as "model.safetensors", received nothing."`,
  );
  const missing = Object.assign(new Error("ENOENT"), { code: "ENOENT", syscall: "open" });
  expect(String(writeError(missing, files.path("x.csv")))).toMatch("no file can be created in");
  symlinkSync("circle", files.path("circle"));
  expect(await files.failure(writeFileAtomically(files.path("circle"), ""))).toMatchInlineSnapshot(`
    "FILE Cannot write circle: its symbolic links form a loop.
    Remove the link, or give another file name."
  `);
});

it("keeps the old file and no temporary file if writing fails", async () => {
  files.write("kept", "old");
  const before = files.list();
  const writing = replaceFile(files.path("kept"), async (temporary) => {
    expect(files.list()).toHaveLength(before.length + 1);
    await writeFileAtomically(temporary, "half");
    throw new Error("stopped");
  });
  await expect(writing).rejects.toThrow("stopped");
  expect(text("kept")).toBe("old");
  expect(files.list()).toEqual(before);
});

it("throws an error with the reason before any work is done", async () => {
  mkdirSync(files.path("folder"));
  const work = async () => expect.unreachable();
  expect(await files.failure(replaceFile(files.path("none/model"), work))).toMatchInlineSnapshot(`
    "FILE Cannot write none/model: there is no directory none.
    Create it first: mkdir -p none"
  `);
  expect(await files.failure(replaceFile(files.path("folder"), work))).toMatchInlineSnapshot(`
    "FILE Cannot write folder: expected the path of a regular file, received a directory.
    Give a file name."
  `);
  for (const name of ["none/", "real/"]) {
    expect(await files.failure(replaceFile(files.path(name), work))).toBe(
      `FILE Cannot write ${name}: expected the path of a regular file, received a directory.\nGive a file name.`,
    );
  }
  expect(await files.failure(replaceFile("/dev/null", work))).toMatchInlineSnapshot(`
    "FILE Cannot write /dev/null: expected the path of a regular file, received a device, pipe or socket.
    Give a file name."
  `);
});

it.skipIf(!process.seteuid)("throws an error if permission is denied for a directory or a file", async () => {
  for (const name of ["locked", "open"]) mkdirSync(files.path(name));
  files.write("open/model", "old");
  chmodSync(files.path("open/model"), 0o444);
  chmodSync(files.path("open"), 0o777);
  chmodSync(files.path("locked"), 0o555);
  chmodSync(files.path("."), 0o755);
  const user = process.geteuid!();
  // Nothing is denied to root.
  if (user === 0) process.seteuid!(65534);
  try {
    const denied = await files.failure(writeFileAtomically(files.path("locked/model"), "new"));
    expect(denied).toMatchInlineSnapshot(`
      "FILE Cannot write locked/model: permission denied.
      Choose another path, or change the permissions of the file and its directory."
    `);
    const readOnly = await files.failure(
      replaceFile(files.path("open/model"), async () => expect.unreachable()),
    );
    expect(readOnly).toBe(denied.replace("locked", "open"));
  } finally {
    if (user === 0) process.seteuid!(user);
    chmodSync(files.path("locked"), 0o755);
  }
  expect(text("open/model")).toBe("old");
});

it("has the same messages for errors of Node and of DuckDB with the same cause", async () => {
  const system = (code: string) => Object.assign(new Error(`${code}: write`), { code, syscall: "write" });
  const told = (error: Error) => files.failure(() => Promise.reject(writeError(error, "out/x.csv")));
  expect(await told(system("ENOSPC"))).toMatchInlineSnapshot(`
    "FILE Cannot write out/x.csv: the disk is full.
    Free some space, or write to another disk. If the file existed, it is unchanged."
  `);
  expect(await told(system("EROFS"))).toMatchInlineSnapshot(`
    "FILE Cannot write out/x.csv: the file system is read-only.
    Choose another path."
  `);
  expect(await told(system("EIO"))).toMatchInlineSnapshot(`
    "FILE Cannot write out/x.csv: EIO: write.
    Choose another path, or remove the cause and run the command again."
  `);
  const full = new Error('IO Error: Could not write file "/tmp/x": No space left on device');
  expect(await told(full)).toBe(await told(system("ENOSPC")));
  const denied = new Error('IO Error: Cannot open file "/tmp/x": Permission denied');
  expect(await told(denied)).toBe(await told(system("EACCES")));
  const foreign = new Error("of the content");
  expect(writeError(foreign, "x")).toBe(foreign);
});
