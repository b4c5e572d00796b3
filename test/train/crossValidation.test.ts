import { expect, test } from "vitest";
import { concatDatasets } from "../../src/dataset/concatDatasets.ts";
import { crossValidationSplits } from "../../src/dataset/crossValidation.ts";
import { InMemoryDataset } from "../../src/dataset/index.ts";
import { splitWithTest } from "../../src/dataset/splitWithTest.ts";
import { Mixture } from "../../src/distributions/mixture.ts";
import { Flow, fitTable } from "../../src/index.ts";
import { Random } from "../../src/random/index.ts";
import { realColumn } from "../../src/tables/columns/realColumn.ts";
import type { TableColumn } from "../../src/tables/columns/tableColumn.ts";
import type { KernelDensity } from "../../src/tables/densities/kernelDensity.ts";
import { fitMembers } from "../../src/tables/fit/fitMembers.ts";
import { candidatesFor } from "../../src/tables/fit/memberCandidates.ts";
import { stackDensities } from "../../src/train/stacking.ts";

function correlated(count: number) {
  const z = new Random(4).normal(new Float64Array(2 * count));
  return Float64Array.from(z, (value, i) => (i % 2 === 0 ? value : z[i - 1]! + 0.5 * value));
}

test("a member of a small table is the mean of its densities over the splits, and all validation rows weigh the members", async () => {
  const values = correlated(120).map((value, i) => (i % 2 === 0 ? value : Number(value > 0)));
  const rows = new InMemoryDataset({ features: 2, columns: ["a", "b"], values });
  const parts = splitWithTest(rows, { validationFraction: 0.1, seed: 0 });
  const b: TableColumn = { kind: "categorical", name: "b", type: "text", gaps: false, labels: ["no", "yes"] };
  const columns = [realColumn("a"), b];
  const options = { epochs: 3, budget: "small" as const, kernel: false };
  const { flow, members, splits, validated, validationLogDensity } = await fitMembers(
    columns,
    parts,
    options,
  );
  const expectedSplits = crossValidationSplits(parts, 0)!;
  expect(splits).toBe(2);
  expect(members.map(({ name }) => name)).toEqual(["autoregressive", "latent-classes"]);
  const ofMembers = members.map((member) =>
    (member.flow.base as Mixture).distributions.map((base) => new Flow(base)),
  );
  const { values: testRows } = parts.test!;
  const logDensities = await Promise.all(
    ofMembers.map((ofSplits) => Promise.all(ofSplits.map((each) => each.logProb(testRows)))),
  );
  const weights = members.map(({ weight }) => weight);
  const expected = (of: (logDensities: readonly Float64Array[]) => number[]) =>
    Math.log(
      logDensities.reduce((sum, ofSplits, m) => {
        const densities = of(ofSplits).map(Math.exp);
        return sum + (weights[m]! * densities.reduce((a, b) => a + b)) / densities.length;
      }, 0),
    );
  const ofFlow = await flow.logProb(testRows);
  const ofFirstSplit = await validated!.flow.logProb(testRows);
  for (const n of ofFlow.keys()) {
    expect(ofFlow[n]).toBeCloseTo(
      expected((ofSplits) => ofSplits.map((each) => each[n]!)),
      5,
    );
    expect(ofFirstSplit[n]).toBeCloseTo(
      expected(([first]) => [first![n]!]),
      5,
    );
  }
  const heldOut = await Promise.all(
    ofMembers.map(async (ofSplits) => {
      const each = await Promise.all(
        ofSplits.map((of, k) => of.logProb(expectedSplits[k]!.validation.values)),
      );
      return Float64Array.from(each.flatMap((scores) => [...scores]));
    }),
  );
  const best = stackDensities(heldOut, { priorRows: 1 });
  expect(validationLogDensity).toBeCloseTo(best.logDensity, 4);
  for (const [m, weight] of best.weights.entries()) expect(weights[m]).toBeCloseTo(weight, 3);
});

test.each([
  { rows: 120, testFraction: 0.25, trainedOn: 72, learned: 90 },
  { rows: 360, testFraction: 0.25, trainedOn: 243, learned: 270 },
  { rows: 360, testFraction: 0, trainedOn: 324, learned: 324 },
])(
  "the kernel density of $rows rows learns the validation rows only if there are test rows: $learned rows",
  async ({ rows, testFraction, trainedOn, learned }) => {
    // Most rows are almost copies of others, so that the kernel density has most of the weight. A table of one column does not
    // have the member `correlated-kernels`, which would share the weight.
    const points = correlated(rows / 12);
    const values = correlated(rows / 2).map((value, i) => points[i % points.length]! + 1e-4 * value);
    const data = new InMemoryDataset({ features: 1, columns: ["a"], values });
    const parts = splitWithTest(data, { testFraction, validationFraction: 0.1, seed: 0 });
    const options = { epochs: 1, budget: "small" as const };
    const { flow, members, validated } = await fitMembers([realColumn("a")], parts, options);
    const m = members.findIndex(({ name }) => name === "kernel-density");
    expect(members[m]!.weight).toBeGreaterThan(0.5);
    const centersOf = ({ base }: Flow) =>
      ((base instanceof Mixture ? base.distributions[m] : base) as KernelDensity).centerLogits.sizes[0];
    expect(centersOf(flow)).toBe(learned);
    expect(validated && centersOf(validated.flow)).toBe(testFraction > 0 ? trainedOn : undefined);
    expect(validated?.training.rows).toBe(testFraction > 0 ? trainedOn : undefined);
  },
);

