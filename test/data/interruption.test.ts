import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { afterEach, expect, it } from "vitest";
import { openTable } from "../../src/tables/io/index.ts";
import { scanRows } from "../../src/tables/io/tableRows.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();

const { TMPDIR } = process.env;
afterEach(() => {
  if (TMPDIR === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = TMPDIR;
});

it("ends a query that would run forever", async () => {
  const endless =
    "SELECT sum(a.range) AS x FROM range(1000000000) a, range(1000000) b WHERE a.range % (b.range + 1) = 3";
  const opening = files.failure(openTable(endless, { signal: AbortSignal.timeout(500) }));
  expect(await opening).toMatchInlineSnapshot(`
    "INTERRUPTED Stopped while reading the query.
    Run the command again."
  `);
});

it("ends the wait for the writer of a pipe, and removes the temporary files", async () => {
  const pipe = files.path("pipe");
  execFileSync("mkfifo", [pipe]);
  mkdirSync(files.path("tmp"));
  process.env.TMPDIR = files.path("tmp");
  expect(await files.failure(openTable(pipe, { signal: AbortSignal.timeout(500) }))).toMatchInlineSnapshot(`
    "INTERRUPTED Stopped while reading pipe.
    Run the command again."
  `);
  expect(readdirSync(files.path("tmp"))).toEqual([]);
});

it("ends a scan", async () => {
  const interruption = new AbortController();
  const table = await openTable("FROM range(1000000)", { signal: interruption.signal });
  const rows = scanRows(table, ["range"], { blockRows: 100 });
  await rows.next();
  interruption.abort();
  expect(
    await files.failure(async () => {
      for await (const _ of rows);
    }),
  ).toContain("INTERRUPTED");
  await table.close();
});

it("throws an error if the signal is aborted before the start", async () => {
  const path = files.write("t.csv", "a\n1\n");
  expect(await files.failure(openTable(path, { signal: AbortSignal.abort() }))).toContain("INTERRUPTED");
});
