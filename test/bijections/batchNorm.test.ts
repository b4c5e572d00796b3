import { expect, test } from "vitest";
import { BatchNorm } from "../../src/bijections/index.ts";
import { grad } from "../../src/graph/grad.ts";
import type { Parameter } from "../../src/graph/parameter.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { type TracedLoss, traceLoss } from "../../src/graph/tracing/training.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { expectClose } from "./invariants.ts";

const EPSILON = 1e-5;
const float64 = { precision: "float64" } as const;

/** Mean and population variance of each of two columns. */
function moments(x: ArrayLike<number>): { mean: number[]; variance: number[] } {
  const N = x.length / 2;
  const column = (c: number) => Array.from({ length: N }, (_, r) => x[2 * r + c]);
  const average = (values: number[]) => values.reduce((a, b) => a + b) / N;
  const mean = [0, 1].map((c) => average(column(c)));
  return { mean, variance: mean.map((m, c) => average(column(c).map((v) => (v - m) ** 2))) };
}

const batch = (seed: number, N = 7) =>
  new Random(seed).normal(new Float64Array(2 * N)).map((v, i) => (i % 2 === 0 ? 3 + 2 * v : v - 1));

/** z, the log-determinant and the updates of running statistics of a training step. */
function trainingStep(
  bijection: BatchNorm,
  more: (t: { x: Tensor; z: Tensor; logDet: Tensor }) => object = () => ({}),
) {
  return compile(
    (x) => {
      const { result: traced, updates }: TracedLoss<ReturnType<BatchNorm["inverse"]>> = traceLoss(
        () => bijection.inverse(x),
        { batchStatistics: true },
      );
      const [mean, variance, count] = [bijection.mean, bijection.variance, bijection.count].map(
        (p) => updates.get(p)!,
      );
      const { value: z, logDet } = traced;
      return { z, logDet, mean, variance, count, ...more({ x, z, logDet }) } as Record<string, Tensor>;
    },
    [["N", 2]],
    float64,
  );
}

test("a training step uses the statistics of its batch", async () => {
  const batchNorm = new BatchNorm({ features: 2 });
  batchNorm.shift.value = Float64Array.from([0.5, -1]);
  batchNorm.logScale.value = Float64Array.from([0.3, -0.2]);
  batchNorm.mean.value = Float64Array.from([9, 9]);
  const x = batch(1);
  const { mean, variance } = moments(x);
  const { z, logDet } = await trainingStep(batchNorm)(x);
  const clamped = [0.3, -0.2].map((s) => s / (1 + Math.abs(s) / Math.log(1000)));
  const slopes = variance.map((v, c) => Math.exp(clamped[c]) / Math.sqrt(v + EPSILON));
  const expected = x.map((v, i) => (v - mean[i % 2]) * slopes[i % 2] + [0.5, -1][i % 2]);
  expectClose(z, expected, 1e-12, "z");
  expectClose(logDet, [Math.log(slopes[0]) + Math.log(slopes[1])], 1e-12, "log-det");
});

test("gradients flow through the statistics", async () => {
  const batchNorm = new BatchNorm({ features: 2 });
  const loss = ({ z, logDet }: { z: Tensor; logDet: Tensor }) => z.sin().mul(z.square()).sum().add(logDet);
  const step = trainingStep(batchNorm, (t) => ({ loss: loss(t), slope: grad(loss(t), [t.x])[0] }));
  const x = batch(2);
  const { slope } = await step(x);
  const h = 1e-5;
  const differences = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const lossAt = async (d: number) => (await step(x.with(i, x[i] + d))).loss[0];
    differences[i] = ((await lossAt(h)) - (await lossAt(-h))) / (2 * h);
  }
  expectClose(slope, differences, 1e-7, "gradient");
});

test("running statistics are moving averages in which the first batches have larger weights", async () => {
  const batchNorm = new BatchNorm({ features: 2, decay: 0.75 });
  const step = trainingStep(batchNorm);
  let [mean, variance] = [
    [0, 0],
    [1, 1],
  ];
  for (let n = 1; n <= 40; n++) {
    const x = batch(n);
    const updates = await step(x);
    const batchMoments = moments(x);
    const weight = Math.max(9 / (9 + n), 0.25);
    mean = mean.map((m, c) => m + weight * (batchMoments.mean[c] - m));
    variance = variance.map((v, c) => v + weight * ((batchMoments.variance[c] * 7) / 6 + EPSILON - v));
    expectClose(updates.mean, mean, 1e-12, "mean");
    expectClose(updates.variance, variance, 1e-12, "variance");
    for (const name of ["mean", "variance", "count"] as const)
      (batchNorm[name] as Parameter).value = Float64Array.from(updates[name]);
  }
});

test("the count of batches ends at the one after which the weight of a batch is constant", async () => {
  const batchNorm = new BatchNorm({ features: 2, decay: 0.5 });
  const step = trainingStep(batchNorm);
  for (let n = 1; n <= 25; n++) {
    const { count } = await step(batch(n));
    expect([...count]).toEqual([Math.min(n, 20)]);
    batchNorm.count.value = Float64Array.from(count);
  }
});

test("uses running statistics without training data, in both directions", async () => {
  const batchNorm = new BatchNorm({ features: 2 });
  batchNorm.mean.value = Float64Array.from([1, -2]);
  batchNorm.variance.value = Float64Array.from([4, 0.25]);
  const plain = compile((x) => batchNorm.inverse(x).value, [["N", 2]], float64);
  const drawn = compile((x) => traceLoss(() => batchNorm.inverse(x)).result.value, [["N", 2]], float64);
  const back = compile(
    (z) => traceLoss(() => batchNorm.forward(z), { batchStatistics: true }).result.value,
    [["N", 2]],
    float64,
  );
  const x = [3, -2, 1, -1];
  expectClose(await plain(x), [1, 0, 0, 2], 1e-12, "z");
  expectClose(await drawn(x), [1, 0, 0, 2], 1e-12, "z");
  expectClose(await back(await plain(x)), x, 1e-12, "x");
});

test("is initialized with the statistics of the data, plus epsilon", () => {
  const batchNorm = new BatchNorm({ features: 2 });
  batchNorm.fitToData({ rows: 3, features: 2, values: Float64Array.from([1, 5, 2, 5, 3, 5]) });
  expectClose(batchNorm.mean.value, [2, 5], 1e-6, "mean");
  expectClose(batchNorm.variance.value, [2 / 3 + EPSILON, EPSILON], 1e-6, "variance");
});
