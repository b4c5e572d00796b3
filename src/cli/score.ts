import { counted } from "../evaluate/numberText.ts";
import { command } from "./command.ts";
import { dataOfModel, model, na, path, threads } from "./options.ts";

export const score = command({
  name: "score",
  summary: "Writes the rows of a table with their log-density under a model.",
  positionals: { model, data: dataOfModel },
  options: {
    output: path({
      alias: "o",
      required: true,
      valueName: "OUT",
      description:
        "The table to write. The ending of its name gives the format: .csv, .tsv, .json, .jsonl (each also with .gz) or .parquet. - writes CSV to standard output.",
    }),
    na,
    threads,
  },
  details: [
    "Writes all rows and columns of the table and adds a column log_density, in nats, which refers to the units of the data. The lower it is, the more unusual is the row. If a value is missing, log_density is missing too.",
    "Columns that the model does not use are copied unchanged. Those of a CSV file stay text, also in JSON and Parquet.",
    "The table may be of any size. OUT appears when it is complete.",
  ],
  examples: [
    ["score model.safetensors quakes.csv -o scored.csv", "All rows, with log_density."],
    [`score model.safetensors "FROM 'quakes/*.parquet'" -o scored.parquet`, "Many files, through a query."],
    ["score model.safetensors quakes.csv -o - | head", "On the terminal."],
  ],
  async run(values, io) {
    const { writeScored } = await import("../data/index.ts");
    const { withScores } = await import("./scoring.ts");
    const { reportWritten, tableOutput } = await import("./tableOutput.ts");

    const destination = await tableOutput(values.output, io);
    const rows = await withScores(values, values, io, async ({ scorer, table, scores }) => {
      const numeric = [...scorer.model.columns, ...scorer.model.given];
      await writeScored(table, scores, destination, { numeric });
      return table.rows;
    });
    reportWritten(`${counted(rows, "row")} with log_density`, destination, io);
  },
});
