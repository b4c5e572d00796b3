import { openTable, writeScored } from "../data/index.ts";
import { LOG_DENSITY } from "../data/writeScored.ts";
import { checkWritable } from "../files/atomicFile.ts";
import { command, NA, THREADS } from "./command.ts";
import { counted } from "./format.ts";
import { Messages } from "./messages.ts";
import { threadCount } from "./numbers.ts";
import { tableOptions } from "./tableOptions.ts";
import { tableOutput } from "./tableOutput.ts";

export const score = command({
  name: "score",
  summary: "writes the rows of a table with their log-density",
  args: {
    model: { type: "positional", required: true, description: "A model file that pushforward fit wrote." },
    data: {
      type: "positional",
      valueHint: "DATA...",
      required: true,
      description:
        "A table with the columns of the model, in any order: one or more files or patterns of files, - for standard input, or a query.",
    },
    output: {
      type: "string",
      alias: "o",
      required: true,
      valueHint: "OUT",
      description:
        "The table to write. Its ending says how: .csv, .tsv, .json, .jsonl (each also with .gz) or .parquet. With - the table goes to standard output, as CSV.",
    },
    na: NA,
    threads: THREADS,
  },
  details: [
    "Writes every row and every column of the table with one more column, log_density, in nats and in the units of the data. The lower it is, the more unusual is the row. Where a value is missing, log_density is missing too.",
    "Columns that the model does not use are copied as they are. Those of a CSV file are text, also in JSON and Parquet.",
    "The table may be of any size. OUT appears when it is complete.",
  ],
  examples: [
    ["score model.safetensors quakes.csv -o scored.csv", "All rows, with log_density."],
    [`score model.safetensors "FROM 'quakes/*.parquet'" -o scored.parquet`, "Many files, through a query."],
    ["score model.safetensors quakes.csv -o - | head", "On the terminal."],
  ],
  async run({ args, io }) {
    const { readModel } = await import("./model.ts");
    const { scoreTable } = await import("./scoring.ts");

    const threads = threadCount(args.threads);
    const output = tableOutput(args.output, io);
    if (typeof output === "string") await checkWritable(output);
    const model = await readModel(args.model);
    const table = await openTable(args._.slice(1), tableOptions(args, io));
    const messages = new Messages(io);
    try {
      const scores = scoreTable(model, table, { threads, io, messages });
      const numeric = [...model.columns, ...model.given];
      await writeScored(table, scores, output, { numeric });
      messages.end();
      if (typeof output === "string") {
        messages.print(`Wrote ${counted(table.rows, "row")} with ${LOG_DENSITY} to ${output}`);
      }
    } finally {
      messages.end();
      await table.close();
    }
  },
});
