import { count, counted } from "../check/index.ts";
import { command } from "./command.ts";
import { positionals } from "./fitOptions.ts";
import { jsonLine } from "./format.ts";
import { kindOptions } from "./kindOptions.ts";
import { flag, names, readOptions } from "./options.ts";

export const columns = command({
  name: "columns",
  summary: "Shows the kind of each column of a table, which decides how its values are modelled.",
  positionals,
  options: {
    ...kindOptions,
    columns: names({ valueName: "A,B", description: "The columns to show. Default: all." }),
    exclude: names({ valueName: "A,B", description: "Columns not to show." }),
    ...readOptions,
    json: flag("Prints one JSON object, which --schema reads."),
  },
  details: [
    "The kind of a column decides how a model learns it: the probability of a label, an integer or a date, the density of a real number. It is inferred from the type of the column and from its values. Columns that identify rows, such as names and row numbers, are left out.",
    "To change kinds, state them by --column, or write the output of --json to a file, edit it, and name the file by --schema. This command trains no model: give fit the same options.",
  ],
  examples: [
    ["columns adult.csv --na '?'", "Names, types, kinds, missing values and ranges."],
    ["columns adult.csv --column education_num=categorical", "With the kind of a column."],
    ["columns adult.csv --json > kinds.json", "To edit, and to read by --schema kinds.json."],
  ],
  async run(values, io) {
    const { describeTable, openTable } = await import("../tables/io/index.ts");
    const { columnsJson, statedKinds } = await import("./statedKinds.ts");
    const { columnTable } = await import("./columnTable.ts");
    const { Messages } = await import("./messages.ts");

    const kinds = await statedKinds(values);
    const { na, decimal, delimiter } = values;
    const table = await openTable(values.data, { na, decimal, delimiter, signal: io.interrupted });
    const messages = new Messages(io);
    const chosen = values.columns ?? table.columns.map(({ name }) => name);
    const total = chosen.filter((name) => !values.exclude?.includes(name)).length;
    try {
      const described = await describeTable(table, {
        columns: values.columns,
        exclude: values.exclude,
        kinds,
        onProgress: (done) =>
          messages.progress(done / total, "", ` ${count(done)} of ${counted(total, "column")}`),
      });
      messages.clearProgress();
      io.stdout.write(values.json ? jsonLine(columnsJson(table.rows, described)) : columnTable(described));
    } finally {
      messages.clearProgress();
      await table.close();
    }
  },
});
