import { beforeAll, describe, expect, test } from "vitest";
import { nsf } from "../../src/flows/index.ts";
import { decodeModel, encodeModel, fitTable, Random, TableModel, type TableRow } from "../../src/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { encodeTable } from "../../src/tables/columns/encodeTable.ts";
import { MEMBERS_OF_REAL_COLUMNS } from "./memberNames.ts";

const CITIES = ["Bern", "Basel", "Zug"];

/**
 * Rows with a city, an amount that depends on it, a count that depends on the amount, a date, and amounts that are missing more often in one
 * city.
 */
function rows(count: number, seed: number) {
  const random = new Random(seed);
  const uniform = random.split("uniform").uniform(new Float64Array(3 * count));
  const normal = random.split("normal").normal(new Float64Array(count));
  return Array.from({ length: count }, (_, n) => {
    const [u, v, w] = uniform.subarray(3 * n, 3 * n + 3);
    const city = u < 0.5 ? 0 : u < 0.8 ? 1 : 2;
    const amount = 1e6 + 10 * city + normal[n];
    return {
      city: CITIES[city],
      amount: v < (city === 0 ? 0.3 : 0.1) ? null : amount,
      isMember: w < 0.2 + 0.3 * city,
      since: new Date(Date.UTC(2024, 0, 1 + Math.floor(60 * w))),
      country: "CH",
    };
  });
}

