import { describe, expect, test } from "vitest";
import { StandardNormal } from "../../src/distributions/index.ts";
import { Flow, maf, nsf } from "../../src/flows/index.ts";
import { input } from "../../src/graph/tensor.ts";
import { forTables } from "../../src/tables/fit/index.ts";
import { trained } from "./trained.ts";

const flow = trained(nsf(2, { transforms: 1, hidden: [8] }));
const conditional = trained(maf(2, { context: 3, transforms: 1, hidden: [8], activation: "tanh" }));
const named = trained(forTables(maf(2, { context: 2, transforms: 1, hidden: [8], activation: "tanh" })));
named.columns = ["x", "y"];
named.contextColumns = ["age", "kind"];

const x = [1, -2, 0.5, 0, 2, 1];
const message = (call: () => unknown) =>
  Promise.resolve()
    .then(call)
    .then(
      () => "no error",
      (error) => `${error.code}: ${error.message}`,
    );
const wrong = (value: unknown) => value as never;

describe("rows", () => {
  test("may be flat, arrays, objects or columns, for all methods", async () => {
    const context = [1, 2];
    const rows = [x.slice(0, 2), x.slice(2, 4), x.slice(4)];
    const objects = rows.map(([x, y]) => ({ y, x }));
    const columns = { y: [-2, 0, 1], x: Float32Array.of(1, 0.5, 2) };
    for (const form of [rows, objects, columns, Float32Array.from(x)]) {
      expect(await named.logProb(form, context)).toEqual(await named.logProb(x, context));
      expect(await named.toLatent(form, context)).toEqual(await named.toLatent(x, context));
      expect(await named.toData(form, context)).toEqual(await named.toData(x, context));
    }
  });

  test("of a context may have these forms too, and a single context may be an object", async () => {
    const expected = await named.logProb(x, [1, 2]);
    const one = [[1, 2], [[1, 2]], [{ kind: 2, age: 1 }], { kind: [2], age: [1] }, { kind: 2, age: 1 }];
    for (const context of one) expect(await named.logProb(x, context)).toEqual(expected);
    const three = [
      { kind: 2, age: 1 },
      { age: 1, kind: 2 },
      { kind: 2, age: 1 },
    ];
    expect(await named.logProb(x, three)).toEqual(expected);
    const options = { seed: 2, as: "rows" } as const;
    expect(await named.sample(3, { ...options, context: { kind: 2, age: 1 } })).toEqual(
      await named.sample(3, { ...options, context: [1, 2, 1, 2, 1, 2] }),
    );
  });

  test("are returned in the requested form", async () => {
    const context = [1, 2];
    const flat = await named.toLatent(x, context);
    const rows = [flat.slice(0, 2), flat.slice(2, 4), flat.slice(4)].map((row) => [...row]);
    expect(await named.toLatent(x, context, { as: "flat" })).toEqual(flat);
    expect(await named.toLatent(x, context, { as: "rows" })).toEqual(rows);
    expect(await named.toLatent(x, context, { as: "objects" })).toEqual(rows.map(([x, y]) => ({ x, y })));
    const columns = await named.toLatent(x, context, { as: "columns" });
    expect(columns).toEqual({
      x: Float64Array.from(rows, ([x]) => x),
      y: Float64Array.from(rows, ([, y]) => y),
    });
    const { samples, logProb } = await named.sampleAndLogProb(2, { as: "objects", context });
    expect(samples.map(({ x, y }) => [x, y])).toEqual(await named.sample(2, { as: "rows", context }));
    expect(await named.logProb(samples, context)).toHaveLength(logProb.length);
    expect(
      await new Flow(new StandardNormal({ features: 2 })).toData([1, 2], undefined, { as: "rows" }),
    ).toEqual([[1, 2]]);
  });

  test.each<[string, () => unknown, string]>([
    [
      "ragged",
      () => flow.logProb([[1, 2], [3]]),
      "SHAPE: row 1 of x has a wrong length: expected 2 numbers, received 1.",
    ],
    [
      "nested",
      () => flow.logProb(wrong([[[1, 2]]])),
      "SHAPE: row 0 of x has a wrong length: expected 2 numbers, received 1.",
    ],
    [
      "text",
      () => flow.toLatent(wrong(["1", "2"])),
      'DATA: row 0, column 0 of x is "1": expected a finite number.',
    ],
    ["undefined", () => flow.logProb(wrong(undefined)), "ARGUMENT: x cannot be read"],
    ["NaN", () => flow.logProb([1, Number.NaN]), "DATA: row 0, column 1 of x is NaN"],
    [
      "infinite",
      () => flow.toData([0, 0, 1, -1 / 0]),
      "DATA: row 1, column 1 of z is -Infinity: expected a finite number.\nRemove such rows, or replace the value.",
    ],
    [
      "with other names",
      () => named.logProb([{ x: 1, z: 2 }], [1, 2]),
      "DATA: row 0 of x has wrong columns: expected x, y, received x, z.",
    ],
    [
      "with names if the flow has none",
      () => flow.logProb([{ x: 1, y: 2 }]),
      "ARGUMENT: x has names, but flow.columns is not set",
    ],
    [
      "returned with names if the flow has none",
      () => flow.sample(1, { as: "objects" }),
      'ARGUMENT: rows cannot be returned as "',
    ],
    [
      "returned in an unknown form",
      () => flow.sample(1, { as: wrong("objets") }),
      'ARGUMENT: rows cannot be returned in this form: expected flat, rows, objects, columns, received "objets".',
    ],
  ])("throws for rows %s", async (_, call, expected) => {
    expect((await message(call)).slice(0, expected.length)).toBe(expected);
  });

  test.each<[string, () => unknown, string]>([
    [
      "NaN",
      () => conditional.logProb([1, 2], [1, Number.NaN, 2]),
      "DATA: row 0, column 1 of the context is NaN",
    ],
    [
      "infinite",
      () => conditional.sample(2, { context: [1, 1 / 0, 2] }),
      "DATA: row 0, column 1 of the context is Infinity: expected a finite number",
    ],
    ["text", () => conditional.sample(2, { context: wrong("abc") }), "ARGUMENT: the context cannot be read"],
    [
      "of a wrong width",
      () => conditional.logProb([1, 2], [[1, 2]]),
      "SHAPE: row 0 of the context has a wrong length",
    ],
    ["null", () => conditional.logProb([1, 2], wrong(null)), "ARGUMENT: the context cannot be read"],
    [
      "null of an unconditional flow",
      () => flow.logProb([1, 2], wrong(null)),
      "ARGUMENT: the flow is not conditional",
    ],
    [
      "swapped with the rows",
      () => conditional.logProb([1, 2, 3, 4, 5, 6], [1, 2, 3, 4]),
      "SHAPE: the length of the flat array of the context is not a multiple of the row length: expected a multiple of 3, received 4.",
    ],
    [
      "swapped with the rows, of a length that is a multiple by chance",
      () => conditional.logProb(Array(18).fill(0), Array(12).fill(0)),
      "SHAPE: the context and the rows have different numbers of rows: expected 1 row of 3 numbers for all, or 9 rows, received 4 rows (did you swap the rows and the context?).",
    ],
  ])("throws for a context %s", async (_, call, expected) => {
    expect((await message(call)).slice(0, expected.length)).toBe(expected);
  });
});

