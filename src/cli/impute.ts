import { counted } from "../check/index.ts";
import type { UnlearnedValues } from "../tables/columns/index.ts";
import { command } from "./command.ts";
import { engine, engineOf } from "./engine.ts";
import { dataOfModel, integerFrom, model, outputTable, readOptions } from "./options.ts";

export const impute = command({
  name: "impute",
  summary: "Replaces the missing values of a table by values drawn from a model.",
  positionals: { model, data: dataOfModel },
  options: {
    output: outputTable,
    ...readOptions,
    seed: integerFrom(0, {
      default: "0",
      valueName: "S",
      description: "Another seed draws other values: several imputations show how uncertain the values are.",
    }),
    ...engine,
  },
  details: [
    "A missing value is drawn from the distribution of the non-missing values of its column, conditional on the other observed values of the row (missing at random). Observed values and columns that the model does not have stay as they are. The table may lack columns of the model.",
    "A draw is not the most probable value: imputed columns have the spread that the data have.",
  ],
  examples: [
    [
      "impute model.safetensors patients.csv -o complete.csv",
      "All rows, with a value in place of each missing one.",
    ],
    ["impute model.safetensors patients.csv --seed 1 -o second.csv", "Another imputation of the same rows."],
  ],
  async run({ model: modelPath, data, output, seed, threads, provider, ...reading }, io) {
    const { openTable } = await import("../tables/io/index.ts");
    const { completeTable } = await import("../tables/io/index.ts");
    const { writeImputed } = await import("../tables/io/index.ts");
    const { TableModel } = await import("../tables/model/index.ts");
    const { Messages } = await import("./messages.ts");
    const { readModel } = await import("./model.ts");
    const { noteMembersUsed, requireTableModel } = await import("./requireTableModel.ts");
    const { reportWritten, tableOutput } = await import("./tableOutput.ts");
    const { unlearnedText } = await import("./unlearnedText.ts");

    const destination = await tableOutput(output, io);
    const loaded = requireTableModel(await readModel(modelPath), modelPath, "impute");
    const tableModel = TableModel.from(loaded);
    const messages = new Messages(io);
    const table = await openTable(data, { ...reading, signal: io.interrupted });
    try {
      noteMembersUsed(tableModel, messages);
      let unlearned: readonly UnlearnedValues[] = [];
      const rows = completeTable(tableModel, table, {
        seed,
        impute: true,
        onUnlearned: (values) => {
          unlearned = values.filter(({ kind }) => kind !== "incomplete");
        },
        signal: io.interrupted,
        ...engineOf({ threads, provider }),
        onProgress: (count) => messages.rowProgress(count, table.rows),
      });
      await writeImputed(table, tableModel.columns, rows, destination);
      messages.clearProgress();
      for (const values of unlearned) {
        const consequence = "The other values of such rows are drawn without it.";
        messages.warn(unlearnedText(values, table, tableModel.columns, consequence));
      }
      reportWritten(counted(table.rows, "row"), destination, io);
    } finally {
      messages.clearProgress();
      await table.close();
      await tableModel.release();
    }
  },
});
