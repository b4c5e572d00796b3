import { numbers, readColumns } from "../papers/files.ts";
import { type Rows, type Split, selectRows, semiSupervisedSplit } from "../papers/rows.ts";

/**
 * The tables of at least 1,000 rows, by their names in the published results. From smaller ones the paper drew 1,000 rows with
 * replacement, which is not reproducible.
 */
export const csvFiles: Readonly<Record<string, string>> = {
  annthyroid: "2_annthyroid",
  cardiotocography: "7_Cardiotocography",
  fault: "12_fault",
  landsat: "19_landsat",
  letter: "20_letter",
  optdigits: "26_optdigits",
  pageblocks: "27_PageBlocks",
  satellite: "30_satellite",
  "satimage-2": "31_satimage-2",
  shuttle: "32_shuttle",
  spambase: "35_SpamBase",
  thyroid: "38_thyroid",
  waveform: "41_Waveform",
  yeast: "47_yeast",
};

/** The training rows contain no anomalies, or are all rows, which are also the test rows. */
export type Setting = "one-class" | "unsupervised";

/** A table of ADBench, split for a setting. `labels` has 1 for the anomalies among the test rows. */
export interface Task {
  readonly train: Rows;
  readonly test: Rows;
  readonly labels: Float64Array;
}

/** Reads a table from the directory of the data. */
export function readTask(data: string, name: string, setting: Setting): Task {
  const columns = readColumns(data, "adbench", `${csvFiles[name]}.csv.gz`);
  const labels = Float64Array.from(columns.get("label")!, Number);
  const values = [...columns].filter(([column]) => column !== "label").map(([, cells]) => cells);
  const rows: Rows = { features: values.length, values: numbers(values) };
  const all = Int32Array.from(labels, (_, i) => i);
  const { train, test }: Split =
    setting === "one-class" ? semiSupervisedSplit(labels) : { train: all, test: all };
  return {
    train: selectRows(rows, train),
    test: selectRows(rows, test),
    labels: Float64Array.from(test, (i) => labels[i]),
  };
}