describe("fitTable", () => {
  const training = rows(4000, 1);
  let model: TableModel;
  beforeAll(async () => {
    ({ model } = await fitTable(training, { testFraction: 0, budget: "small", epochs: 80, kernel: false }));
  }, 120_000);

  test("infers a kind for each column", () => {
    expect(model.columns.map(({ name, kind, gaps }) => [name, kind, gaps])).toEqual([
      ["city", "categorical", false],
      ["amount", "continuous", true],
      ["isMember", "categorical", false],
      ["since", "time", false],
      ["country", "constant", false],
    ]);
  });

  test("scores new rows about as high as their true log-density", async () => {
    const heldOut = rows(2000, 2);
    const scores = await model.score(heldOut);
    const truth = heldOut.map(({ city, amount }) => {
      const c = CITIES.indexOf(city);
      const missing = c === 0 ? 0.3 : 0.1;
      const ofAmount =
        amount === null
          ? Math.log(missing)
          : Math.log1p(-missing) - 0.5 * (amount - 1e6 - 10 * c) ** 2 - 0.5 * Math.log(2 * Math.PI);
      // One number determines the day, uniformly, and whether the customer is a member.
      const day = Math.log(1 / 60);
      return Math.log([0.5, 0.3, 0.2][c]) + ofAmount + day;
    });
    const mean = (values: ArrayLike<number>) => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
    expect(mean(scores)).toBeGreaterThan(mean(truth) - 0.15);
    expect(mean(scores)).toBeLessThan(mean(truth) + 0.1);
  });

  test("draws rows of the kinds of the table", async () => {
    const drawn = await model.sample(2000, { seed: 3 });
    for (const row of drawn) {
      expect(CITIES).toContain(row.city);
      expect(typeof row.isMember).toBe("boolean");
      expect(row.since).toBeInstanceOf(Date);
      expect(row.country).toBe("CH");
    }
    const share = (test: (row: TableRow) => boolean) => drawn.filter(test).length / drawn.length;
    expect(share(({ city }) => city === "Bern")).toBeCloseTo(0.5, 1);
    expect(share(({ city, amount }) => city === "Bern" && amount === null)).toBeCloseTo(0.15, 1);
    expect((await model.sample(5, { seed: 3 }))[4]).toEqual(drawn[4]);
  });

  test("draws rows without missing values, which keep the values that are not missing", async () => {
    const [drawn, withGaps] = [
      await model.sample(2000, { gaps: false, seed: 3 }),
      await model.sample(2000, { seed: 3 }),
    ];
    const inBern: number[] = [];
    drawn.forEach(({ amount, ...row }, n) => {
      const { amount: withGap, ...other } = withGaps[n];
      expect(row).toEqual(other);
      if (withGap !== null) expect(amount).toBe(withGap);
      else if (row.city === "Bern") inBern.push((amount as number) - 1e6);
    });
    // An amount in place of a missing one has the distribution of the present amounts of its city, with the mean 0 in Bern.
    expect(inBern.length).toBeGreaterThan(200);
    expect(Math.abs(inBern.reduce((a, b) => a + b) / inBern.length)).toBeLessThan(0.5);
    expect(await model.sample(3, { gaps: false, start: 7, seed: 3 })).toEqual(drawn.slice(7, 10));
  });

  test("draws rows without missing values given some columns", async () => {
    const given = { city: "Zug" };
    const drawn = await model.sample(300, { gaps: false, given, seed: 3 });
    const withGaps = await model.sample(300, { given, seed: 3 });
    expect(withGaps.some(({ amount }) => amount === null)).toBe(true);
    drawn.forEach((row, n) => {
      expect(row).toEqual({ ...withGaps[n], amount: withGaps[n].amount ?? expect.any(Number) });
    });
    // A missing value that is given stays.
    const missing = await model.sample(5, { gaps: false, given: { amount: null }, seed: 3 });
    expect(missing.map(({ amount }) => amount)).toEqual(new Array(5).fill(null));
  });

  test("draws the other columns given any columns", async () => {
    const drawn = await model.sample(1000, { given: { amount: 1e6 + 20, country: "CH" }, seed: 1 });
    expect(drawn.every(({ amount }) => amount === 1e6 + 20)).toBe(true);
    expect(drawn.filter(({ city }) => city === "Zug").length).toBeGreaterThan(950);
    await expect(model.sample(1, { given: { city: "Genf" } })).rejects.toThrow(
      'column "city" has no label Genf',
    );
    await expect(model.sample(1, { given: { country: "DE" } })).rejects.toThrow(
      'the given value of column "country" is not possible: expected constant: CH, received DE',
    );
    await expect(model.sample(1, { given: { since: "2031-01-01" } })).rejects.toThrow(
      'the given value of column "since" is not possible',
    );
    await expect(model.sample(1, { given: { city: null } })).rejects.toThrow(
      'the given value of column "city" is missing: expected a value, because no value of this column was missing in training',
    );
    await expect(model.sample(1, { given: { citi: "Bern" } })).rejects.toThrow('Did you mean "city"?');
  });

  test("replaces missing values by values that fit the present ones", async () => {
    const incomplete = rows(500, 4).map((row) => ({ ...row, amount: null }));
    const complete = await model.impute(incomplete);
    complete.forEach((row, n) => {
      expect(row.city).toBe(incomplete[n].city);
      expect(row.amount).not.toBeNull();
    });
    const errors = complete
      .map((row) => (row.amount as number) - 1e6 - 10 * CITIES.indexOf(row.city as string))
      .sort((a, b) => a - b);
    // The quartiles of a standard normal distribution, within five standard errors of 500 rows.
    [0.25, 0.5, 0.75].forEach((level, i) => {
      expect(Math.abs(errors[level * 500] - [-0.674, 0, 0.674][i])).toBeLessThan(0.3);
    });
    expect(errors.filter((error) => Math.abs(error) > 5).length).toBeLessThan(40);
  });

  test("imputes rows with values that training did not have, which stay", async () => {
    const [row] = rows(1, 9);
    const [imputed] = await model.impute([{ ...row, city: "Genf", country: "DE", amount: null }]);
    expect(imputed).toMatchObject({ city: "Genf", country: "DE", isMember: row.isMember });
    expect(imputed.since).toEqual(row.since);
    expect(imputed.amount).not.toBeNull();
  });

  test("has the same draws in both precisions and with any number of threads", async () => {
    const options = { given: { city: "Basel" }, seed: 2 };
    const single = await model.sample(600, options);
    expect(await model.sample(600, { ...options, threads: 1 })).toEqual(single);
    const double = await model.sample(600, { ...options, precision: "float64" });
    const differing = double.filter((row, n) => row.isMember !== single[n].isMember).length;
    expect(differing).toBeLessThan(3);
    await expect(model.sample(1, { ...options, precision: "half" as never })).rejects.toThrow("precision");
    await expect(model.sample(-1, options)).rejects.toThrow("the number of samples is not valid");
  });

  test("scores some columns given others", async () => {
    const [row] = rows(1, 5);
    const of = await model.score([row], { of: ["city"] });
    expect(Math.exp(of[0])).toBeCloseTo([0.5, 0.3, 0.2][CITIES.indexOf(row.city)], 1);
    const scores = await model.score(
      CITIES.map((city) => ({ ...row, city })),
      { of: ["city"], given: ["isMember"] },
    );
    const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
    // A label that training did not have has the rest.
    expect(total).toBeLessThanOrEqual(1);
    expect(total).toBeGreaterThan(0.98);
  });

  test("gives probability 0 to another constant, a small one to a new label, and NaN without gaps", async () => {
    const [row] = rows(1, 6);
    const scores = await model.score([
      { ...row, country: "DE" },
      { ...row, city: "Genf" },
      { ...row, city: null as unknown as string },
      row,
    ]);
    expect(scores[0]).toBe(Number.NEGATIVE_INFINITY);
    expect(scores[1]).toBeLessThan(scores[3] - 3);
    expect(Number.isFinite(scores[1])).toBe(true);
    expect(scores[2]).toBeNaN();
  });

  test("scores and completes no rows", async () => {
    expect(await model.score([])).toEqual(new Float64Array(0));
    expect(await model.impute([])).toEqual([]);
  });

  test("is saved with its columns", async () => {
    const bytes = encodeModel(model.contents);
    const loaded = TableModel.from(await decodeModel(bytes));
    const some = rows(20, 7);
    expect(await loaded.score(some)).toEqual(await model.score(some));
    expect(await loaded.sample(5)).toEqual(await model.sample(5));
  });
});

