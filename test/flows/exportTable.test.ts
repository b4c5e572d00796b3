import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, test } from "vitest";
import { ContextEmbedding } from "../../src/distributions/index.ts";
import { fitTable, maf, Random, TableModel } from "../../src/index.ts";
import { decodeRows, encodeRows, labelCodes } from "../../src/tables/columns/encode.ts";
import { rawColumns } from "../../src/tables/columns/tableRows.ts";
import {
  modelOfAllKinds,
  modelOfRows,
  rowsOfAllKinds,
  samplerInputs,
  tableInputs,
  tensorsOf,
  unusualRows,
} from "./exportedTable.ts";

const model = modelOfAllKinds();
const PRECISIONS = [
  ["float32", 5],
  ["float64", 10],
] as const;

test.each(PRECISIONS)("an exported model of a table scores rows in %s", async (precision, digits) => {
  const rows = unusualRows(rowsOfAllKinds(60, 2));
  const session = await InferenceSession.create(await model.exportOnnx({ precision }));
  expect(session.inputNames).toEqual(model.columns.map(({ name }) => name));
  const { logProb } = await session.run(tensorsOf(tableInputs(model.columns, rows), Tensor));
  const expected = await model.score(rows, { precision });
  expect([...expected.slice(0, 6)].map((value) => (Number.isFinite(value) ? "finite" : value))).toEqual([
    "finite",
    Number.NEGATIVE_INFINITY,
    Number.NaN,
    Number.NEGATIVE_INFINITY,
    Number.NEGATIVE_INFINITY,
    Number.NaN,
  ]);
  expect(logProb!.data.length).toBe(60);
  expected.forEach((value, n) => {
    const received = logProb!.data[n] as number;
    if (Number.isFinite(value))
      expect(received / Math.max(1, -value)).toBeCloseTo(value / Math.max(1, -value), digits);
    else expect(received).toBe(value);
  });
});

test("an exported sampler draws the rows of the model", async () => {
  const session = await InferenceSession.create(
    await model.exportOnnx({ what: "sampler", precision: "float64" }),
  );
  const inputs = samplerInputs(model.flow, { rows: 40, seed: 5, type: "float64" });
  const drawn = await session.run(tensorsOf(inputs, Tensor));
  const expected = tableInputs(model.columns, await model.sample(40, { seed: 5, precision: "float64" }));
  expect(session.outputNames).toEqual(Object.keys(expected));
  for (const [name, { type, data }] of Object.entries(expected)) {
    if (type === "string") expect([...drawn[name]!.data]).toEqual(data);
    else
      data.forEach((value, n) => {
        const received = drawn[name]!.data[n] as number;
        if (Number.isNaN(value)) expect(received).toBeNaN();
        else
          expect(Math.abs(received - (value as number))).toBeLessThan(
            1e-9 * Math.max(1, Math.abs(value as number)),
          );
      });
  }
});

test("a conditional model scores and draws rows for the context of each", async () => {
  const rows = rowsOfAllKinds(40, 4).map(({ amount, city }) => ({ amount, city }));
  const conditional = modelOfRows(rows, new ContextEmbedding({ numbers: 2 }, new Random(3)));
  const { columns, flow } = conditional;
  const contexts = new Random(5).normal(new Float64Array(2 * rows.length));
  const context = new Tensor("float64", contexts, [rows.length, 2]);
  const raw = rawColumns(rows);
  const features = encodeRows(
    columns,
    columns.map((column, c) => labelCodes(column, raw[c]!)),
  );
  const density = await InferenceSession.create(await conditional.exportOnnx({ precision: "float64" }));
  expect(density.inputNames).toEqual(["amount", "city", "context"]);
  const { logProb } = await density.run({ ...tensorsOf(tableInputs(columns, rows), Tensor), context });
  const expected = await flow.logProb(features, contexts, { precision: "float64" });
  expected.forEach((value, n) => {
    expect(logProb!.data[n]).toBeCloseTo(value, 9);
  });

  const sampler = await InferenceSession.create(
    await conditional.exportOnnx({ what: "sampler", precision: "float64" }),
  );
  const noise = samplerInputs(flow, { rows: rows.length, seed: 6, type: "float64" });
  const drawn = await sampler.run({ ...tensorsOf(noise, Tensor), context });
  const sample = await flow.sample(rows.length, { seed: 6, context: contexts, precision: "float64" });
  const decoded = decodeRows(columns, sample);
  expect([...(drawn.amount!.data as Float64Array)].map((value) => value.toFixed(6))).toEqual(
    Array.from(decoded[0]!, (value) => value.toFixed(6)),
  );
});

test("the runtime can make the noise of a sampler", async () => {
  const bytes = await model.exportOnnx({ what: "sampler", noise: "generated", precision: "float64" });
  const session = await InferenceSession.create(bytes);
  const drawn = await session.run({ rows: new Tensor("int64", [3000n], [1]) });
  const share = (name: string, has: (value: unknown) => boolean) =>
    Array.from(drawn[name]!.data as ArrayLike<unknown>).filter(has).length / 3000;
  const expected = tableInputs(model.columns, await model.sample(3000, { precision: "float64" }));
  const expectedShare = (name: string, has: (value: unknown) => boolean) =>
    expected[name]!.data.filter(has).length / 3000;
  for (const [name, has] of [
    ["city", (value: unknown) => value === "Bern"],
    ["income", (value: unknown) => (value as number) > 1],
    ["isMember", (value: unknown) => value === 1],
  ] as const)
    expect(Math.abs(share(name, has) - expectedShare(name, has))).toBeLessThan(0.06);
});

