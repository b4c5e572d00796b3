import { describe, expect, test } from "vitest";
import { dataset } from "../../src/dataset/index.ts";
import { Autoencoder, Flow, nice, vae } from "../../src/flows/index.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { EarlyStopping } from "../../src/train/earlyStopping.ts";
import { fit } from "../../src/train/index.ts";

/** Rows of three features that depend on one number. */
const rows = (() => {
  const noise = new Random(0).normal(new Float64Array(4 * 400));
  return Array.from({ length: 400 }, (_, n) =>
    [1, -0.5, 0.8].map((w, d) => w * noise[4 * n]! + 0.3 * noise[4 * n + 1 + d]!),
  );
})();

describe("KL warm-up", () => {
  const train = async (
    klWarmUp: number,
    { epochs = 40, patience = 1, onLast = async (_: Flow) => {} } = {},
  ) => {
    const flow = vae(3, { latent: 1, hidden: [16] });
    return fit(flow, rows, {
      epochs,
      klWarmUp,
      batchSize: 100,
      validationFraction: 0.25,
      threads: 1,
      patience,
      optimizer: { learningRate: 1e-2 },
      onEpoch: ({ epoch }) => (epoch === epochs ? onLast(flow) : undefined),
    });
  };

  /** The root mean square of the posterior's noise after the last epoch, whichever epoch was the best. */
  const lastDeviation = async (klWarmUp: number) => {
    let deviation = Number.NaN;
    const onLast = async (flow: Flow) => {
      await using model = new Autoencoder(flow);
      const [mean, drawn] = [await model.encode(rows), await model.encode(rows, { temperature: 1 })];
      deviation = Math.sqrt(mean.reduce((sum, z, n) => sum + (drawn[n]! - z) ** 2, 0) / mean.length);
    };
    await train(klWarmUp, { epochs: 20, patience: 20, onLast });
    return deviation;
  };

  test("trains nearly without the divergence at first, so that the posterior becomes narrow", async () => {
    expect(await lastDeviation(10_000)).toBeLessThan(0.8 * (await lastDeviation(0)));
  });

  test("does not end by early stopping before it is over", async () => {
    const { epochs } = await train(12);
    expect(epochs.length).toBeGreaterThan(12);
  });

  test("lasts for whole epochs, in which rows of large weight occur several times", async () => {
    const flow = vae(3, { latent: 1, hidden: [4] });
    const [shift] = flow.parameters().values();
    // Each step raises the numbers of `shift` by the learning rate times the weight of the divergence.
    Object.defineProperty(flow, "weightedBound", {
      value: (x: Tensor, divergenceWeight: Tensor) => x.sum(1).mul(0).add(shift!.sum().mul(divergenceWeight)),
    });
    // 40 rows occur twice in an epoch, which has 10 steps in place of 8.
    const weights = Array.from({ length: 100 }, (_, n) => (n < 40 ? 1.5 : 0.5));
    let sum = 0;
    const start = shift!.numbers[0]!;
    await fit(flow, dataset(rows.slice(0, 100), { weights }), {
      validation: rows.slice(100, 110),
      batchSize: 14,
      epochs: 2,
      klWarmUp: 2,
      threads: 1,
      averageDecay: 0,
      clipNorm: 1e9,
      optimizer: { type: "sgd", beta1: 0, weightDecay: 0, learningRate: 1e-3 },
      initialize: false,
      onEpoch: () => {
        sum = (shift!.numbers[0]! - start) / 1e-3;
      },
    });
    // The mean weight is 1/2 over all steps of the warm-up.
    expect(Math.abs(sum - 9.5)).toBeLessThan(0.5);
  });

  test("passes the context to the bijection of the flow", async () => {
    const flow = new Flow(
      vae(3, { latent: 1, hidden: [4] }).base,
      nice(3, { context: 1, hidden: [4] }).bijection,
    );
    const context = rows.map(([x]) => [x! > 0 ? 1 : 0]);
    const { epochs } = await fit(flow, rows, { context, epochs: 1, klWarmUp: 1 });
    expect(epochs[0]!.trainLogDensity).toBeGreaterThan(-10);
  });

  test("is refused for a flow without a divergence", async () => {
    await expect(fit(nice(3), rows, { klWarmUp: 2 })).rejects.toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: the flow has no KL divergence to warm up: expected a variational autoencoder, received a flow with the base logistic.
      Leave out the option klWarmUp.]
    `);
    await expect(fit(vae(3), rows, { klWarmUp: -1 })).rejects.toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: an option of fit is not valid at klWarmUp: expected at least 0, received -1.]`,
    );
  });
});

test("early stopping counts neither patience nor plateaus in the first epochs", () => {
  const stopping = new EarlyStopping({ patience: 2, plateau: 2, warmUpEpochs: 3 });
  stopping.update(0, 1);
  const events = [2, 2, 2, 2, 2].map((loss, i) => [
    stopping.update(i + 1, loss),
    i + 1 >= stopping.lastEpoch,
  ]);
  expect(events).toEqual([
    [undefined, false],
    [undefined, false],
    [undefined, false],
    [undefined, false],
    ["plateau", true],
  ]);
});
