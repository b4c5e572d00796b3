import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { decodeModel, fitTable } from "../../src/index.ts";
import { saveModel } from "../../src/open/index.ts";
import { readObjects } from "../../src/tables/io/index.ts";
import { TableModel } from "../../src/tables/model/index.ts";
import { PENGUINS, workplace } from "./command.ts";

// The command line and fitTable train by the same function, so that what they write must not differ.

const { path, outputs, json } = workplace();

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
