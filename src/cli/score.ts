import { counted, PushforwardError } from "../check/index.ts";
import { command } from "./command.ts";
import { engine } from "./engine.ts";
import { classify, draws } from "./imageOptions.ts";
import { dataOfModel, model, names, outputTable, readOptions, strict } from "./options.ts";

export const score = command({
  name: "score",
  summary: "Writes the rows of a table with their log-density under a model.",
  positionals: { model, data: dataOfModel },
  options: {
    output: outputTable,
    of: names({
      valueName: "A,B",
      default: "",
      description:
        "Score only these columns: log p(of | given). Default: all columns of the model. Only for default models.",
    }),
    given: names({
      valueName: "C",
      default: "",
      description: "The columns on which the columns of --of are conditioned.",
    }),
    strict,
    ...readOptions,
    draws,
    classify,
    ...engine,
  },
  details: [
    "Writes all rows and columns of the table and adds a column log_density, in nats, which refers to the units of the data. The lower it is, the more unusual the row is. It is the logarithm of a density for continuous columns, times a probability for all other columns and for missing values.",
    "If a value is missing in a column that had no missing values in training, log_density is missing too.",
    "If the model learned a column named log_density, the added column is named log_density_2.",
    "Columns that the model does not use are copied unchanged. Those of a CSV file stay text, also in JSON and Parquet.",
    "For a model of images, DATA are images, and OUT is one file with a row for each: the file or the number of the image (from 0), its class if the model has classes, log_probability in nats, and bits_per_dimension. With --classify it also has predicted_class and, for each class, the probability p_CLASS that the image belongs to it. log_probability is then that of the image in any class, and the images need no labels.",
    "The table may be of any size. OUT appears when it is complete. If OUT is a directory (out/), each file of the table is scored by itself, and gets a file of its name there: those that are done stay if the command is interrupted.",
  ],
  examples: [
    ["score model.safetensors quakes.csv -o scored.csv", "All rows, with log_density."],
    [`score model.safetensors "FROM 'quakes/*.parquet'" -o scored.parquet`, "Many files, through a query."],
    ["score model.safetensors 'quakes/*.parquet' -o scored/", "Each file by itself, into a directory."],
    ["score model.safetensors quakes.csv -o - | head", "On the terminal."],
    [
      "score model.safetensors houses.csv --of price --given area,rooms -o scored.csv",
      "How unusual each price is for its house.",
    ],
  ],
  async run(values, io) {
    if (values.given.length > 0 && values.of.length === 0) {
      throw new PushforwardError("ARGUMENT", "--given needs --of", {
        hint: "Name the columns to score: --of price --given area,rooms",
      });
    }
    const { readModel } = await import("./model.ts");
    const loaded = await readModel(values.model);
    if (loaded.image) {
      const { scoreImages } = await import("./scoreImages.ts");
      return scoreImages(loaded, values, io);
    }
    const { isDirectory, reportWritten, tableOutput } = await import("./tableOutput.ts");
    if (isDirectory(values.output)) {
      const { scoreFiles } = await import("./scoreFiles.ts");
      return scoreFiles(loaded, values, io).finally(() => loaded.flow.release());
    }
    const { scoreName, writeScored } = await import("../tables/io/index.ts");
    const { columnsOfModel, scoreSource } = await import("./scoring.ts");

    const destination = await tableOutput(values.output, io);
    const numeric = columnsOfModel(loaded);
    const written = await scoreSource(loaded, values, io, async ({ table, scores }) => {
      await writeScored(table, scores, destination, { numeric });
      return `${counted(table.rows, "row")} with ${scoreName(table, numeric)}`;
    }).finally(() => loaded.flow.release());
    reportWritten(written, destination, io);
  },
});
