import { command } from "./command.ts";
import { integerFrom, model, readOptions } from "./options.ts";

export const studio = command({
  name: "studio",
  summary: "Serves a page that trains flows and explores trained models.",
  positionals: {
    model: { ...model, optional: true },
    data: {
      optional: true,
      description:
        "A table with the columns of the model: a file, a pattern of files, - for standard input, or a query. At most 5,000 rows are used, evenly spaced.",
    },
  },
  options: {
    port: integerFrom(
      0,
      { valueName: "PORT", default: "8090", example: "8091", description: "0 takes any free port." },
      65_535,
    ),
    ...readOptions,
  },
  details: [
    "The page computes everything itself, and connects to no other host. With a model it shows generated rows beside those of the table, the distribution of all columns given values of some, and unusual rows.",
    "Ctrl-C or SIGTERM ends the server.",
  ],
  examples: [
    ["studio", "The page at http://127.0.0.1:8090/."],
    ["studio model.safetensors penguins.csv", "A model and its table."],
  ],
  async run(values, io) {
    const { openStudio } = await import("./openStudio.ts");
    await openStudio(values, io);
  },
});
