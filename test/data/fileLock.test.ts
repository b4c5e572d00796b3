import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { withFileLock } from "../../src/files/fileLock.ts";
import { thisProcess } from "../../src/files/processId.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();
const since = "2026-01-02T03:04:05.678Z";
const lockOf = (id: object): string => JSON.stringify({ ...thisProcess, since, ...id });
const ended = spawnSync(process.execPath, ["--version"]).pid;
const nothing = async () => expect.unreachable();

it("a lock exists while the work runs, and is removed when it ends or fails", async () => {
  const result = await withFileLock(files.path("model"), async () => {
    expect(JSON.parse(readFileSync(files.path("model.lock"), "utf8"))).toMatchObject(thisProcess);
    const second = await files.failure(withFileLock(files.path("model"), nothing));
    expect(second.replace(`${process.pid}`, "PID").replace(/\d{4}-.*Z/, "TIME")).toMatchInlineSnapshot(`
      "FILE model is being written by process PID since TIME.
      Wait until it ends, or give the output another name."
    `);
    expect(files.list()).toEqual(["model.lock"]);
    return "done";
  });
  expect(result).toBe("done");
  expect(files.list()).toEqual([]);
  const failing = withFileLock(files.path("model"), () => Promise.reject(new Error("diverged")));
  await expect(failing).rejects.toThrow("diverged");
  expect(files.list()).toEqual([]);
});

it("one of many calls takes over the lock of a process that has ended", async () => {
  files.write("stale.lock", lockOf({ pid: ended }));
  let atWork = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++atWork);
    await new Promise((resolve) => setTimeout(resolve, 200));
    atWork--;
  };
  const all = await Promise.allSettled(
    Array.from({ length: 8 }, () => withFileLock(files.path("stale"), work)),
  );
  expect(all.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  expect(most).toBe(1);
  expect(files.list()).toEqual([]);
});

it("the lock of another host or without a readable owner is not removed", async () => {
  files.write("far.lock", lockOf({ host: "node7", pid: 4711 }));
  expect(await files.failure(withFileLock(files.path("far"), nothing))).toMatchInlineSnapshot(`
    "FILE far is being written by process 4711 on node7 since 2026-01-02T03:04:05.678Z.
    Wait until it ends, or give the output another name. If this process has ended, remove its lock: rm far.lock"
  `);
  files.write("odd.lock", "");
  expect(await files.failure(withFileLock(files.path("odd"), nothing))).toMatchInlineSnapshot(`
    "FILE odd is being written by another process.
    Wait until it ends, or give the output another name. If this process has ended, remove its lock: rm odd.lock"
  `);
  expect(files.list()).toEqual(["far.lock", "odd.lock"]);
});

it("a lock that cannot be written is an error", async () => {
  mkdirSync(files.path("empty"));
  expect(await files.failure(withFileLock(files.path("none/model"), nothing))).toMatchInlineSnapshot(`
    "FILE Cannot write none/model.lock: there is no directory none.
    Create it first: mkdir -p none"
  `);
});
