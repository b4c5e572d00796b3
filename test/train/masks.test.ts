import { expect, it } from "vitest";
import { maf } from "../../src/flows/index.ts";
import { type MaskedParameter, maskedParameters } from "../../src/graph/passes/maskedParameters.ts";
import { input } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { fit } from "../../src/train/index.ts";

const D = 4;
const rows = new Random(1).normal(new Float64Array(600 * D)).map((z, i) => (i % D === 0 ? z * z : z));

/** A trained flow, and the numbers under its masks. */
async function train(threads: number, prepare: (masked: MaskedParameter) => void) {
  const flow = maf(D, { hidden: [16, 16], transforms: 2 });
  const masks = maskedParameters([flow.logProb(input("x", ["N", D]))]);
  masks.forEach(prepare);
  const { epochs } = await fit(flow, rows, { threads, epochs: 4, batchSize: 64, averageDecay: 0.9 });
  const hidden = masks.map(({ parameter, mask }) => [...parameter.value].filter((_, i) => mask[i] === 0));
  return { hidden, epochs, logProb: await flow.logProb(rows) };
}

it.each([1, 2])(
  "what masks hide starts as 0 and stays 0, and training on %i threads does not depend on it",
  async (threads) => {
    const plain = await train(threads, () => {});
    expect(plain.hidden).toHaveLength(6);
    for (const numbers of plain.hidden) {
      expect(numbers.length).toBeGreaterThan(0);
      expect(numbers).toEqual(numbers.map(() => 0));
    }
    const filled = await train(threads, ({ parameter, mask }) => {
      parameter.value = parameter.value.map((value, i) => (mask[i] === 0 ? 1 : value));
    });
    for (const numbers of filled.hidden) expect(numbers).toEqual(numbers.map(() => 1));
    plain.epochs.forEach((epoch, i) => {
      expect(filled.epochs[i].trainLogDensity).toBeCloseTo(epoch.trainLogDensity, 5);
    });
    plain.logProb.forEach((value, i) => {
      expect(filled.logProb[i]).toBeCloseTo(value, 4);
    });
  },
);
