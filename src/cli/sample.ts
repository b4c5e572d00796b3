import { basename } from "node:path";
import { count, counted, PushforwardError } from "../check/index.ts";
import { command } from "./command.ts";
import { engine, engineOf } from "./engine.ts";
import { flag, integerFrom, model, numberFromZero, path, readOptions, text } from "./options.ts";

export const sample = command({
  name: "sample",
  summary: "Generates rows from a model.",
  positionals: { model },
  options: {
    rows: integerFrom(1, {
      alias: "n",
      valueName: "N",
      example: "1000",
      description:
        "The number of rows, or with a table in --given the number for each of its rows. Default: 1000, or 1 with such a table.",
    }),
    output: path({
      alias: "o",
      default: "-",
      valueName: "OUT",
      description: "The table to write, in the format of its ending. - writes CSV to standard output.",
    }),
    seed: integerFrom(0, {
      default: "0",
      valueName: "S",
      description: "Seed of all random numbers. With the same seed, the first rows do not depend on -n.",
    }),
    given: text({
      valueName: "GIVEN",
      description:
        "The values of some columns, on which the others are conditional: region=north,age=40, or a table with these columns. A model that was fitted with --given needs the values of its given columns.",
    }),
    temperature: numberFromZero({
      default: "1",
      example: "0.8",
      valueName: "T",
      description:
        "For models of images: the standard deviation of latent rows. Lower temperatures give more typical and less diverse images.",
    }),
    class: text({
      valueName: "CLASS",
      description: "For models of images with classes: the class of the images. Default: all classes.",
    }),
    where: text({
      valueName: "CONDITION",
      description:
        "Keeps only rows that meet this condition of DuckDB, such as \"age > 40 AND city = 'Bern'\", and draws until there are enough. Only for default models without --given in fit.",
    }),
    noGaps: flag(
      "Replaces the missing values of drawn rows, as impute does. Only for default models without --given in fit.",
    ),
    ...readOptions,
    ...engine,
  },
  details: [
    "In --given, income= without a value states that the income is missing. This needs a default model. If a cell of a table in --given is empty, its value is drawn, and so are the columns that the table does not have.",
    "If OUT is a directory (out/), rows go to Parquet files of a million rows there: part-00000.parquet, part-00001.parquet and so on. Those of an earlier run are replaced or removed.",
    "A model of images draws pictures: one with all images if OUT ends in .png, otherwise a directory with a file for each image, and a sub-directory for each class. The directory must not have images of an earlier run. Default: 64 images.",
  ],
  examples: [
    ["sample model.safetensors -n 5", "Five rows, on the terminal."],
    ["sample digits.safetensors -n 100 --temperature 0.8 -o samples.png", "A hundred images in a picture."],
    ["sample model.safetensors -n 1000000 --seed 7 -o new.parquet", "A million other rows, in a file."],
    ["sample model.safetensors -n 100000000 -o new/", "Many rows, in a hundred files of a directory."],
    ["sample model.safetensors --given region=north,age=40 -n 100", "The other columns, given these values."],
    [`sample model.safetensors --where "price < area / 10" -n 100`, "Rows that meet a condition."],
    [
      "sample model.safetensors --given customers.csv",
      "A row for each row of a table, which has some of the columns.",
    ],
  ],
  async run(values, io) {
    const { model: path, given: text, where, noGaps, rows, output, seed, na, decimal, delimiter } = values;
    const run = engineOf(values);
    const reading = { na, decimal, delimiter };
    const { sampleBlocks, Table, writeRows } = await import("../tables/io/index.ts");
    const { writeTable } = await import("../tables/io/index.ts");
    const { ContextCheck } = await import("../tables/evaluate/index.ts");
    const { modelLabels } = await import("../model/index.ts");
    const { refuseOptions } = await import("./imageModels.ts");
    const { readGiven } = await import("./given.ts");
    const { Messages } = await import("./messages.ts");
    const { readModel } = await import("./model.ts");
    const { isDirectory, reportWritten, tableOutput } = await import("./tableOutput.ts");
    const { writeParts } = await import("./writeParts.ts");

    // A picture or a directory is an output for images; any other name is checked before the model is read.
    const mayBePictures =
      /\.(png|jpe?g|webp|gif|bmp|tiff?|np[yz])$|^[^.]+$|\/$/i.test(basename(output)) || output.endsWith("/");
    const directory = isDirectory(output) ? output : undefined;
    const early = mayBePictures || directory ? undefined : await tableOutput(output, io);
    const model = await readModel(path);
    if (model.image) {
      const { sampleImages } = await import("./sampleImages.ts");
      refuseOptions({ where, "no-gaps": noGaps }, "tables");
      return sampleImages(model, values, io);
    }
    refuseOptions({ class: values.class, temperature: values.temperature !== 1 }, "images");
    const destination = early ?? directory ?? (await tableOutput(output, io));
    if (model.table && model.given.length === 0) {
      const { sampleTableModel } = await import("./sampleTableModel.ts");
      return sampleTableModel(
        model,
        { given: text, where, noGaps, rows, seed, run, ...reading },
        { destination, directory },
        io,
      );
    }
    if (where !== undefined || noGaps) {
      const option = where !== undefined ? "where" : "no-gaps";
      throw new PushforwardError("ARGUMENT", `--${option} cannot be used with the model ${path}`, {
        expected:
          "a default model, or a flow of a table with columns that are not numbers, fitted without --given",
        hint: "Draw rows to a file, and select some of them by a query.",
      });
    }
    const given = await readGiven(text, model, path, { ...reading, signal: io.interrupted });
    const messages = new Messages(io);
    const check = new ContextCheck(model);
    const table = given instanceof Table ? given : undefined;
    const perContext = rows ?? (table ? 1 : 1000);
    let drawn = 0;
    try {
      const blocks = sampleBlocks(model, {
        rows: perContext,
        given,
        seed,
        ...run,
        signal: io.interrupted,
        onContext: (contexts) => check.add(contexts),
        onProgress(rows) {
          drawn = rows;
          messages.rowProgress(rows, perContext * (table?.rows ?? 1));
        },
      });
      const labels = modelLabels(model);
      const names = [...model.columns, ...model.given];
      const write = (rows: AsyncIterable<Float64Array>, to: typeof destination) =>
        model.table
          ? writeTable(model.table, rows, to, { given: model.given, labels })
          : writeRows(names, rows, to, { labels });
      if (directory !== undefined) await writeParts(blocks, names.length, directory, write, io);
      else await write(blocks, destination);
      messages.clearProgress();
      const missing = table ? table.rows - check.rows : 0;
      if (missing > 0) messages.warn(missingRows(missing, table!.rows));
      for (const warning of check.warnings()) messages.warn(warning);
      reportWritten(counted(drawn, "row"), destination, io);
    } finally {
      messages.clearProgress();
      await table?.close();
      await model.flow.release();
    }
  },
});

const missingRows = (missing: number, total: number): string =>
  `${count(missing)} of ${counted(total, "row")} in --given ${missing === 1 ? "is" : "are"} left out because a value is missing.`;
