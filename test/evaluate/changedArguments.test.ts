import { beforeAll, expect, test } from "vitest";
import { dequantize, glow, nsf } from "../../src/flows/index.ts";
import { ImageModel } from "../../src/images/model/index.ts";
import type { TableInput, TableRow } from "../../src/tables/columns/tableRows.ts";
import { conditionalCalibration, evaluate, report } from "../../src/tables/evaluate/index.ts";
import type { TableModel } from "../../src/tables/model/tableModel.ts";
import { curveRows, latentClassModel } from "./latentClassModel.ts";

const training = curveRows(200, 1);
let model: TableModel;
beforeAll(async () => {
  model = await latentClassModel(training, 4);
});

const copied = (rows: readonly TableRow[]): TableRow[] => rows.map((row) => ({ ...row }));

const change = (rows: readonly TableRow[]): void => {
  for (const row of rows) Object.assign(row, { x: 7, y: 7, label: "left" });
};

/** The rows as objects and as columns by name, each with a function that overwrites them. */
const forms = (rows: readonly TableRow[]): [table: TableInput, change: () => void][] => {
  const objects = copied(rows);
  const columns = {
    x: Float64Array.from(rows, ({ x }) => x as number),
    y: Float64Array.from(rows, ({ y }) => (y as number | null) ?? Number.NaN),
    label: rows.map(({ label }) => label),
  };
  return [
    [objects, () => change(objects)],
    [
      columns,
      () => {
        for (const column of Object.values(columns) as unknown[][]) column.fill(7);
      },
    ],
  ];
};

const heldOut = curveRows(24, 2);

test.each<[string, (table: TableInput) => Promise<unknown>]>([
  ["score", (table) => model.score(table)],
  ["score of some columns", (table) => model.score(table, { of: ["y"], given: ["x"] })],
  ["impute", (table) => model.impute(table)],
  ["conditionalCalibration", (table) => conditionalCalibration(model, table, { draws: 3 })],
])("%s does not depend on what happens to the rows after the call", async (_, call) => {
  const expected = await call(heldOut);
  for (const [table, change] of forms(heldOut)) {
    const result = call(table);
    change();
    expect(await result).toEqual(expected);
  }
});

test("the rows of a report may change after the call", async () => {
  const few = training.slice(0, 40);
  const rows = () => ({ heldOut: copied(heldOut), training: copied(few), generated: copied(few) });
  const expected = await report(model, rows(), { maxRows: 20 });
  const changed = rows();
  const result = report(model, changed, { maxRows: 20 });
  Object.values(changed).forEach(change);
  expect(await result).toEqual(expected);
});

test("values that are given to sample may change after the call", async () => {
  const given = { label: "left" };
  const expected = await model.sample(3, { given: { ...given } });
  const result = model.sample(3, { given });
  given.label = "right";
  expect(await result).toEqual(expected);
});

test("classes and pixels of images may change after the call", async () => {
  const flow = dequantize(glow({ image: [2, 2, 1], levels: 1, steps: 1, width: 4, classes: 2 }));
  await using image = new ImageModel({ flow, shape: [2, 2, 1], classes: ["a", "b"] });
  // The prior of the last level starts with 0, and then does not depend on the class.
  for (const { value, trainable } of flow.parameters().values())
    if (trainable) for (let i = 0; i < value.length; i++) value[i]! += 0.3 * Math.sin(i + 1);
  for (const call of [
    (_: Float64Array, classes: number[]) => image.sample(2, { classes, seed: 3 }),
    (pixels: Float64Array, classes: number[]) => image.logProb(pixels, { classes }),
    (pixels: Float64Array, classes: number[]) => image.toLatent(pixels, { classes }),
  ]) {
    const [pixels, classes] = [Float64Array.of(0, 50, 100, 150, 200, 250, 100, 5), [0, 1]];
    const expected = await call(pixels.slice(), [...classes]);
    const result = call(pixels, classes);
    pixels.fill(1);
    classes.fill(1);
    expect(await result).toEqual(expected);
    expect(await call(Float64Array.of(0, 50, 100, 150, 200, 250, 100, 5), [1, 1])).not.toEqual(expected);
  }
  // The middle of a line may be the same image for both classes, so that pixels change too.
  for (const call of [
    (pixels: Float64Array) => image.classify(pixels),
    (pixels: Float64Array, classes: Int32Array) =>
      image.interpolate(pixels.subarray(0, 4), pixels.subarray(4), 3, { classes: classes.subarray(0, 1) }),
  ]) {
    const [pixels, classes] = [Float64Array.of(0, 50, 100, 150, 200, 250, 100, 5), Int32Array.of(0, 1)];
    const expected = await call(pixels.slice(), classes.slice());
    const result = call(pixels, classes);
    pixels.fill(1);
    classes.fill(1);
    expect(await result).toEqual(expected);
    expect(await call(pixels, classes)).not.toEqual(expected);
  }
});

test("rows to evaluate a flow on may change after the call", async () => {
  const flow = nsf(2, { transforms: 1, hidden: [4] });
  const rows = [
    [1, 2],
    [3, 4],
  ];
  const { logDensity: expected } = await evaluate(flow, [...rows.map((row) => [...row])]);
  const result = evaluate(flow, rows);
  for (const row of rows) row.fill(0);
  expect((await result).logDensity).toEqual(expected);
});
