import { writeRows } from "../data/index.ts";
import { command, NA, THREADS } from "./command.ts";
import { counted } from "./format.ts";
import { Messages } from "./messages.ts";
import { threadCount, wholeNumber } from "./numbers.ts";
import { tableOptions } from "./tableOptions.ts";
import { tableOutput } from "./tableOutput.ts";

export const sample = command({
  name: "sample",
  summary: "draws new rows from a model",
  args: {
    model: { type: "positional", required: true, description: "A model file that pushforward fit wrote." },
    rows: {
      type: "string",
      alias: "n",
      valueHint: "N",
      description: "How many rows. Default: 1000, or with a table in --given one for each of its rows.",
    },
    output: {
      type: "string",
      alias: "o",
      default: "-",
      valueHint: "OUT",
      description: "The table to write, in the format of its ending; - is standard output, as CSV.",
    },
    seed: {
      type: "string",
      default: "0",
      valueHint: "S",
      description: "The same seed draws the same rows, however many.",
    },
    given: {
      type: "string",
      valueHint: "GIVEN",
      description:
        "For a conditional model, what it is conditional on: values as in year=2020,kind=house, or a table with these columns.",
    },
    na: NA,
    threads: THREADS,
  },
  examples: [
    ["sample model.safetensors -n 5", "Five rows, on the terminal."],
    ["sample model.safetensors -n 1000000 --seed 7 -o new.parquet", "A million others, in a file."],
    ["sample model.safetensors --given depth=10 -n 100", "From a model that was fitted with --given depth."],
  ],
  async run({ args, io }) {
    const { givenFrom } = await import("./given.ts");
    const { labelsOf, readModel } = await import("./model.ts");
    const { sampleRows } = await import("./sampling.ts");

    const n = wholeNumber("rows", args.rows, { min: 1 });
    const seed = wholeNumber("seed", args.seed, { min: 0 });
    const threads = threadCount(args.threads);
    const output = tableOutput(args.output, io);
    const model = await readModel(args.model);
    const given = await givenFrom(args.given, model, args.model, tableOptions(args, io));
    const messages = new Messages(io);
    try {
      const drawn = sampleRows(model, { given, n, seed, threads, io, messages });
      const columns = [...model.columns, ...model.given];
      await writeRows(columns, drawn.chunks, output, { labels: labelsOf(model) });
      messages.end();
      if (typeof output === "string") messages.print(`Wrote ${counted(drawn.rows, "row")} to ${output}`);
    } finally {
      messages.end();
      await given.close();
    }
  },
});
