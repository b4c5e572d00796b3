/**
 * Checks that the peers train what pushforward trains: from the same weights on one batch, the loss is the same in every
 * step. Here pushforward multiplies weights by masks too, since its own MAF keeps them in blocks.
 *
 *     node --import tsx bench/peers/check.ts
 */
import * as tf from "@tensorflow/tfjs";
import "@tensorflow/tfjs-backend-wasm";
import { type Bijection, Chain } from "../../src/bijections/index.ts";
import { StandardNormal } from "../../src/distributions/index.ts";
import { constant, Flow, fit, Parameter, Random, type Tensor } from "../../src/index.ts";
import { jaxjsTraining } from "./jaxjsTraining.ts";
import {
  initialLayers,
  LOG_SCALE_BOUND,
  type MaskedLayer,
  type Numbers,
  type TrainingCase,
  type TrainingStep,
} from "./maf.ts";
import { tfjsTraining } from "./tfjsTraining.ts";

const STEPS = 40;
const settings: TrainingCase = { name: "check", dim: 3, transforms: 3, hidden: [32, 16], batch: 200 };

class Masked implements Bijection {
  readonly features = settings.dim;
  readonly context = 0;
  readonly layers: { weight: Parameter; bias: Parameter; mask: Tensor }[];

  constructor(layers: readonly MaskedLayer[]) {
    this.layers = layers.map(({ inputs, outputs, weight, bias, mask }) => ({
      weight: new Parameter([inputs, outputs], weight),
      bias: new Parameter([outputs], bias),
      mask: constant(mask, [inputs, outputs]),
    }));
  }

  inverse(x: Tensor) {
    const raw = this.layers.reduce((a, { weight, bias, mask }, i) => {
      const value = a.affine(weight.mul(mask), bias);
      return i < this.layers.length - 1 ? value.relu() : value;
    }, x);
    const [shift, scale] = raw.split(1, [this.features, this.features]);
    const logScale = scale.div(
      scale
        .abs()
        .mul(1 / LOG_SCALE_BOUND)
        .add(1),
    );
    return { value: x.mul(logScale.exp()).add(shift), logDet: logScale.sum(1) };
  }

  forward(): never {
    throw new Error("training needs only the density");
  }

  describe() {
    return { type: "masked" };
  }
}

await tf.setBackend("wasm");
const rows = dependentRows();
const ours = await ourLosses();
report("pushforward", ours);
report("tfjs", await peerLosses(tfjsTraining(settings)));
report("jax-js", await peerLosses(jaxjsTraining(settings)));

function report(name: string, losses: readonly number[]): void {
  const error = Math.max(...losses.map((loss, i) => Math.abs(loss / ours[i] - 1)));
  const ends = [losses[0], losses[STEPS - 1]].map((loss) => loss.toFixed(5)).join(" to ");
  console.log(`${name}: ${ends} in ${STEPS} steps; relative difference at most ${error.toExponential(1)}`);
  if (!(error < 1e-4)) process.exitCode = 1;
}

async function peerLosses(step: TrainingStep): Promise<number[]> {
  const losses: number[] = [];
  while (losses.length < STEPS) losses.push(await step(rows));
  return losses;
}

async function ourLosses(): Promise<number[]> {
  const bijections = initialLayers(settings).map((layers) => new Masked(layers));
  const base = new StandardNormal({ features: settings.dim });
  const { epochs } = await fit(new Flow(base, new Chain(bijections.reverse())), rows, {
    epochs: STEPS,
    batchSize: settings.batch,
    optimizer: { type: "adam", learningRate: 1e-3 },
    schedule: { type: "constant" },
    clipNorm: 1e9,
    averageDecay: 0,
    patience: STEPS,
    validation: rows,
  });
  return epochs.map(({ trainLogDensity }) => -trainLogDensity);
}

/** Rows in which a feature depends on the one before it. */
function dependentRows(): Numbers {
  const { dim, batch } = settings;
  const rows = new Random(2).split("check").normal(new Float32Array(batch * dim));
  for (let i = 0; i < rows.length; i++) if (i % dim > 0) rows[i] = 0.5 * rows[i] + rows[i - 1] ** 2 - 1;
  return rows;
}