describe("names of columns", () => {
  test("must be as many as features, and different", () => {
    const own = maf(2, { context: 1 });
    expect(own.columns).toBeUndefined();
    own.columns = ["a", "b"];
    expect(own.columns).toEqual(["a", "b"]);
    const set = (columns: unknown) => () => {
      own.columns = wrong(columns);
    };
    expect(set(["a"])).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: columns of the flow are not valid: expected 2 different names, received ["a"].]`,
    );
    for (const bad of [["a", "a"], [1, 2], "ab"]) expect(set(bad)).toThrow("2 different names");
    expect(() => {
      own.contextColumns = ["a", "b"];
    }).toThrow("contextColumns of the flow are not valid: expected 1 different names");
    own.columns = undefined;
    expect(own.columns).toBeUndefined();
  });
});

describe("options", () => {
  const precisions =
    'the option precision of logProb has an invalid value: expected "float32" or "float64", received "float16".';
  test.each<[() => unknown, string]>([
    [
      () => flow.logProb([1, 2], undefined, wrong({ thread: 1 })),
      "unknown option of logProb: expected one of precision, providers, threads, received thread (did you mean threads?).",
    ],
    [
      () => flow.sample(2, wrong({ sed: 1 })),
      "unknown option of sample: expected one of precision, providers, threads, as, seed, start, context, contexts, received sed (did you mean seed?).",
    ],
    [
      () => flow.toData([1, 2], undefined, wrong({ seed: 1 })),
      "unknown option of toData: expected one of precision, providers, threads, as, received seed.",
    ],
    [() => flow.sampleAndLogProb(2, wrong([1])), "the options of sampleAndLogProb are not an object"],
    [() => flow.logProb([1, 2], undefined, wrong({ precision: "float16" })), precisions],
    [
      () => flow.sample(2, { threads: 0 }),
      "the option threads of sample has an invalid value: expected 1, 2, 3, ..., received 0.",
    ],
    [
      () => flow.sample(2, wrong({ providers: "cuda" })),
      'the option providers of sample has an invalid value: expected a list of names, such as ["cuda", "cpu"], received "cuda".',
    ],
    [
      () => flow.logProb([1, 2], wrong({ precision: "float64" })),
      "logProb takes its options after the context: expected logProb(rows, undefined, options), received an object with precision for the context.",
    ],
    [
      () => conditional.toLatent([1, 2], wrong({ threads: 2 })),
      "toLatent takes its options after the context: expected toLatent(rows, context, options), received an object with threads for the context.",
    ],
    [
      () => flow.sample(5, { context: { age: 3 } }),
      'the flow is not conditional: expected no context, received {"age":3}.',
    ],
    [
      () => flow.sample(wrong("5")),
      'the number of samples is not valid: expected 0, 1, 2, ..., received "5".',
    ],
    [
      () => flow.sample(1, { start: 0.5 }),
      "the option start of sample has an invalid value: expected 0, 1, 2, ..., received 0.5.",
    ],
  ])("%#: %s", async (call, expected) => {
    expect((await message(call)).slice(0, expected.length + 10)).toBe(`ARGUMENT: ${expected}`);
  });
});

test("options of exportOnnx are checked too", async () => {
  await expect(flow.exportOnnx(wrong({ precison: "float64" }))).rejects.toThrow(
    "unknown option of exportOnnx: expected one of what, precision, noise, metadata, received precison (did you mean precision?).",
  );
  await expect(flow.exportOnnx(wrong({ precision: "float16" }))).rejects.toThrow(
    "the option precision of exportOnnx",
  );
});

test("throws for noise tensors of a wrong shape", () => {
  expect(() => flow.sample([input("z", ["N", 3])])).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the noise has a wrong shape for the flow: expected [N, 2], received [N, 3].]`,
  );
  expect(() => flow.sampleAndLogProb([])).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the noise has a wrong shape for the flow: expected [N, 2], received none.]`,
  );
});

describe("an array that changes right after a call", () => {
  const change = (...arrays: Float64Array[]) => {
    for (const array of arrays) array.fill(Number.NaN);
  };

  test("does not change its result", async () => {
    const [rows, context] = [Float64Array.of(1, -2, 0.5, 0), Float64Array.of(1, 2, 3, 3, 2, 1)];
    const calls: ((rows: Float64Array, context: Float64Array) => Promise<unknown>)[] = [
      (rows, context) => conditional.logProb(rows, context),
      (rows, context) => conditional.toLatent(rows, context),
      (rows, context) => conditional.toData(rows, context),
      (_, context) => conditional.sample(2, { context }),
      (_, contexts) => conditional.sample(2, { contexts }),
      (_, context) => conditional.sampleAndLogProb(2, { context }),
      (rows) => new Flow(new StandardNormal({ features: 2 })).toLatent(rows),
    ];
    for (const call of calls) {
      const given = [rows.slice(), context.slice()] as const;
      const expected = await call(...given);
      const result = call(...given);
      change(...given);
      expect(await result).toEqual(expected);
    }
    const own = Float64Array.of(1, 2, 3);
    const fixed = conditional.withContext(own);
    const expected = await fixed.logProb(rows);
    change(own);
    expect(await fixed.logProb(rows)).toEqual(expected);
  });
});
