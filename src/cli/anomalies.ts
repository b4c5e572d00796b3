import { counted } from "../check/index.ts";
import { command } from "./command.ts";
import { engine, engineOf } from "./engine.ts";
import { dataOfModel, flag, fraction, integerFrom, model, path, readOptions } from "./options.ts";

export const anomalies = command({
  name: "anomalies",
  summary: "Finds the most unusual rows of a table, with p-values and the columns that make them unusual.",
  positionals: { model, data: dataOfModel },
  options: {
    rows: integerFrom(1, {
      alias: "n",
      default: "20",
      valueName: "N",
      description: "The largest number of rows to report, the most unusual first.",
    }),
    fdr: fraction(false, {
      valueName: "Q",
      example: "0.05",
      description:
        "Reports only rows of which at most this fraction is expected to be false alarms (Benjamini-Hochberg). Default: the most unusual rows, whatever their p-values.",
    }),
    output: path({
      alias: "o",
      valueName: "OUT",
      description:
        "Also writes all rows with anomaly_score, p_value and, for the reported rows, the column of the first reason. If there are several files, it also has the columns file and file_row. The ending of its name gives the format: .csv, .tsv, .json, .jsonl (each also with .gz) or .parquet. - writes CSV to standard output, in place of the report.",
    }),
    ...readOptions,
    ...engine,
    json: flag("Prints one JSON object with everything that is reported."),
  },
  details: [
    "The p-value of a row is (k + 1) / (n + 1), where k of the n calibration rows are at least as unusual. Calibration rows are the test rows that pushforward fit held out. If the row is like those of the training table (exchangeable with them), the probability that its p-value is 0.01 or less is at most 1%, whatever the model has learned. For rows that the model was trained on, p-values are too large.",
    "The score combines four numbers: how improbable the most improbable column is given the others, how rare the values of all columns are, and how far the row is from the training rows, in units of the columns and in ranks. About a tenth of ordinary rows have a score above 2.3.",
    "For each column of a row, the expected values are those of the model given all other columns of the row: the median and the central interval of 90%, or the most probable labels. The gain is the increase of the log-density of the row, in nats, if its value in this column were an ordinary one. If a row is unusual only because its values are rare in the whole table, the report shows the usual values of each such column, and how many nats rarer the value is than an average value of that column.",
  ],
  examples: [
    ["anomalies model.safetensors quakes.csv", "The 20 most unusual rows, and why."],
    [
      "anomalies model.safetensors quakes.csv --fdr 0.1 -n 1000",
      "All rows that are unusual, up to 10% false alarms.",
    ],
    ["anomalies model.safetensors quakes.csv -o scored.csv", "All rows with their p-values too."],
  ],
  async run({ model: modelPath, data, rows: count, fdr, output, threads, provider, json, ...reading }, io) {
    const { openTable } = await import("../tables/io/index.ts");
    const { explainTableRows, scoreAnomalies, writeAnomalies } = await import("../tables/io/index.ts");
    const { selectAnomalies } = await import("../tables/anomalies/index.ts");
    const { TableModel } = await import("../tables/model/index.ts");
    const { anomalyEvent, anomalyReport } = await import("./anomalyReport.ts");
    const { jsonLine } = await import("./format.ts");
    const { Messages } = await import("./messages.ts");
    const { readModel } = await import("./model.ts");
    const { requireTableModel } = await import("./requireTableModel.ts");
    const { isStandardOutput, reportWritten, tableOutput, twoOnStandardOutput } = await import(
      "./tableOutput.ts"
    );

    if (json && output !== undefined && isStandardOutput(output))
      throw twoOnStandardOutput("the table", "the report", "-o scored.csv");
    const destination = output === undefined ? undefined : await tableOutput(output, io);
    const tableModel = TableModel.from(requireTableModel(await readModel(modelPath), modelPath, "anomalies"));
    const { calibration } = tableModel.anomalyReference();
    const selection = { count, ...(fdr !== undefined && { falseDiscoveryRate: fdr }) };
    // The options and the calibration rows are checked before the table is read.
    selectAnomalies(new Float64Array(0), calibration, selection);
    const run = engineOf({ threads, provider });
    const messages = new Messages(io);
    const table = await openTable(data, { ...reading, signal: io.interrupted });
    try {
      const scores = await scoreAnomalies(tableModel, table, {
        ...run,
        onProgress: (done) => messages.rowProgress(done, table.rows),
      });
      const { selected, ...selectionResult } = selectAnomalies(scores, calibration, selection);
      const reasons = await explainTableRows(tableModel, table, selected, run);
      messages.clearProgress();
      if (!tableModel.hasConditionals) {
        messages.print(
          "There are no reasons, because a single flow has no conditional distributions: fit the table without --flow to get them.",
        );
      }
      const found = {
        ...selectionResult,
        source: table.source,
        anomalies: selected.map((row, n) => {
          const { file, row: fileRow } = table.fileRow(row + 1);
          return {
            row: row + 1,
            ...(table.relation.files && { file, fileRow }),
            score: scores[row]!,
            pValue: selectionResult.pValues[row]!,
            reasons: reasons[n]!,
          };
        }),
      };
      if (destination !== undefined) {
        const first = new Map(
          selected.flatMap((row, n) => reasons[n]!.slice(0, 1).map(({ column }) => [row, column] as const)),
        );
        const { pValues } = selectionResult;
        const numeric = tableModel.columns.map(({ name }) => name);
        await writeAnomalies(table, { scores, pValues, reasons: first }, destination, numeric);
        reportWritten(`${counted(table.rows, "row")} with p-values`, destination, io);
      }
      // If the table was written to standard output, no report follows it there.
      if (destination !== io.stdout)
        io.stdout.write(json ? jsonLine(anomalyEvent(found)) : anomalyReport(found, io));
    } finally {
      messages.clearProgress();
      await table.close();
      await tableModel.release();
    }
  },
});
