import { expect, it } from "vitest";
import type { Communicator } from "../../src/communicator/communicator.ts";
import { nsf } from "../../src/flows/index.ts";
import { readTrainingTable, type TrainingTableOptions } from "../../src/tables/io/index.ts";
import { fit } from "../../src/train/index.ts";
import { onRanks } from "../train/localCommunicators.ts";
import { temporaryDirectory } from "./temporaryFiles.ts";

const files = temporaryDirectory();
const sales = files.write(
  "sales.csv",
  [
    "day,price,amount,shop",
    ...Array.from({ length: 300 }, (_, i) =>
      [
        `2020-0${1 + (i % 9)}-1${i % 10}`,
        i % 7 === 0 ? "" : (10 * Math.sin(i)).toFixed(3),
        (i * Math.cos(i)).toFixed(4),
        i % 11 ? "ab"[i % 2] : "",
      ].join(","),
    ),
  ].join("\n"),
);

/** Only rank 0 has the file. */
const readOnRanks = (options: TrainingTableOptions, size = 3) =>
  onRanks(size, (communicator) =>
    readTrainingTable(communicator.rank === 0 ? sales : files.path("absent.csv"), {
      ...options,
      communicator,
    }),
  );

it.each([
  ["in memory", {}],
  ["in memory, of columns of any kind", { kinds: {} }],
  ["as a stream", { maxNumbersInMemory: 0 }],
  ["as a stream, of columns of any kind", { kinds: {}, maxNumbersInMemory: 0 }],
])("a table %s is the same on all ranks, of which only the first one reads it", async (_, options) => {
  const chosen = {
    ...options,
    columns: "kinds" in options ? ["day", "price"] : ["price"],
    given: ["amount", "shop"],
  };
  const single = await readTrainingTable(sales, chosen);
  const expected = single.rows.sample.arrays();
  const ranks = await readOnRanks(chosen);
  for (const table of ranks) {
    for (const name of [
      "columns",
      "table",
      "described",
      "given",
      "labels",
      "embedding",
      "constants",
      "missing",
    ] as const)
      expect(table[name]).toEqual(single[name]);
    for (const name of [
      "rows",
      "features",
      "contextFeatures",
      "columns",
      "contextColumns",
      "meanWeight",
      "constants",
    ] as const)
      expect(table.rows[name]).toEqual(single.rows[name]);
    expect(table.rows.sample.arrays()).toEqual(expected);
    expect(table.rows.constructor).toBe(single.rows.constructor);
  }
  for (const table of [single, ...ranks]) await table.close();
});

it("a stream that rank 0 reads trains the flow of one process, up to rounding", async () => {
  const learn = async (communicator?: Communicator) => {
    const options = { columns: ["price", "amount"], maxNumbersInMemory: 0, communicator };
    const { rows, close } = await readTrainingTable(sales, options);
    const flow = nsf(2, { hidden: [8], transforms: 1 });
    const { validationLogDensity } = await fit(flow, rows, {
      threads: 1,
      epochs: 2,
      batchSize: 96,
      ...(communicator && { communicator }),
    });
    await close();
    return validationLogDensity;
  };
  const one = await learn();
  const [first, second] = await onRanks(2, learn);
  expect(second).toBe(first);
  expect(first).toBeCloseTo(one, 4);
});

it("a stream that rank 0 reads cannot be trained on without the communicator", async () => {
  const [first, second] = await readOnRanks({ columns: ["amount"], maxNumbersInMemory: 0 }, 2);
  expect(await files.failure(fit(nsf(1), second!.rows, { threads: 1, epochs: 1 }))).toMatchInlineSnapshot(`
    "ARGUMENT only rank 0 can read these rows.
    Train with the communicator that the table was read with: fit(flow, table.rows, { communicator })."
  `);
  await first!.close();
});

it("a table that rank 0 cannot read is an error on all ranks", async () => {
  const failures = await onRanks(2, (communicator) =>
    files.failure(readTrainingTable(files.path("absent.csv"), { communicator })),
  );
  expect(failures[0]).toMatchInlineSnapshot(`
    "FILE There is no file absent.csv.
    Check the path."
  `);
  expect(failures[1]).toMatchInlineSnapshot(`
    "DATA rank 0 could not read the table.
    Read the error of rank 0, which has the cause."
  `);
});
