import { counted } from "../check/index.ts";
import { command } from "./command.ts";
import { engine } from "./engine.ts";
import { estimate, jsonLine } from "./format.ts";
import { classify, draws } from "./imageOptions.ts";
import { dataOfModel, flag, model, readOptions, strict } from "./options.ts";

export const evaluate = command({
  name: "evaluate",
  summary: "Computes the mean log-density of a table under a model.",
  positionals: { model, data: dataOfModel },
  options: {
    strict,
    ...readOptions,
    draws,
    classify,
    ...engine,
    json: flag(
      "Prints one JSON object: rows, meanLogDensity, standardError, and isBound for a lower bound. For images, it also has bitsPerDimension, draws instead of isBound, and accuracy with --classify.",
    ),
  },
  details: [
    "The higher the mean log-density of rows that the model was not fitted to, the better the model. It is in nats and refers to the units of the data: compare it between models of the same columns, not between tables.",
    "Rows without a log-density are left out, such as rows with a missing value under a single flow of numeric columns (--flow).",
    "For a model of images, DATA are images, and the result is the mean of their bits per dimension; lower is better. With --classify, it also prints the accuracy of the predicted classes.",
  ],
  examples: [
    ["evaluate model.safetensors new.csv", "How well the model describes unseen rows."],
    [
      `evaluate model.safetensors "FROM 'quakes.csv' WHERE mag > 4" --json`,
      "The same for some of the rows, as JSON.",
    ],
  ],
  async run(values, io) {
    const { readModel } = await import("./model.ts");
    const loaded = await readModel(values.model);
    if (loaded.image) {
      const { evaluateImages } = await import("./scoreImages.ts");
      return evaluateImages(loaded, values, io);
    }
    const { scoreSource } = await import("./scoring.ts");
    const logDensity = await scoreSource(loaded, values, io, async ({ scorer, scores }) => {
      for await (const _ of scores);
      return scorer.logDensity;
    }).finally(() => loaded.flow.release());
    const { isBound } = loaded.flow;
    const { count: rows, mean: meanLogDensity, standardError } = logDensity;
    io.stdout.write(
      values.json
        ? jsonLine({ rows, meanLogDensity, standardError, ...(isBound && { isBound }) })
        : `Mean log-density of ${counted(rows, "row")}: ${estimate(logDensity)} nats\n`,
    );
  },
});
