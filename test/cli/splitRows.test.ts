import { expect, test } from "vitest";
import { splitRows, warnOfFewerTestRows } from "../../src/cli/splitRows.ts";
import { InMemoryDataset, StreamedDataset } from "../../src/dataset/index.ts";

test("a stream that holds out fewer test rows than stated is reported", async () => {
  // Of rows with 1,000 numbers a sample of 16,777 is drawn, of which at most a quarter is held out. Each row occurs five
  // times, and equal rows stay together.
  const features = 1000;
  const count = 5000;
  const values = Float64Array.from({ length: 1000 * features }, (_, i) => i / features);
  const block = new InMemoryDataset({ features, values });
  const rows = await StreamedDataset.of(async function* blocks() {
    for (let start = 0; start < count; start += 1000) yield block;
  });
  const warnings = (testFraction: number) => {
    const texts: string[] = [];
    const parts = splitRows(rows, { seed: 0, testFraction, validationFraction: 0.1 });
    warnOfFewerTestRows(rows, parts.test, { testFraction }, { warn: (text) => texts.push(text) });
    return texts;
  };
  expect(warnings(0.4)).toEqual([]);
  expect(warnings(0.9)).toEqual([
    "--test-fraction 0.9: only 4,190 of 5,000 rows are test rows, because the data are read from disk in each epoch.",
  ]);
});
