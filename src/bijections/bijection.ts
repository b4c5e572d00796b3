import { concat, type Tensor } from "../graph/index.ts";
import type { Description, Kind, KindSchema } from "../parts/index.ts";
import type { OuterStandardization } from "./outerStandardization.ts";
import type { Part } from "./parts.ts";
import type { Support } from "./support.ts";

export type { Description } from "../parts/index.ts";

/** The output of a map and the log-determinant of its Jacobian. */
export interface Transformed {
  /** [N, D] */
  readonly value: Tensor;
  /** log |det J| of each row: [N], or a scalar if all rows have the same. */
  readonly logDet: Tensor;
}

/**
 * An invertible, differentiable map between latent rows z and data rows x, both [N, D].
 *
 * `forward` maps z to x (sampling), `inverse` maps x to z (density). Each also returns log |det J| of the map that it applied.
 * Both throw `SHAPE` if a conditional map gets no context.
 *
 * The optional members declare properties that other parts of pushforward use. A combinator such as `Chain` derives them from
 * the bijections that it holds.
 */
export interface Bijection {
  /** D, the number of columns of a row. */
  readonly features: number;
  /** C, the number of context features; 0 for an unconditional map. */
  readonly context: number;
  /** x = forward(z) and log |det dx/dz|: [N, D], [N, C] -> [N, D] and [N]. */
  forward(z: Tensor, context?: Tensor): Transformed;
  /** z = inverse(x) and log |det dz/dx|: [N, D], [N, C] -> [N, D] and [N]. */
  inverse(x: Tensor, context?: Tensor): Transformed;
  /** A JSON description from which `buildBijection` makes the same map, except for the values of its parameters. */
  describe(): Description;
  /** Where x lies, if not in all of R^D: outside of it the log-determinant is -Infinity. */
  readonly support?: Support | undefined;
  /** Where z lies, if not in all of R^D: outside of it the log-determinant is -Infinity. */
  readonly domain?: Support | undefined;
  /**
   * True if both directions also map the last axis of tensors [N, ..., D], and the log-determinant is a scalar, the same for all
   * vectors [D]. This holds for linear maps and normalizations. `PerPixel` needs it.
   */
  readonly actsOnLastAxis?: boolean;
  /**
   * For a multi-scale map: the number of latent features of each level, from the coarsest level, which comes first in a latent
   * row, to the finest.
   */
  readonly levels?: readonly number[] | undefined;
  /** True for the identity map. */
  readonly isIdentity?: boolean;
  /** For a composition: its maps, the first one next to the base distribution. */
  readonly parts?: readonly Part[] | undefined;
  /** Sets parameters such as a scale from data rows x; absent if no parameter is fitted to data. */
  readonly fitToData?: FitToRows | undefined;
  /** Sets the same parameters from latent rows z, such that x is standardized. `Invert` needs it. */
  readonly fitToLatent?: FitToRows | undefined;
  /** The standardization next to the data, which `Flow` applies in float64. */
  readonly dataStandardization?: OuterStandardization<Bijection> | undefined;
  /** The standardization of the context, which `Flow` applies in float64. */
  readonly contextStandardization?: OuterStandardization<Bijection> | undefined;
  /** For the flow of a vector field from time 0 to 1: this field, which flow matching trains. */
  readonly velocity?: VelocityField | undefined;
}

/** Sets parameters from rows. */
export type FitToRows = (rows: DataRows) => void | Promise<void>;

/** v(t, y, context) [N, D] at times t [N, 1] and points y [N, D]: the map takes y(0) to y(1) along dy/dt = v(t, y, context). */
export type VelocityField = (t: Tensor, y: Tensor, context?: Tensor) => Tensor;

/** Rows of numbers, [rows, features] in row-major order. */
export interface DataRows {
  readonly rows: number;
  readonly features: number;
  readonly values: Float64Array;
  /** A non-negative weight of each row; all 1 if absent. A row of weight 2 counts as two rows, also relative to a prior. */
  readonly weights?: Float64Array;
  /** [rows, C], for conditional maps. */
  readonly context?: Float64Array;
}

/** The entry of a bijection in the registry. */
export type BijectionKind<S extends KindSchema> = Kind<Bijection, S>;

/** The context for a part of a model: undefined if the part is unconditional. */
export const contextFor = (part: { readonly context: number }, context: Tensor | undefined) =>
  part.context > 0 ? context : undefined;

/**
 * Sums log-derivatives [..., D] over the features. A scalar stands for the same log-derivative of every feature, so it is
 * multiplied by D.
 */
export function sumFeatures(logDerivative: Tensor, features: number): Tensor {
  if (logDerivative.rank === 0) return logDerivative.mul(features);
  return logDerivative.sum(-1);
}

/** Sums log-derivatives of single features: each is [N, 1], or a scalar if all rows have the same. */
export function sumLogDerivatives(logDerivatives: readonly Tensor[]): Tensor {
  const terms = logDerivatives.filter(({ rank }) => rank < 2).map((each) => sumFeatures(each, 1));
  const byRow = logDerivatives.filter(({ rank }) => rank === 2);
  if (byRow.length > 0) terms.push(sumFeatures(concat(byRow, 1), byRow.length));
  return terms.reduce((sum, term) => sum.add(term));
}
