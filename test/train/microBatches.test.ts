import { expect, it } from "vitest";
import { dataset } from "../../src/dataset/index.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";
import { rowsOfShard } from "../../src/train/dataParallelLoss.ts";
import { type LossBatch, minimize } from "../../src/train/index.ts";

const D = 1024;

/** The differences of all pairs of features: D² numbers for each row. */
const differences = (x: Tensor): Tensor => x.reshape(["N", D, 1]).sub(x.reshape(["N", 1, D]));

it("a shard has fewer rows if its numbers would take more than 128 MB", () => {
  const { graph } = compile((x) => differences(x).square().mean([1, 2]), [["N", D]]);
  const rows = rowsOfShard(graph, 100, 0);
  expect(rows).toBeLessThan(32);
  // The last shard is not much smaller than the others.
  expect(rows * Math.ceil(100 / rows) - 100).toBeLessThan(Math.ceil(100 / rows));
  const small = compile((x) => x.square().sum(1), [["N", D]]);
  expect(rowsOfShard(small.graph, 100, 0)).toBe(100);
  expect(rowsOfShard(graph, 100, 1e9)).toBe(100);
});

// Twice the variance of the features of a row is the mean square of their differences. The noise and the weights belong to rows.
const variance = ({ values }: LossBatch) =>
  values
    .sub(values.mean(1, { keepAxes: true }))
    .square()
    .mean(1);
const halfOfDifferences = ({ values }: LossBatch) => differences(values).square().mean([1, 2]).mul(0.5);

it.each([1, 2])(
  "a batch in several micro-batches has the gradient of all rows, on %i threads",
  async (threads) => {
    const weights = Float64Array.from({ length: 150 }, (_, i) => 1 + (i % 3) / 10);
    const rows = dataset(new Random(0).normal(new Float64Array(150 * D)), { features: D, weights });
    const trained = [variance, halfOfDifferences].map(async (varianceOf) => {
      const parameter = new Parameter([2], [1, 0.5]);
      const losses: number[] = [];
      await minimize(
        (batch) => {
          const [slope, offset] = parameter.split(0, [1, 1]);
          return varianceOf(batch)
            .mul(slope)
            .add(offset.mul(batch.normal(1).reshape(["N"])))
            .square();
        },
        { parameter },
        rows,
        {
          threads,
          // The last batch of each epoch has 22 rows.
          batchSize: 64,
          epochs: 2,
          optimizer: { type: "sgd", learningRate: 0.1 },
          validationFraction: 0,
          averageDecay: 0,
          onProgress: ({ loss }) => losses.push(loss),
        },
      );
      return [...losses, ...parameter.numbers];
    });
    const [narrow, wide] = await Promise.all(trained);
    wide.forEach((value, i) => {
      expect(value).toBeCloseTo(narrow[i], 3);
    });
    // Adam would hide gradients that are too small by a factor.
    expect(Math.abs(narrow.at(-1)! - 0.5)).toBeGreaterThan(0.1);
  },
);