test("a table of real numbers gets flows too, and a constant column changes no log-density", {
  timeout: 120_000,
}, async () => {
  const random = new Random(8);
  const [a, b] = [0, 1].map((i) => random.split(i).normal(new Float64Array(300)));
  const table = { a: a.map(Math.exp), b, c: new Array(300).fill("EUR") };
  const names: string[] = [];
  const options = { epochs: 2, onMember: (name: string) => names.push(name) };
  const { model } = await fitTable(table, options);
  expect(names).toEqual(MEMBERS_OF_REAL_COLUMNS);
  const { model: without } = await fitTable({ a: table.a, b: table.b }, options);
  expect(await model.score(table)).toEqual(await without.score(table));
  for (const { a, c } of await model.sample(200)) {
    expect(a).toBeGreaterThan(0);
    expect(c).toBe("EUR");
  }
});

test("members trained by gradients get most of maxMinutes, and members fitted in one pass a tenth as much each", async () => {
  const random = new Random(9);
  const [a, b] = [0, 1].map((i) => random.split(i).normal(new Float64Array(300)).map(Math.round));
  const starts: Record<string, number> = {};
  const limit = 3000;
  const begin = performance.now();
  const { stopped } = await fitTable(
    { a: a!, b: b! },
    {
      epochs: 1_000_000,
      patience: 1_000_000,
      maxMinutes: limit / 60_000,
      onMember: (name) => {
        starts[name] = performance.now();
      },
    },
  );
  const [network, classes] = Object.values(starts);
  // On a busy machine, the time can end before the last ones start.
  const names = [
    "autoregressive",
    "latent-classes",
    "gaussian-mixture",
    "kernel-density",
    "correlated-kernels",
  ];
  expect(Object.keys(starts)).toEqual(names.slice(0, Object.keys(starts).length));
  expect(stopped).toBe("time");
  // With equal shares it would have a quarter of the time that is left.
  expect(classes! - network!).toBeGreaterThan(0.4 * (begin + limit - network!));
});

test("`stopped` is the reason why the training of the best member (by gradients) ended, not of the last member", async () => {
  const random = new Random(10);
  const [x, noise] = [0, 1].map((i) => random.split(i).normal(new Float64Array(300)));
  const y = x!.map((value, n) => value ** 2 + 0.1 * noise![n]!);
  const label = Array.from(x!, (value) => (value > 0 ? "a" : "b"));
  const curves: Record<string, number[]> = {};
  let current: number[] = [];
  const { stopped } = await fitTable(
    { x: x!, y, label },
    {
      ...{ testFraction: 0, kernel: false, epochs: 20, patience: 2, threads: 1 },
      optimizer: { learningRate: 0.01 },
      onMember: (name) => {
        current = [];
        curves[name] = current;
      },
      onEpoch: ({ validationLogDensity }) => current.push(validationLogDensity),
    },
  );
  const { autoregressive: best, "latent-classes": last } = curves;
  expect(Math.max(...best!)).toBeGreaterThan(Math.max(...last!));
  expect([best!.length < 20, last!.length]).toEqual([true, 20]);
  expect(stopped).toBe("patience");
});

test("a column that is left out may have values of any type, and so may columns that the model does not have", async () => {
  const nested = Array.from({ length: 60 }, (_, i) => ({ n: Math.sin(i), detail: { i } }));
  const small = { testFraction: 0, budget: "small", kernel: false, epochs: 1 } as const;
  const options = { columns: { detail: "exclude" }, ...small } as const;
  const { model, excluded } = await fitTable(nested as never, options);
  expect(Object.keys(excluded)).toEqual(["detail"]);
  expect(await model.score(nested as never)).toHaveLength(60);
  // An undefined value is not given; null would be a missing one.
  const open = await model.sample(3, { given: { n: undefined } });
  expect(open).toEqual(await model.sample(3));
  await model.release();
  await expect(fitTable(nested as never, { ...options, maxMinutes: -1 })).rejects.toThrow(
    "the option maxMinutes of fitTable has an invalid value: expected a number of at least 0, received -1.",
  );
});

