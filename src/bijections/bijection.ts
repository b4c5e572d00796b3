import type { Description, Kind, KindSchema } from "../description.ts";
import { concat, type Tensor } from "../graph/tensor.ts";

export type { Description } from "../description.ts";

/** A value with the log-determinant of the map that gave it. */
export interface Transformed {
  /** [N, D] */
  readonly value: Tensor;
  /** log |det J| of each row: [N], or smaller where it is the same for all rows. */
  readonly logDet: Tensor;
}

/**
 * An invertible, differentiable map between latent z and data x, both [N, D].
 *
 * `forward` takes z to x (sampling), `inverse` takes x to z (density). Each gives log |det J| of the map it applied.
 */
export interface Bijection {
  readonly features: number;
  /** Number of context features; 0 for an unconditional map. */
  readonly context: number;
  forward(z: Tensor, context?: Tensor): Transformed;
  inverse(x: Tensor, context?: Tensor): Transformed;
  /** A JSON description from which `buildBijection` makes the same map (but for its parameters). */
  describe(): Description;
  /** Sets what is taken from data, such as a scale, from the rows that arrive at its data side. */
  fitToData?(rows: DataRows): void;
}

/** Rows of numbers, [rows, features] in row-major order. */
export interface DataRows {
  readonly rows: number;
  readonly features: number;
  readonly values: Float64Array;
  /** One non-negative weight a row; all 1 if absent. */
  readonly weights?: Float64Array;
  /** [rows, C], for what is conditional. */
  readonly context?: Float64Array;
}

/** What the registry holds of each bijection. */
export type BijectionKind<S extends KindSchema> = Kind<Bijection, S>;

/** The context as a part of a model takes it: none where the part is not conditional. */
export const contextFor = (part: { readonly context: number }, context: Tensor | undefined) =>
  part.context > 0 ? context : undefined;

/** Sums log-derivatives [..., D] over features; one number that stands for all of them counts D times. */
export function sumFeatures(logDerivative: Tensor, features: number): Tensor {
  if (logDerivative.rank === 0) return logDerivative.mul(features);
  return logDerivative.sum(-1);
}

/** Sums the log-derivatives of single features: [N, 1] each, or one number where it is the same for all rows. */
export function sumLogDerivatives(logDerivatives: readonly Tensor[]): Tensor {
  const common = logDerivatives.filter(({ rank }) => rank < 2).map((each) => sumFeatures(each, 1));
  const byRow = logDerivatives.filter(({ rank }) => rank === 2);
  if (byRow.length > 0) common.push(sumFeatures(concat(byRow, 1), byRow.length));
  return common.reduce((sum, each) => sum.add(each));
}
