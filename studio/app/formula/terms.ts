/** The numbers in the formulas of layers and of the base distribution at one point. */

/** A point of the plane, or another pair of numbers. */
export type Pair = readonly [number, number];

/** The first two numbers. */
export const pairOf = (numbers: ArrayLike<number>): Pair => [numbers[0]!, numbers[1]!];

export const dot = (a: Pair, b: Pair): number => a[0] * b[0] + a[1] * b[1];

/** The bin of a rational-quadratic spline that a coordinate lies in (Durkan et al. 2019): its ends, and the derivatives there. */
export interface SplineBin {
  readonly x: Pair;
  readonly z: Pair;
  readonly derivatives: Pair;
}

/** The map of one coordinate from the input x of a layer to its output z. */
export type CoordinateMap =
  /** z = x */
  | { readonly type: "identity" }
  /** z = x - shift */
  | { readonly type: "shift"; readonly shift: number }
  /** z = (x - shift) exp(-s) */
  | { readonly type: "affine"; readonly shift: number; readonly s: number }
  /** z = x exp(-s) */
  | { readonly type: "scale"; readonly s: number }
  /** z = (x - center) / scale */
  | { readonly type: "standardize"; readonly center: number; readonly scale: number }
  | { readonly type: "spline"; readonly bin: SplineBin };

/** One of the input x and the output z of a layer. */
export type Side = "x" | "z";

/** A map whose numbers may depend on the other coordinate of x or z. */
export type ConditionedMap = CoordinateMap & { readonly dependsOn?: Side };

export type LayerTerms =
  /** Each coordinate has its own map. The letter is that of shifts in the papers: t of a coupling, m of an autoregressive layer. */
  | { readonly type: "coordinates"; readonly letter: "m" | "t"; readonly maps: readonly ConditionedMap[] }
  /** z = W x + b, with the rows of W. */
  | { readonly type: "linear"; readonly rows: readonly [Pair, Pair]; readonly b: Pair }
  /** z = x + û tanh(w·x + b), or x = z + û tanh(w·z + b): `of` is the argument of tanh. */
  | { readonly type: "planar"; readonly of: Side; readonly u: Pair; readonly w: Pair; readonly b: number }
  /** x = z + β (z - z0) / (α + |z - z0|) */
  | { readonly type: "radial"; readonly center: Pair; readonly alpha: number; readonly beta: number }
  /** z = x - the integral of a velocity. */
  | { readonly type: "continuous" };

export type BaseTerms =
  | { readonly type: "normal" }
  | { readonly type: "logistic" }
  /** For each coordinate the mean, the log-scale and the degrees of freedom. */
  | {
      readonly type: "studentT";
      readonly coordinates: readonly { readonly mean: number; readonly s: number; readonly nu: number }[];
    }
  /** The weighted densities w N(z; m, S) of the components at z. */
  | { readonly type: "mixture"; readonly densities: readonly number[] };
