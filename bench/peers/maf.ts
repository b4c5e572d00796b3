import { Random } from "../../src/random/index.ts";

/** A line of `cases.json` with the job `train`. */
export interface TrainingCase {
  readonly name: string;
  readonly dim: number;
  readonly transforms: number;
  readonly hidden: readonly number[];
  readonly batch: number;
}

export type Numbers = Float32Array<ArrayBuffer>;

/** A masked layer x (W * mask) + b as plain arrays: weight and mask are [inputs, outputs]. */
export interface MaskedLayer {
  readonly inputs: number;
  readonly outputs: number;
  readonly weight: Numbers;
  readonly mask: Numbers;
  readonly bias: Numbers;
}

/** The log-scale is clamped to +-this, as pushforward and zuko do. */
export const LOG_SCALE_BOUND = Math.log(1000);

/**
 * The initial weights of a masked autoregressive flow, the same for all peers: the layers of each conditioner, from the data side
 * to the base. Weights are uniform in +-1/sqrt(inputs), those of the last layer zero, so that the flow starts as the
 * identity. Outputs are the D shifts, then the D log-scales; every other conditioner sees the features in reverse.
 */
export function initialLayers({ dim, transforms, hidden }: TrainingCase): MaskedLayer[][] {
  const random = new Random(0).split("peers");
  const forwards = Array.from({ length: dim }, (_, i) => i + 1);
  return Array.from({ length: transforms }, (_, t) => {
    const order = t % 2 === 0 ? forwards : forwards.toReversed();
    const degrees = [order, ...hidden.map((size) => hiddenDegrees(size, dim)), [...order, ...order]];
    return degrees
      .slice(1)
      .map((after, i) => maskedLayer(degrees[i], after, i === hidden.length, random.split(t).split(i)));
  });
}

/** Degrees 1 to D - 1 in equal shares. */
const hiddenDegrees = (size: number, dim: number) =>
  Array.from({ length: size }, (_, unit) => 1 + Math.floor((unit * (dim - 1)) / size));

function maskedLayer(
  before: readonly number[],
  after: readonly number[],
  last: boolean,
  random: Random,
): MaskedLayer {
  const [inputs, outputs] = [before.length, after.length];
  const uniform = (name: string, size: number) =>
    random
      .split(name)
      .uniform(new Float32Array(size))
      .map((u) => (last ? 0 : (2 * u - 1) / Math.sqrt(inputs)));
  return {
    inputs,
    outputs,
    weight: uniform("weight", inputs * outputs),
    mask: Float32Array.from(before.flatMap((a) => after.map((b) => ((last ? a < b : a <= b) ? 1 : 0)))),
    bias: uniform("bias", outputs),
  };
}

/** Returns a function that returns the next of four batches of standard normal rows, [N, D], in each call. */
export function batchesFor({ dim, batch }: TrainingCase): () => Numbers {
  const size = batch * dim;
  const rows = new Random(1).split("rows").normal(new Float32Array(4 * size));
  let next = 0;
  return () => {
    const start = (next++ % 4) * size;
    return rows.slice(start, start + size);
  };
}

/** Makes one step of Adam on a batch [N, D]; returns the mean negative log-density before the step. */
export type TrainingStep = (batch: Numbers) => Promise<number>;
