import { command } from "./command.ts";
import { engine } from "./engine.ts";
import { dataOfModel, flag, integerFrom, model, path, readOptions, text } from "./options.ts";

export const report = command({
  name: "report",
  summary: "Tests a model on held-out rows, and writes a report as an HTML file.",
  positionals: { model, data: dataOfModel },
  options: {
    output: path({
      alias: "o",
      valueName: "FILE",
      description:
        "The page to write, whose name ends in .html. - writes the page to standard output, and the findings to standard error. Default: report.html, or none with --json.",
    }),
    target: text({
      valueName: "C",
      description:
        "The column that classifiers or regressions predict after training on generated rows. Default: the last one with 2 to 20 labels; without one, the column of numbers that is predicted best.",
    }),
    rows: integerFrom(20, {
      default: "2000",
      valueName: "N",
      description:
        "The largest number of rows of each kind that the statistics use. Calibration, dependence and usefulness use up to 1,000 training rows and generated rows even if N is smaller.",
    }),
    ...readOptions,
    seed: integerFrom(0, { default: "0", valueName: "S", description: "Seed of all random numbers." }),
    ...engine,
    json: flag("Prints one JSON object with all numbers of the report."),
  },
  details: [
    "If DATA is the table of the training, which a digest in the model file shows, the command repeats the split of the training and compares the test rows with generated rows. With fewer than 100 test rows it also uses the validation rows, unless the model has learned them. All rows of any other table count as unseen rows: one half is compared with generated rows, and the other half replaces the training rows as reference rows.",
    "Every statistic has two controls: copied training rows, and training rows with independently shuffled columns. The first lines of the report say in words what failed and what is uncertain.",
  ],
  examples: [
    ["report model.safetensors penguins.csv", "Writes report.html."],
    ["report model.safetensors penguins.csv --json", "Prints the numbers."],
  ],
  async run(values, io) {
    const { writeReport } = await import("./writeReport.ts");
    await writeReport(values, io);
  },
});
