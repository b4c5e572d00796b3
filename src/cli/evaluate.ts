import { openTable } from "../data/index.ts";
import { command, NA, THREADS } from "./command.ts";
import { counted, jsonLine, nats } from "./format.ts";
import { Messages } from "./messages.ts";
import { threadCount } from "./numbers.ts";
import { RunningMean } from "./runningMean.ts";
import { tableOptions } from "./tableOptions.ts";

export const evaluate = command({
  name: "evaluate",
  summary: "tells the mean log-density that a model gives to a table",
  args: {
    model: { type: "positional", required: true, description: "A model file that pushforward fit wrote." },
    data: {
      type: "positional",
      valueHint: "DATA...",
      required: true,
      description:
        "A table with the columns of the model, in any order: one or more files or patterns of files, - for standard input, or a query.",
    },
    na: NA,
    threads: THREADS,
    json: { type: "boolean", description: "Prints one JSON object: rows, meanLogDensity, standardError." },
  },
  details: [
    "The higher the mean log-density of rows that the model was not fitted to, the better the model. It is in nats and in the units of the data: comparable between models of the same columns, not between tables.",
    "Rows with a missing value are left out.",
  ],
  examples: [
    ["evaluate model.safetensors new.csv", "How well the model describes new rows."],
    [
      `evaluate model.safetensors "FROM 'quakes.csv' WHERE mag > 4" --json`,
      "The same for some rows, for a program to read.",
    ],
  ],
  async run({ args, io }) {
    const { readModel } = await import("./model.ts");
    const { scoreTable } = await import("./scoring.ts");

    const threads = threadCount(args.threads);
    const model = await readModel(args.model);
    const table = await openTable(args._.slice(1), tableOptions(args, io));
    const messages = new Messages(io);
    const total = new RunningMean();
    try {
      for await (const scores of scoreTable(model, table, { threads, io, messages })) {
        for (const score of scores) if (!Number.isNaN(score)) total.add(score);
      }
    } finally {
      messages.end();
      await table.close();
    }
    const { count: rows, mean: meanLogDensity, standardError } = total;
    if (args.json) io.stdout.write(jsonLine({ rows, meanLogDensity, standardError }));
    else {
      const error = Number.isFinite(standardError) ? ` ± ${nats(standardError)}` : "";
      io.stdout.write(`Mean log-density of ${counted(rows, "row")}: ${nats(meanLogDensity)}${error} nats\n`);
    }
  },
});
