import { readFileSync } from "node:fs";
import { Writable } from "node:stream";
import { expect, it } from "vitest";
import { parseArguments } from "../../src/cli/arguments.ts";
import { fitModel } from "../../src/cli/fitModel.ts";
import { options, positionals } from "../../src/cli/fitOptions.ts";
import { Messages } from "../../src/cli/messages.ts";
import { printNotes } from "../../src/cli/tableNotes.ts";
import { readTrainingTable } from "../../src/tables/io/index.ts";
import { decodeModel } from "../../src/tables/model/decodeModel.ts";
import { correlated, EARTHQUAKES, jsonLines, QUICK, workplace } from "./command.ts";

const { path, write, list, plain, json } = workplace();

/** `pushforward fit` that streams every table. */
const streamed = (...words: string[]) => watched(words);

/** The same. `onOutput` is called with the standard output so far, each time it grows. */
async function watched(words: string[], onOutput?: (out: string) => void) {
  const texts = { out: "", err: "" };
  const into = (name: "out" | "err") =>
    new Writable({
      write(chunk, _, done) {
        texts[name] += chunk;
        onOutput?.(texts.out);
        done();
      },
    });
  const interrupted = new AbortController().signal;
  const io = { stdout: into("out"), stderr: into("err"), env: {}, interrupted };
  const values = parseArguments({ name: "fit", positionals, options }, words);
  await fitModel(values, io, words, { maxNumbersInMemory: 0 });
  return { out: plain(texts.out), err: plain(texts.err) };
}

const events = ({ out }: { out: string }) => jsonLines(out);

it("learns from a streamed table as well as from one in memory", async () => {
  const options = ["--flow", "nsf", "--transforms", "1", "--hidden", "8", "--epochs", "10"];
  const [output, pictures] = [path("streamed.safetensors"), path("pictures")];
  const done = events(
    await streamed(EARTHQUAKES, ...options, "-o", output, "--pictures", pictures, "--json"),
  ).at(-1);
  const [whole] = (await json("fit", EARTHQUAKES, ...options, "-o", path("whole.safetensors"))).slice(-1);
  expect(done.rows).toEqual(whole!.rows);
  expect(done.heldOut.by).toBe("test");
  expect(Math.abs(done.validationLogDensity - (whole!.validationLogDensity as number))).toBeLessThan(0.3);
  expect((await decodeModel(readFileSync(output))).training).toMatchObject({ rows: 1536, epochs: 10 });
  expect(list()).toEqual(["pictures", "streamed.safetensors", "whole.safetensors"]);
});

it("leaves out and counts rows with missing values, and gives context to a conditional flow", async () => {
  const lines = correlated(400).split("\n");
  for (const line of [1, 50, 51, 400]) lines[line] = lines[line]!.replace(/^[^,]*/, "");
  const table = write("gaps.csv", lines.join("\n"));
  const { out, err } = await streamed(
    table,
    "--given",
    "a",
    ...QUICK,
    "-o",
    path("given.safetensors"),
    "--json",
  );
  expect(err).toContain("Warning: 4 of 400 rows are left out because a value is missing.");
  expect(events({ out }).at(-1)).toMatchObject({
    columns: ["b"],
    given: ["a"],
    rows: { training: 320, validation: 36, test: 40, missing: 4 },
  });
});

it("trains the default flows; the same seed writes the same bytes", async () => {
  const table = write("plain.csv", correlated(300));
  await streamed(table, "--epochs", "1", "-o", path("default.safetensors"));
  const bytes = async (name: string) => {
    await streamed(table, ...QUICK, "-o", path(name), "--threads", "1");
    return readFileSync(path(name));
  };
  expect((await bytes("once.safetensors")).equals(await bytes("twice.safetensors"))).toBe(true);
});

it("refuses a streamed table for the same reasons as one in memory", async () => {
  const infinite = write("infinite.csv", correlated(300).replace("\n", "\n1,inf\n"));
  const output = ["-o", path("none.safetensors")];
  await expect(streamed(infinite, ...output)).rejects.toThrow('The column "b"');
  const empty = write("empty.csv", "a,b\n1,\n2,\n,3\n4,4\n");
  await expect(streamed(empty, ...QUICK, ...output)).rejects.toThrow(
    "has too few rows to fit: expected at least 2 complete rows, received 1 (3 more have a missing value)",
  );
});

it("ends when the table changes between two epochs, and writes no model", async () => {
  const table = write("growing.csv", correlated(300));
  let changed = false;
  const words = [table, ...QUICK, "-o", path("mixed.safetensors"), "--json"];
  const fitting = watched(words, (out) => {
    if (changed || !out.includes('"epoch":1')) return;
    changed = true;
    write("growing.csv", correlated(301));
  });
  await expect(fitting).rejects.toThrow("growing.csv changed while it was read");
  expect(list().filter((name) => name.startsWith("mixed"))).toEqual(["mixed.safetensors.checkpoint"]);
});

it("prints that the warnings are about a sample of the rows", async () => {
  const query = "SELECT sin(i) AS a, cos(sqrt(2) * i) AS b, 3 * a AS c FROM range(200100) AS t(i)";
  let text = "";
  const stderr = { write: (line: string) => (text += line) } as never;
  const table = await readTrainingTable(query, { maxNumbersInMemory: 0 });
  printNotes(table, new Messages({ stderr, env: {} } as never));
  await table.close();
  expect(text.trimEnd().split("\n")).toEqual([
    expect.stringContaining("c = 3 a"),
    "(The warnings are about 200,000 of 200,100 rows, chosen at random.)",
  ]);
});
