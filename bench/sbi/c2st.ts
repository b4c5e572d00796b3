import { Standardize } from "../../src/bijections/index.ts";
import { columnMoments } from "../../src/bijections/moments.ts";
import { concatRows } from "../../src/dataset/concatRows.ts";
import { selectRows } from "../../src/dataset/selectRows.ts";
import { adam, compile, Random, type Tensor, valueAndGrad } from "../../src/index.ts";
import { MLP } from "../../src/nn/index.ts";

const FOLDS = 5;
const BATCH_SIZE = 200;
const LEARNING_RATE = 1e-3;
/** scikit-learn's default is 1e-4 for the sum of the losses of a batch. */
const WEIGHT_DECAY = 1e-4 / BATCH_SIZE;
/** Training ends after more than `PATIENCE` epochs in a row in which the loss was not this much below its minimum. */
const TOLERANCE_NATS = 1e-4;
const PATIENCE = 10;
/** Calls of compiled functions run on one thread, since the matrices are small. */
const ENGINE = { threads: 1 };

/** Rows [n, D] in row-major order, and the label of each row: 0 for reference draws, 1 for samples. */
interface LabeledRows {
  readonly values: Float32Array;
  readonly labels: Float32Array;
}

/**
 * The classifier two-sample test of the SBI benchmark: the accuracy, in five-fold cross-validation, of a multilayer perceptron that tells
 * samples [n, D] from reference draws [m, D]. 0.5, the accuracy of guessing, is the best value, and 1 the worst. The classifier is that of
 * the benchmark, scikit-learn's `MLPClassifier` with two hidden layers of 10 D units, on rows that are standardized by the reference.
 */
export async function c2st(
  reference: Float64Array,
  samples: Float64Array,
  features: number,
): Promise<number> {
  const { mean, deviation } = columnMoments({
    rows: reference.length / features,
    features,
    values: reference,
  });
  const all = Standardize.of(mean, deviation).toLatent(concatRows([reference, samples]));
  const count = all.length / features;
  const select = (indices: Int32Array): LabeledRows => ({
    values: Float32Array.from(selectRows(all, indices, features)),
    labels: Float32Array.from(indices, (i) => (i * features < reference.length ? 0 : 1)),
  });
  const random = new Random(1);
  const order = random.permutation(count);
  let correct = 0;
  for (let fold = 0; fold < FOLDS; fold++) {
    const [start, end] = [fold, fold + 1].map((k) => Math.round((k * count) / FOLDS));
    const training = select(order.filter((_, i) => i < start! || i >= end!));
    const network = await trainClassifier(training, features, random.split(fold));
    const heldOut = select(order.subarray(start, end));
    await using logit = compile((x) => network.apply(x), [["N", features]], ENGINE);
    const logits = await logit(heldOut.values);
    heldOut.labels.forEach((label, i) => {
      if (logits[i]! > 0 === label > 0) correct++;
    });
  }
  return correct / count;
}

/** Adam minimizes the cross-entropy of the rows, in batches, until it no longer falls. */
async function trainClassifier(rows: LabeledRows, features: number, random: Random): Promise<MLP> {
  const network = new MLP(features, 1, { hidden: [10 * features, 10 * features] });
  initialize(network, random);
  const optimizer = adam(network, { learningRate: LEARNING_RATE, weightDecay: WEIGHT_DECAY });
  const lossOf = (x: Tensor, label: Tensor) => {
    const logit = network.apply(x).reshape(["N"]);
    return logit.softplus().sub(label.mul(logit)).mean();
  };
  await using lossAndGradients = compile(
    (x, label) => valueAndGrad(lossOf(x, label), optimizer.parameters),
    [["N", features], ["N"]],
    ENGINE,
  );
  const count = rows.labels.length;
  const values = new Float32Array(BATCH_SIZE * features);
  const labels = new Float32Array(BATCH_SIZE);
  let best = Number.POSITIVE_INFINITY;
  for (let epoch = 0, waiting = 0; waiting <= PATIENCE; epoch++) {
    const order = random.split(epoch).permutation(count);
    let sum = 0;
    for (let start = 0; start < count; start += BATCH_SIZE) {
      const size = Math.min(BATCH_SIZE, count - start);
      for (let i = 0; i < size; i++) {
        const row = order[start + i]!;
        values.set(rows.values.subarray(row * features, (row + 1) * features), i * features);
        labels[i] = rows.labels[row]!;
      }
      const [loss, ...gradients] = await lossAndGradients(
        values.subarray(0, size * features),
        labels.subarray(0, size),
      );
      await optimizer.step(gradients);
      sum += size * loss![0]!;
    }
    const mean = sum / count;
    waiting = mean > best - TOLERANCE_NATS ? waiting + 1 : 0;
    best = Math.min(best, mean);
  }
  optimizer.release();
  return network;
}

/** Weights and biases that are uniform within the bounds of Glorot and Bengio (2010), as in scikit-learn. */
function initialize({ layers }: MLP, random: Random): void {
  layers.forEach(({ weight, bias }, layer) => {
    const [inputs, outputs] = weight.sizes;
    const bound = Math.sqrt(6 / (inputs! + outputs!));
    for (const [name, { value }] of Object.entries({ weight, bias })) {
      const uniform = random.split(layer).split(name).uniform(new Float64Array(value.length));
      value.set(uniform.map((u) => bound * (2 * u - 1)));
    }
  });
}
