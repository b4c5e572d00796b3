import { expect, test } from "vitest";
import { BatchNorm, buildBijection, Standardize } from "../../src/bijections/index.ts";
import { InMemoryDataset } from "../../src/dataset/index.ts";
import { Cauchy, StandardNormal } from "../../src/distributions/index.ts";
import { Mixture } from "../../src/distributions/mixture.ts";
import { Flow, maf, realNVP } from "../../src/flows/index.ts";
import { decodeWithChecksum, encodeWithChecksum } from "../../src/parts/checksum.ts";
import type { Description } from "../../src/parts/description.ts";
import { Random } from "../../src/random/index.ts";
import { tableHeads } from "../../src/tables/columns/columnHeads.ts";
import { realColumn } from "../../src/tables/columns/realColumn.ts";
import { LatentClasses } from "../../src/tables/densities/latentClasses.ts";
import { buildDistribution, buildFlow, decodeModel, encodeModel } from "../../src/tables/model/index.ts";
import { bijectionExamples } from "../bijections/examples.ts";
import { distributionExamples } from "../distributions/examples.ts";
import { allExamples } from "../examples.ts";

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`);
const saved = (flow: Flow) =>
  encodeModel({ flow, columns: names("x", flow.features), given: names("c", flow.context) });

const normal = new StandardNormal({ features: 2 });

/** The message of the error when a model is loaded after one number of a parameter was changed in its file. */
async function loadingError(flow: Flow, parameter: string, index: number, value: number): Promise<string> {
  const { arrays, metadata } = decodeWithChecksum(saved(flow));
  arrays.get(parameter)!.values[index] = value;
  try {
    await decodeModel(encodeWithChecksum(arrays, metadata));
  } catch (error) {
    expect(error).toMatchObject({ name: "PushforwardError", code: "MODEL" });
    return (error as Error).message;
  }
  return "no error";
}

test("numbers outside of the domain of their parameter are an error with array, index and value", async () => {
  const standardized = new Flow(normal, new Standardize({ features: 2 }));
  expect(await loadingError(standardized, "bijection.scale", 1, -1)).toMatchInlineSnapshot(`
    "the model's array bijection.scale has -1 at index 1: expected numbers from 5e-324 to 1.7976931348623157e+308.
    The file is damaged, or its training failed: fit the model again."
  `);
  for (const scale of [0, -1e-31, Number.NaN, Number.POSITIVE_INFINITY])
    expect(await loadingError(standardized, "bijection.scale", 0, scale)).toMatch(/has .* at index 0/);
  for (const scale of [1e-30, 1, 1e30])
    expect(await loadingError(standardized, "bijection.scale", 0, scale)).toBe("no error");
  expect(await loadingError(standardized, "bijection.center", 0, -1e300)).toBe("no error");

  const batchNorm = new Flow(normal, new BatchNorm({ features: 2 }));
  expect(await loadingError(batchNorm, "bijection.variance", 0, 0)).toMatch("has 0 at index 0");
  expect(await loadingError(batchNorm, "bijection.variance", 0, 1e-30)).toBe("no error");
  expect(await loadingError(batchNorm, "bijection.count", 0, -1)).toMatch("has -1 at index 0");

  const cauchy = new Flow(new Cauchy({ features: 2 }));
  expect(await loadingError(cauchy, "base.logScale", 1, 100)).toMatch("expected numbers from -88 to 88");
  expect(await loadingError(cauchy, "base.location", 1, 1e12)).toBe("no error");

  const network = realNVP(2, { transforms: 1, hidden: [3] });
  const weight = [...network.parameters().keys()].find((name) => name.endsWith("weight"))!;
  expect(await loadingError(network, weight, 2, 3e38)).toMatch(
    "expected numbers from -1000000000 to 1000000000",
  );
  expect(await loadingError(network, weight, 2, 1e6)).toBe("no error");
});

test("numbers of 3e38 are an error in every parameter of every kind, except for the center and scale of a standardization and a variance", () => {
  const accepted = new Set<string>();
  const random = new Random(0);
  const flows = [
    ...allExamples(bijectionExamples, 2).map((example) => new Flow(normal, buildBijection(example, random))),
    ...allExamples(distributionExamples, 2).map((example) => new Flow(buildDistribution(example, random))),
  ];
  for (const flow of flows) {
    for (const [name, { numbers, domain }] of flow.parameters()) {
      expect(numbers.every((v) => v >= domain.min && v <= domain.max)).toBe(true);
      if (domain.max >= 3e38) accepted.add(name.split(".").at(-1)!);
    }
  }
  expect([...accepted].sort()).toEqual(["center", "scale", "variance"]);
});

test("parts of different sizes are an error of the file", async () => {
  const { arrays, metadata } = decodeWithChecksum(saved(new Flow(normal)));
  const description = JSON.parse(metadata.pushforward);
  description.flow.base.features = 3;
  const bytes = encodeWithChecksum(arrays, { pushforward: JSON.stringify(description) });
  await expect(decodeModel(bytes)).rejects.toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the model's flow cannot be built: the base distribution and the bijection have different numbers of features: expected 2 features, received 3.
    The file was not written by pushforward, or was changed since.]
  `);
});

