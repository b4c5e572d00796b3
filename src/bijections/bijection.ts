import type { Description, Kind, KindSchema } from "../description.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import type { OuterStandardization } from "./outerStandardization.ts";
import type { Part } from "./parts.ts";
import type { Support } from "./support.ts";

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
 *
 * The optional members declare what else the rest of pushforward needs to know of it: a bijection without them is valid, and a
 * combinator of bijections passes on what those inside it declare.
 */
export interface Bijection {
  readonly features: number;
  /** Number of context features; 0 for an unconditional map. */
  readonly context: number;
  forward(z: Tensor, context?: Tensor): Transformed;
  inverse(x: Tensor, context?: Tensor): Transformed;
  /** A JSON description from which `buildBijection` makes the same map (but for its parameters). */
  describe(): Description;
  /** Where the rows on the data side lie, if not anywhere: outside the log-determinant is -Infinity. */
  readonly support?: Support | undefined;
  /** True for a map that changes nothing. */
  readonly isIdentity?: boolean;
  /** The maps that it applies one after the other, the first next to the base; absent if it is not composed of others. */
  readonly parts?: readonly Part[] | undefined;
  /** Sets what is taken from data, such as a scale, from rows on its data side; absent if it takes nothing from data. */
  readonly fitToData?: FitToRows | undefined;
  /** The same from rows on its latent side, such that the data side is standardized: what `Invert` needs. */
  readonly fitToLatent?: FitToRows | undefined;
  /** The standardization next to the data. */
  readonly dataStandardization?: OuterStandardization<Bijection> | undefined;
  /** The standardization of the context. */
  readonly contextStandardization?: OuterStandardization<Bijection> | undefined;
  /** The field whose flow from time 0 to 1 the map is: what flow matching trains. */
  readonly velocity?: VelocityField | undefined;
}

/** Sets what is taken from data. */
export type FitToRows = (rows: DataRows) => void | Promise<void>;

/** v(t, y, context) [N, D] at times t [N, 1] and points y [N, D]: the map takes y(0) to y(1) where dy/dt = v(t, y, context). */
export type VelocityField = (t: Tensor, y: Tensor, context?: Tensor) => Tensor;

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