test("the weights of a small table expect 0.15 nats more of the kernel density, which is refitted", async () => {
  const rows = new InMemoryDataset({ features: 2, columns: ["a", "b"], values: correlated(120) });
  const parts = splitWithTest(rows, { validationFraction: 0.1, seed: 0 });
  const columns = ["a", "b"].map(realColumn);
  const splits = crossValidationSplits(parts, 0)!;
  const learned = concatDatasets([parts.training.sample, parts.validation]);
  const { members } = await fitMembers(columns, parts, { budget: "small", epochs: 5 });
  const heldOut = await Promise.all(
    members.map(async ({ name, flow }) => {
      const ofSplits = splits.map(async ({ training, validation }, k) => {
        const candidate = candidatesFor(columns, learned, {
          seed: k,
          embedding: undefined,
          kernel: true,
        }).find((each) => each.name === name)!;
        const ofSplit =
          "fit" in candidate
            ? await candidate.fit(training.sample, validation, {})
            : new Flow((flow.base as Mixture).distributions[k]!);
        return [...(await ofSplit.logProb(validation.values))];
      });
      return (await Promise.all(ofSplits)).flat();
    }),
  );
  const k = members.findIndex(({ name }) => name === "kernel-density");
  const gains = members.map((_, m) => (m === k ? 0.15 : 0));
  const expected = stackDensities(heldOut, { priorRows: 1, gains }).weights;
  const without = stackDensities(heldOut, { priorRows: 1 }).weights;
  for (const [m, { weight }] of members.entries()) expect(weight).toBeCloseTo(expected[m]!, 3);
  expect(expected[k]! - without[k]!).toBeGreaterThan(0.02);
});

test("in the second split, members are trained for at most twice as many epochs as were best in the first one", async () => {
  const rows = new InMemoryDataset({ features: 2, columns: ["a", "b"], values: correlated(120) });
  const parts = splitWithTest(rows, { validationFraction: 0.1, seed: 0 });
  const limits = new Map<string, number>();
  let name = "";
  const { members } = await fitMembers(["a", "b"].map(realColumn), parts, {
    budget: "small",
    kernel: false,
    epochs: 40,
    onMember: (next) => {
      name = next;
    },
    onProgress: ({ maxEpochs }) => limits.set(name, maxEpochs),
  });
  const trained = members.filter(({ epochs }) => epochs.length > 0);
  expect(trained.some(({ bestEpoch }) => 2 * bestEpoch < 40)).toBe(true);
  for (const { name, bestEpoch } of trained) {
    expect(limits.get(name)).toBe(40);
    expect(limits.get(`${name}-2`)).toBe(Math.max(1, Math.min(40, 2 * bestEpoch)));
  }
});

test("the p-values of anomalies of a small table come from rows that no split learned", async () => {
  const values = correlated(100);
  const table = Array.from({ length: 100 }, (_, n) => ({ a: values[2 * n]!, b: values[2 * n + 1]! }));
  const { model, testRows, validationRows } = await fitTable(table, { epochs: 3, budget: "small" });
  expect(testRows).toHaveLength(10);
  expect(validationRows).toEqual([]);
  const { pValues } = await model.anomalies([{ a: 30, b: -30 }]);
  expect(pValues[0]).toBeCloseTo(1 / 11, 10);
});

test("if training ends within the first split, the rows that this split learned are not returned as validation rows", async () => {
  const rows = new InMemoryDataset({ features: 2, columns: ["a", "b"], values: correlated(100) });
  const parts = splitWithTest(rows, { validationFraction: 0.1, seed: 0 });
  const options = { budget: "small", maxMinutes: 0 } as const;
  const { splits, validated } = await fitMembers(["a", "b"].map(realColumn), parts, options);
  const [first] = crossValidationSplits(parts, 0)!;
  expect(splits).toBe(1);
  expect(validated?.training).toEqual(first!.training);
  expect(validated?.validation).toEqual(first!.validation);
  const table = Array.from({ length: 100 }, (_, n) => ({
    a: rows.values[2 * n]!,
    b: rows.values[2 * n + 1]!,
  }));
  expect((await fitTable(table, options)).validationRows).toEqual([]);
});

test("a kernel density with a small weight does not learn the validation rows", async () => {
  const rows = new InMemoryDataset({ features: 2, columns: ["a", "b"], values: correlated(400) });
  const parts = splitWithTest(rows, { validationFraction: 0.1, seed: 0 });
  const { members, validated } = await fitMembers(["a", "b"].map(realColumn), parts, {
    budget: "small",
    epochs: 1,
  });
  expect(members.find(({ name }) => name === "kernel-density")?.weight ?? 0).toBeLessThan(0.5);
  expect(validated).toBeUndefined();
});
