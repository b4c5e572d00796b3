import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { decodeModel, fitTable } from "../../src/index.ts";
import { saveModel } from "../../src/open/index.ts";
import { readObjects } from "../../src/tables/io/index.ts";
import { TableModel } from "../../src/tables/model/index.ts";
import { PENGUINS, workplace } from "./command.ts";

// The command line and fitTable train by the same function, so that what they write must not differ.

const { path, write, outputs, json } = workplace();

it("fitTable and the command line write the same model, and report says the same of both", async () => {
  const rows = await readObjects(PENGUINS);
  const options = { epochs: 2, budget: "small", kernel: false, threads: 1 } as const;
  const { model } = await fitTable(rows, options);
  await saveModel(path("program.safetensors"), model.contents);
  const flags = ["--epochs", "2", "--budget", "small", "--no-kernel", "--threads", "1"];
  await outputs("fit", PENGUINS, ...flags, "-o", path("command.safetensors"));
  const [program, command] = await Promise.all(
    ["program", "command"].map((name) => decodeModel(readFileSync(path(`${name}.safetensors`)))),
  );
  expect(program!.training).toEqual(command!.training);
  expect(program!.anomalies).toEqual(command!.anomalies);
  const scores = await Promise.all([program!, command!].map((each) => TableModel.from(each).score(rows)));
  expect(scores[0]).toEqual(scores[1]);
  const reports = [];
  for (const name of ["program", "command"])
    reports.push(
      await json("report", path(`${name}.safetensors`), PENGUINS, "--rows", "100", "--threads", "1"),
    );
  expect(reports[0]).toEqual(reports[1]);
  expect(JSON.stringify(reports[0])).toContain("The model was trained on this table");
});

it("a single flow of a table with labels has p-values of anomalies, but no reasons, which is said", async () => {
  const rows = Array.from({ length: 60 }, (_, i) => `${i % 2 ? "a" : "b"},${Math.sin(i)}`);
  const table = write("labels.csv", ["label,x", ...rows].join("\n"));
  const flags = ["--flow", "nsf", "--transforms", "1", "--hidden", "4", "--epochs", "1", "--threads", "1"];
  const { out } = await outputs("fit", table, ...flags, "-o", path("nsf.safetensors"));
  expect(out).toMatch(/ anomalies .* the most unusual rows$/m);
  const scored = path("scored.csv");
  const { err } = await outputs("anomalies", path("nsf.safetensors"), table, "-n", "2", "-o", scored);
  expect(err).toContain("There are no reasons, because a single flow has no conditional distributions");
  expect(readFileSync(scored, "utf8").split("\n")[0]).toBe("label,x,anomaly_score,p_value,reason");
});
