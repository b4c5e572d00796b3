import { beforeAll, describe, expect, test } from "vitest";
import { decodeModel, encodeModel, fitTable, Random, TableModel } from "../../../src/index.ts";
import { decodeWithChecksum, encodeWithChecksum } from "../../../src/parts/checksum.ts";
import type { StoredArray } from "../../../src/parts/safetensors.ts";
import { benjaminiHochberg } from "../../../src/tables/anomalies/conformal.ts";

const CITIES = ["Bern", "Basel", "Zug"];

/** A price that is 10 times the area, up to noise of 3; a floor that nothing else depends on; a city whose areas differ. */
function houses(count: number, seed: number) {
  const normal = new Random(seed).split("normal").normal(new Float64Array(2 * count));
  const uniform = new Random(seed).split("uniform").uniform(new Float64Array(2 * count));
  return Array.from({ length: count }, (_, n) => {
    const city = Math.floor(3 * uniform[2 * n]);
    const area = 50 + 30 * city + 8 * normal[2 * n];
    return {
      area,
      price: 10 * area + 3 * normal[2 * n + 1],
      floor: Math.floor(6 * uniform[2 * n + 1]) as number | null,
      city: CITIES[city],
      country: "CH",
    };
  });
}

describe("TableModel.anomalies", () => {
  let model: TableModel;
  let testRows: readonly number[];
  const fresh = houses(300, 2);
  // Areas in Bern are 60 smaller than in Zug, which is 7.5 standard deviations.
  const inBern = fresh.findIndex(({ city, area }) => city === "Bern" && area < 50);
  const tampered = fresh.map((house, n) => {
    if (n === 10) return { ...house, price: house.price + 300 };
    if (n === inBern) return { ...house, city: "Zug" };
    if (n === 30) return { ...house, floor: 40 };
    return n === 40 ? { ...house, country: "DE" } : house;
  });

  beforeAll(async () => {
    ({ model, testRows } = await fitTable(houses(1000, 1), { budget: "small", epochs: 25 }));
  }, 120_000);

  test("finds the rows in which a value was replaced, and names the column", async () => {
    expect(testRows.length).toBe(100);
    const { anomalies, expectedFalseAlarms, calibrationRows } = await model.anomalies(tampered, { count: 4 });
    expect(new Map(anomalies.map(({ row, reasons }) => [row, reasons[0].column]))).toEqual(
      new Map([
        [10, "price"],
        [inBern, "city"],
        [30, "floor"],
        [40, "country"],
      ]),
    );
    expect(calibrationRows).toBe(100);
    for (const { pValue } of anomalies) expect(pValue).toBe(1 / 101);
    expect(expectedFalseAlarms).toBeCloseTo(300 / 101);
  });

  test("states the conditional median and interval, labels and constants that were expected", async () => {
    const { anomalies } = await model.anomalies(tampered, { count: 4 });
    const reasonOf = (row: number) => anomalies.find((each) => each.row === row)!.reasons[0];
    const price = reasonOf(10);
    expect(price.value).toBe(tampered[10].price);
    // The price has a mean of 10 times the area; the short training has learned it up to a few units, of the 270 units that prices spread.
    expect(Math.abs(Number(price.expected.median) - 10 * tampered[10].area)).toBeLessThan(20);
    const [low, high] = price.expected.interval!.map(Number);
    expect(high - low).toBeGreaterThan(6);
    expect(high - low).toBeLessThan(60);
    expect(price.gain).toBeGreaterThan(5);
    expect(reasonOf(inBern).expected.labels![0].value).toBe("Bern");
    expect(reasonOf(40)).toEqual({
      column: "country",
      value: "DE",
      conditional: true,
      gain: Number.POSITIVE_INFINITY,
      expected: { labels: [{ value: "CH", probability: 1 }], missing: 0 },
    });
  });

  test("states the usual values of rare ones that are probable given each other", async () => {
    const large = { area: 127.5, price: 1275, floor: 2, city: "Zug", country: "CH" };
    const { anomalies } = await model.anomalies([large, fresh[0]], { count: 1 });
    const [{ row, reasons }] = anomalies;
    expect(row).toBe(0);
    const firstTwo = reasons.slice(0, 2).map(({ column, conditional }) => ({ column, conditional }));
    expect(firstTwo).toContainEqual({ column: "area", conditional: false });
    expect(firstTwo).toContainEqual({ column: "price", conditional: false });
    const { gain, expected } = reasons.find(({ column }) => column === "area")!;
    expect(gain).toBeGreaterThan(1);
    const areas = houses(1000, 1)
      .map(({ area }) => area)
      .sort((a, b) => a - b);
    const [low, high] = expected.interval!.map(Number);
    expect(Math.abs(low - areas[50])).toBeLessThan(2);
    expect(Math.abs(high - areas[950])).toBeLessThan(2);
  });

  test("gives the same numbers after it was saved and loaded", async () => {
    const loaded = TableModel.from(await decodeModel(encodeModel(model.contents)));
    const [before, after] = [
      await model.anomalies(tampered, { count: 1 }),
      await loaded.anomalies(tampered, { count: 1 }),
    ];
    expect(after.pValues).toEqual(before.pValues);
    expect(after.anomalies[0].row).toBe(before.anomalies[0].row);
    await loaded.release();
  });

  test("scores the test rows of a table with decimals as in the calibration, also after it was saved and loaded", async () => {
    const table = houses(220, 3).map(({ area, price, city }) => ({
      // Lattices with a step of 0.1, and a column of real numbers, whose float32 values differ.
      area: Number((area / 10).toFixed(1)),
      price: Number((price / 100).toFixed(1)),
      ratio: price / area,
      city,
    }));
    const fitted = await fitTable(table, { epochs: 3, budget: "small" });
    expect(fitted.model.columns.map(({ kind }) => kind)).toEqual([
      "lattice",
      "lattice",
      "continuous",
      "categorical",
    ]);
    const loaded = TableModel.from(await decodeModel(encodeModel(fitted.model.contents)));
    for (const each of [fitted.model, loaded]) {
      const { scores, isTrainingTable } = await each.anomalies(table);
      const ofTestRows = Float64Array.from(fitted.testRows, (row) => scores[row]!).sort();
      const { calibration } = each.contents.anomalies!;
      for (const [i, score] of calibration.entries()) expect(ofTestRows[i]).toBeCloseTo(score, 5);
      expect(isTrainingTable).toBe(true);
      await each.release();
    }
  });

  test("is refused with a file of an earlier version, whose scores are not comparable, and the model is read", async () => {
    const { arrays, metadata } = decodeWithChecksum(encodeModel(model.contents));
    const earlier = Array.from(arrays, ([name, array]): [string, StoredArray] => [
      name === "anomalies.meanSurprises" ? "anomalies.meanSurprise" : name,
      array,
    ]);
    const loaded = TableModel.from(await decodeModel(encodeWithChecksum(new Map(earlier), metadata)));
    expect(await loaded.score(fresh)).toEqual(await model.score(fresh));
    await expect(loaded.anomalies(fresh)).rejects.toThrow("fit the table again");
    await loaded.release();
  });

  test("selects by the false discovery rate", async () => {
    const { discoveries, anomalies, pValues } = await model.anomalies(tampered, {
      falseDiscoveryRate: 0.5,
      count: 3,
    });
    const threshold = benjaminiHochberg(pValues, 0.5);
    expect(anomalies.length).toBe(3);
    expect(pValues.filter((p) => p <= threshold).length).toBe(discoveries);
    expect((await model.anomalies(fresh.slice(0, 5), { falseDiscoveryRate: 0.001 })).anomalies).toEqual([]);
  });

  test("has no p-value for a row with a missing value in a column that had none", async () => {
    const { pValues, anomalies } = await model.anomalies([{ ...fresh[0], floor: null }, fresh[1]]);
    expect(pValues[0]).toBeNaN();
    expect(anomalies.map(({ row }) => row)).toEqual([1]);
  });

  test("explains what it needs", async () => {
    const { columns, flow } = model;
    await expect(
      new TableModel({ columns, flow }).anomalies(fresh),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the model has no reference rows for anomalies.
      Its training was interrupted, or pushforward fit wrote it with --given: fit the table again without it.]
    `);
    const anomalies = { ...model.reference!, calibration: new Float64Array(0) };
    await expect(
      new TableModel({ columns, flow, anomalies }).anomalies(fresh),
    ).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the model has no rows that calibrate p-values of anomalies.
      Fit it again with test rows: pushforward fit --test-fraction 0.1, or the option testFraction of fitTable.]
    `);
    await expect(model.anomalies(fresh, { count: 0 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the option count of anomalies has an invalid value: expected 1, 2, 3, ..., received 0.]`,
    );
    await expect(
      model.anomalies(fresh, { falseDiscoveryRate: 1 }),
    ).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: the option falseDiscoveryRate of anomalies has an invalid value: expected a number above 0 and below 1, received 1.]`,
    );
  });
});
