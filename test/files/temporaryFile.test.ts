import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, expect, inject, it } from "vitest";
import { writeFileAtomically } from "../../src/files/atomicFile.ts";
import { thisProcess } from "../../src/files/processId.ts";
import { temporaryName } from "../../src/files/temporaryFile.ts";
import { openTable } from "../../src/tables/io/index.ts";
import { temporaryDirectory } from "../data/temporaryFiles.ts";

const files = temporaryDirectory();
const atomicFile = pathToFileURL(join(inject("compiledPackage"), "dist/files/atomicFile.js")).href;

/** The name of a temporary file with another process in it. */
const nameOf = (id: Partial<typeof thisProcess>): string => {
  const { host, pid, start } = { ...thisProcess, ...id };
  return temporaryName().replace(
    `${thisProcess.host}-${thisProcess.pid}-${thisProcess.start}`,
    `${host}-${pid}-${start}`,
  );
};
/** The number of a process that has ended. */
const ended = (): number => spawnSync(process.execPath, ["--version"]).pid;

const { TMPDIR } = process.env;
afterEach(() => {
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
});

it("the next write removes the temporary files of a killed process, and not those of a running one", async () => {
  mkdirSync(files.path("out"));
  const write = `const { replaceFile } = await import(${JSON.stringify(atomicFile)});
await replaceFile(process.argv[1], async () => {
  console.log("writing");
  await new Promise((resolve) => setTimeout(resolve, 60_000));
});`;
  const words = ["--input-type=module", "-e", write, files.path("out/big.parquet")];
  const writer = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "inherit"] });
  await once(writer.stdout, "data");
  const left = readdirSync(files.path("out"));
  expect(left).toEqual([expect.stringContaining(`-${writer.pid}-`)]);

  await writeFileAtomically(files.path("out/other.csv"), "a");
  expect(readdirSync(files.path("out")).sort()).toEqual([...left, "other.csv"].sort());

  writer.kill("SIGKILL");
  await once(writer, "exit");
  expect(readdirSync(files.path("out"))).toHaveLength(2);
  await writeFileAtomically(files.path("out/other.csv"), "b");
  expect(readdirSync(files.path("out"))).toEqual(["other.csv"]);
});

it("files of other hosts and files with other names are not removed", async () => {
  mkdirSync(files.path("shared"));
  const pid = ended();
  const names = [
    `.${nameOf({ host: "other", pid })}.tmp`,
    `.${nameOf({})}.tmp`,
    `pushforward-${pid}`,
    `${nameOf({ pid })}.csv`,
  ];
  for (const name of names) files.write(`shared/${name}`, "");
  await writeFileAtomically(files.path("shared/z"), "");
  expect(readdirSync(files.path("shared")).sort()).toEqual([...names, "z"].sort());
});

it.runIf(process.platform === "linux")(
  "a process that has the number of an ended one does not count",
  async () => {
    mkdirSync(files.path("reused"));
    files.write(`reused/.${nameOf({ start: "1" })}.tmp`, "");
    await writeFileAtomically(files.path("reused/model"), "");
    expect(readdirSync(files.path("reused"))).toEqual(["model"]);
  },
);

it("opening a table removes abandoned files of DuckDB in the temporary directory", async () => {
  mkdirSync(files.path("tmp"));
  process.env.TMPDIR = files.path("tmp");
  const [left, running] = [nameOf({ pid: ended() }), nameOf({})];
  for (const name of [left, running]) {
    mkdirSync(files.path(`tmp/${name}`));
    files.write(`tmp/${name}/duckdb_temp_storage-0.tmp`, "spilled");
  }
  await (await openTable("SELECT 1 AS a")).close();
  expect(readdirSync(files.path("tmp"))).toEqual([running]);
});