test("a file says what its inputs and outputs are", async () => {
  const bytes = await model.exportOnnx({ metadata: { model_license: "CC-BY-4.0" } });
  const { metadataProps, docString, producerVersion, opsetImport } = fromBinary(ModelProtoSchema, bytes);
  const metadata = Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]));
  expect(metadata.model_license).toBe("CC-BY-4.0");
  const signature = JSON.parse(metadata.pushforward!);
  expect(signature.version).toBe(producerVersion);
  expect(docString).toMatchInlineSnapshot(
    `"The density of a normalizing flow of pushforward. Inputs: city, amount, share, income, children, price, level, isMember, since, seen, month, hour, country, year. Outputs: logProb."`,
  );
  expect(opsetImport.map(({ domain, version }) => `${domain} ${version}`)).toEqual([" 18", "ai.onnx.ml 3"]);
  const of = (name: string) => signature.inputs.find((input: { name: string }) => input.name === name);
  expect(["city", "amount", "isMember", "seen"].map(of)).toMatchInlineSnapshot(`
    [
      {
        "column": "city",
        "meaning": "categorical",
        "missing": "",
        "name": "city",
        "type": "text",
      },
      {
        "column": "amount",
        "meaning": "continuous",
        "missing": "NaN",
        "name": "amount",
        "type": "number",
      },
      {
        "column": "isMember",
        "meaning": "boolean",
        "missing": null,
        "name": "isMember",
        "type": "boolean",
        "unit": "1 for true, 0 for false",
      },
      {
        "column": "seen",
        "meaning": "timestamp",
        "missing": null,
        "name": "seen",
        "type": "timestamp",
        "unit": "milliseconds since 1970-01-01 UTC",
      },
    ]
  `);
  expect(signature.outputs).toMatchInlineSnapshot(`
    [
      {
        "meaning": "log-density of the rows",
        "name": "logProb",
        "unit": "nats",
      },
    ]
  `);
});

test("columns with the names of other values keep them", async () => {
  const names = new Map([
    ["city", "logProb"],
    ["amount", "standardize.center"],
    ["share", [...model.flow.unstandardized().inner.parameters()][0]![0]],
  ]);
  const columns = model.columns.map((column) => ({ ...column, name: names.get(column.name) ?? column.name }));
  const renamed = new TableModel({ columns, flow: model.flow });
  const session = await InferenceSession.create(await renamed.exportOnnx());
  expect(session.inputNames.slice(0, 3)).toEqual([...names.values()]);
  expect(session.outputNames).toEqual(["logProb_1"]);
});

test("columns with an empty name, or with that of the context, get names that ONNX allows", async () => {
  const rows = rowsOfAllKinds(40, 4).map(({ amount, city }) => ({ "": amount, context: city }));
  const named = modelOfRows(rows, new ContextEmbedding({ numbers: 2 }, new Random(3)));
  const density = await InferenceSession.create(await named.exportOnnx());
  expect(density.inputNames).toEqual(["column", "context_1", "context"]);
  const contexts = new Random(5).normal(new Float64Array(2 * rows.length));
  const { "": column, context: context_1 } = tensorsOf(tableInputs(named.columns, rows), Tensor);
  const context = new Tensor("float64", contexts, [rows.length, 2]);
  const { logProb } = await density.run({ column: column!, context_1: context_1!, context });
  const raw = rawColumns(rows);
  const codes = named.columns.map((each, c) => labelCodes(each, raw[c]!));
  const expected = await named.flow.logProb(encodeRows(named.columns, codes), contexts);
  expected.forEach((value, n) => {
    expect(logProb!.data[n]).toBeCloseTo(value, 3);
  });
  const sampler = await InferenceSession.create(await named.exportOnnx({ what: "sampler" }));
  expect(sampler.outputNames).toEqual(["column", "context_1"]);
});

test("refuses options that do not fit", async () => {
  const refusal = async (options: object) => {
    try {
      await model.exportOnnx(options);
    } catch (error) {
      return (error as Error).message;
    }
    return "none";
  };
  expect([
    await refusal({ what: "latent" }),
    await refusal({ noise: "generated" }),
    await refusal({ metadata: { model_license: 1 } }),
    await refusal({ metadata: { pushforward: "v1" } }),
  ]).toMatchInlineSnapshot(`
    [
      "the option what of exportOnnx has an invalid value: expected "density" or "sampler", received "latent".",
      "the option noise of exportOnnx has an invalid value: expected "input", except for a sampler, received "generated".",
      "the option metadata of exportOnnx has an invalid value: expected an object of strings without the key pushforward, which has the description of the model, received {"model_license":1}.",
      "the option metadata of exportOnnx has an invalid value: expected an object of strings without the key pushforward, which has the description of the model, received {"pushforward":"v1"}.",
    ]
  `);
});

test("the file of a dequantized model declares that its number is a bound", async () => {
  const rows = rowsOfAllKinds(60, 2).map(({ children, price }) => ({ children, price }));
  const flow = (features: number) => maf(features, { transforms: 1, hidden: [4] });
  const { model } = await fitTable(rows, { recipe: { name: "maf", flow }, epochs: 1 });
  expect(model.flow.isBound).toBe(true);
  const { metadataProps } = fromBinary(ModelProtoSchema, await model.exportOnnx());
  expect(JSON.stringify(metadataProps)).toContain("lower bound of the log-probability");
});