test("refuses options that only training runs on rows of numbers have", async () => {
  const table = { a: [1, 2, 3], b: ["x", "y", "x"] };
  await expect(fitTable(table, { weights: [1, 2, 3] } as never)).rejects.toThrow(
    "unknown option of fitTable: expected one of columns, testFraction, contamination,",
  );
  await expect(fitTable(table, { epoch: 3 } as never)).rejects.toThrow("epoch");
  for (const recipe of [nsf, { name: "nsf" }, { flow: nsf }]) {
    await expect(fitTable(table, { recipe } as never)).rejects.toThrow(
      'the option recipe of fitTable has an invalid value: expected a recipe with a name, such as { name: "nsf", flow: nsf }, received',
    );
  }
  const days = { date: [1, 2, 3, 4].map((day) => new Date(864e5 * day)), "date.weekday": [1, 2, 1.5, 0.5] };
  await expect(fitTable(days)).rejects.toThrow(
    'the columns "date" and "date.weekday" need the same feature name',
  );
  await expect(fitTable(table, { columns: { c: "integer" } })).rejects.toThrow('there is no column "c"');
  for (const columns of [null, { a: null }] as never[])
    await expect(fitTable(table, { columns })).rejects.toMatchObject({ code: "ARGUMENT" });
});

test("numbers that are text are left out with the reason", async () => {
  const numbers = Array.from(new Random(2).normal(new Float64Array(60)), String);
  const small = { testFraction: 0, budget: "small", kernel: false, epochs: 1 } as const;
  const { excluded } = await fitTable({ a: numbers, b: numbers.map(Number) }, small);
  expect(excluded).toMatchInlineSnapshot(`
    {
      "a": "text whose values are nearly all different (60 in 60 rows): the values look like numbers, so convert them with Number(...)",
    }
  `);
  await expect(
    fitTable({ a: numbers, b: new Array(60).fill(1) }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the table has no column to learn: received b: constant; a: text whose values are nearly all different (60 in 60 rows): the values look like numbers, so convert them with Number(...).
    State the kind of a column to learn it anyway: { columns: { name: "categorical" } }.]
  `);
  await expect(fitTable({ b: [1, 1] })).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the table has no column that varies: received b: constant.
    State the kind of a column to learn it anyway: { columns: { name: "categorical" } }.]
  `);
});

test("the probabilities of all days, a missing day and all labels sum to 1", async () => {
  const uniform = new Random(3).uniform(new Float64Array(800));
  const training = Array.from({ length: 200 }, (_, n) => {
    const [u, v, w, x] = uniform.subarray(4 * n);
    const day = new Date(Date.UTC(2025, 0, 6 + 7 * Math.floor(w * 6) + Math.floor(v * (u < 0.5 ? 5 : 7))));
    return { shop: u < 0.5 ? "north" : "south", day: x < (u < 0.5 ? 0.4 : 0.1) ? null : day };
  });
  const { model } = await fitTable(training, { testFraction: 0, budget: "small", epochs: 20 });
  const days = Array.from({ length: 400 }, (_, d) => new Date(Date.UTC(2024, 6, 1 + d)));
  const rows = ["north", "south", "unseen"].flatMap((shop) => [...days, null].map((day) => ({ shop, day })));
  const scores = await model.score(rows);
  // In float32, the rounding of a member is about 1e-6.
  const features = encodeTable(model.columns, rows, ["shop", "day"]).values;
  const logProb = compile((x) => model.flow.base.logProb(x), [["N", model.flow.features]], {
    precision: "float64",
  });
  const exactScores = await logProb(features).finally(() => logProb.release());
  exactScores.forEach((value, n) => {
    expect(scores[n]).toBeCloseTo(value, 4);
  });
  const probabilities = Array.from(exactScores, Math.exp);
  expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  const missing = rows.reduce((sum, { day }, n) => sum + (day === null ? probabilities[n] : 0), 0);
  const drawn = await model.sample(4000, { seed: 1 });
  const share = drawn.filter(({ day }) => day === null).length / drawn.length;
  expect(Math.abs(share - missing)).toBeLessThan(4.5 * Math.sqrt((missing * (1 - missing)) / drawn.length));
});