test("names with control characters are escaped as JSON, and truncated if they are long", async () => {
  const { arrays, metadata } = decodeWithChecksum(saved(new Flow(normal)));
  arrays.set(`\u001b[2J\u009b1m\u202e${"x".repeat(100)}`, { shape: [1], values: Float32Array.of(1) });
  await expect(decodeModel(encodeWithChecksum(arrays, metadata))).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the model has the array "\\u001b[2J\\u009b1m\\u202exxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx..., which is not a parameter of its flow.]`,
  );
  const description = JSON.parse(metadata.pushforward);
  const odd = { ...description, flow: { ...description.flow, "\u001b]0;\u009b": 1 } };
  await expect(
    decodeModel(encodeWithChecksum({}, { pushforward: JSON.stringify(odd) })),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the model's description is not valid at flow: expected one of type, base, bijection, embedding, received \\u001b]0;\\u009b.]`,
  );
});

test("the default names are those of the flow", async () => {
  const flow = maf(2, { context: 1, transforms: 1, hidden: [4] });
  const namesIn = async () => {
    const { columns, given } = await decodeModel(encodeModel({ flow }));
    return [columns, given];
  };
  expect(await namesIn()).toEqual([["x1", "x2"], ["c1"]]);
  flow.columns = ["a", "b"];
  flow.contextColumns = ["c"];
  expect(await namesIn()).toEqual([["a", "b"], ["c"]]);
});

test("a model that could not be loaded is not saved", () => {
  const identity: Description = { type: "identity", features: 2 };
  const base = { type: "standardNormal", features: 2 };
  const long = buildFlow({
    base,
    bijection: { type: "chain", bijections: new Array(10_101).fill(identity) },
  });
  expect(() => saved(long)).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: the model's description is too large: expected at most 10100 objects, nested up to 100 deep, received more objects.
    Use fewer layers.]
  `);
  let deep = identity;
  for (let i = 0; i < 60; i++) deep = { type: "invert", bijection: { type: "invert", bijection: deep } };
  expect(() => saved(buildFlow({ base, bijection: deep }))).toThrow(
    expect.objectContaining({ code: "ARGUMENT" }),
  );
});

test("a model of 2,000 continuous columns with two members is saved and loaded", async () => {
  const columns = names("x", 2000).map(realColumn);
  const values = new Random(0).normal(new Float64Array(2000 * 40));
  const data = new InMemoryDataset({ features: 2000, columns: names("x", 2000), values });
  const heads = tableHeads(columns, data, { quantiles: 8 });
  const members = [0, 1].map((seed) => new LatentClasses({ columns: heads, classes: 2 }, new Random(seed)));
  const flow = new Flow(new Mixture(members, { learned: false }));
  const loaded = await decodeModel(encodeModel({ flow, columns: names("x", 2000), table: columns }));
  expect(loaded.columns).toHaveLength(2000);
  expect(loaded.flow.describe()).toEqual(flow.describe());
});

test("sizes that a model does not use may be larger than its file", async () => {
  const { flow } = await decodeModel(
    saved(
      buildFlow({
        base: { type: "standardNormal", features: 2 },
        bijection: { type: "planar", features: 2, network: { hidden: [4096, 4096] } },
      }),
    ),
  );
  expect(flow.features).toBe(2);
});

test("a lattice may have more cells than its file has bytes", async () => {
  const knots = { x: [0, 1], z: [-1, 1], slope: [2, 2] };
  const columns = [{ type: "lattice", cells: 2 ** 17, knots, components: 1 }];
  const { flow } = await decodeModel(
    saved(
      new Flow(buildDistribution({ type: "mixedMade", columns, network: { hidden: [] } }, new Random(0))),
    ),
  );
  expect(flow.features).toBe(1);
});

test("encodeModel throws for arguments that are not a model", () => {
  const flow = new Flow(normal);
  for (const [model, received] of [
    [undefined, "nothing"],
    [flow, "a Flow"],
    [{ columns: ["a", "b"] }, '{"columns":["a","b"]}'],
  ] as const) {
    expect(() => encodeModel(model as never)).toThrow(
      expect.objectContaining({ code: "ARGUMENT", received, hint: "Write encodeModel({ flow, columns })." }),
    );
  }
  expect(() => encodeModel({ flow }, { kind: [] } as never)).toThrow("unknown option of encodeModel");
  expect(() => encodeModel({ flow, columns: "ab" as never })).toThrow(
    expect.objectContaining({ code: "ARGUMENT" }),
  );
});

test("errors have the path of the field in a description", () => {
  const base = { type: "standardNormal", features: 2 };
  const chain = { type: "chain", bijections: [{ type: "tails", features: 2 }, { type: "unknown" }] };
  expect(() => buildFlow({ base, bijection: chain })).toThrow(
    expect.objectContaining({ code: "MODEL", path: "bijection.bijections.1.type" }),
  );
});

test("the bytes may be an ArrayBuffer", async () => {
  const bytes = encodeModel({ flow: realNVP(2, { transforms: 1, hidden: [4] }) });
  const { flow } = await decodeModel(bytes.slice().buffer);
  expect(flow.features).toBe(2);
});

test("a model is saved although a validation row was outside of its support", async () => {
  const flow = realNVP(2, { transforms: 1, hidden: [4] });
  const result = { epochs: 2, bestEpoch: 1, validationLogDensity: Number.NEGATIVE_INFINITY };
  const members = [
    { name: "a", weight: 0.5, validationLogDensity: Number.NEGATIVE_INFINITY },
    { name: "b", weight: 0.5, validationLogDensity: -1 },
  ];
  const training = { rows: 10, seed: 0, ...result, members };
  expect((await decodeModel(encodeModel({ flow, training }))).training).toEqual(training);
});
