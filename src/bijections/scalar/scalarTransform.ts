import type * as z from "zod/mini";
import type { Description } from "../../description.ts";
import { concat, type Tensor } from "../../graph/tensor.ts";
import { requireNumbers } from "../../sizeBudget.ts";

/** Elementwise result: both of the shape of the argument, or smaller by broadcasting. */
export interface ScalarTransformed {
  readonly value: Tensor;
  /** log |dy/dx| of each element; a scalar tensor where all elements have the same. */
  readonly logDerivative: Tensor;
}

/**
 * A monotonic map of one variable whose parameters a network gives for each row and feature: what coupling and
 * autoregressive bijections apply to a feature. All parameters at 0 give the identity.
 *
 * `raw` holds the parameters of D features side by side, [N, D P] (or [D P] where they are the same for all rows).
 */
export interface ScalarTransform {
  /** P, the number of parameters of a feature. */
  readonly parameters: number;
  /** Whether features are angles: what a network is given of one is its cosine and its sine, the same after a turn. */
  readonly angles?: boolean;
  /** Which of `features` features each of the D P columns of `raw` belongs to. */
  columns(features: number): number[];
  /** Density direction, x to z; the closed form of every transform is in this direction. */
  toLatent(x: Tensor, raw: Tensor): ScalarTransformed;
  /** Sampling direction, z to x. */
  toData(z: Tensor, raw: Tensor): ScalarTransformed;
  /** Its options, with the `type` of its kind; needed of a class that is not in the registry. */
  describe?(): Description;
}

/** What the registry holds of each scalar transform. */
export interface ScalarTransformKind<
  S extends z.ZodMiniObject<{ type: z.ZodMiniLiteral<string> }> = z.ZodMiniObject<{
    type: z.ZodMiniLiteral<string>;
  }>,
> {
  readonly schema: S;
  build(options: z.output<S>): ScalarTransform;
}

/** What a network is given of features [N, D]: the features, or [N, 2 D] the cosines and then the sines of angles. */
export const networkInputs = ({ angles }: ScalarTransform, x: Tensor): Tensor =>
  angles ? concat([x.cos(), x.sin()], 1) : x;

/** Parameters in blocks, one kind after the other: [a_1 ... a_D, b_1 ... b_D]. */
export const blockColumns = (features: number, parameters: number): number[] =>
  columnsOf(features * parameters, (column) => column % features);

/** Parameters in groups, each of `sizes` numbers for every feature: to cut these apart is to copy long stretches. */
export const groupColumns = (features: number, sizes: readonly number[]): number[] =>
  sizes.flatMap((size) => columnsOf(features * size, (column) => Math.floor(column / size)));

/** Each column has a bias at least. */
function columnsOf(count: number, featureOf: (column: number) => number): number[] {
  requireNumbers(count);
  return Array.from({ length: count }, (_, column) => featureOf(column));
}

/** The groups of `groupColumns`, each as [..., features, size]. */
export function splitGroups(raw: Tensor, features: number, sizes: readonly number[]): Tensor[] {
  return splitBySizes(raw, features, sizes).map((group, i) =>
    group.reshape([...group.shape.slice(0, -1), features, sizes[i]]),
  );
}

const splitBySizes = (raw: Tensor, features: number, sizes: readonly number[]): Tensor[] =>
  raw.split(
    -1,
    sizes.map((size) => features * size),
  );

/**
 * A transform that is computed features first: `apply` sees elements as [D, N] and the groups of `groupColumns` as
 * [D, size, N] (or [D, size, 1] where they are the same for all rows), and gives [D, N]. To sum over parameters of a feature
 * then takes a third of the time, for the runtime adds rows of many numbers where it else adds up a few of each row.
 */
export function featuresFirst(
  sizes: readonly number[],
  apply: (u: Tensor, groups: readonly Tensor[], inverse: boolean) => ScalarTransformed,
): ScalarTransform {
  const withTransposed = (u: Tensor, raw: Tensor, inverse: boolean): ScalarTransformed => {
    const features = u.shape[1] as number;
    const groups = splitBySizes(raw, features, sizes).map((group, i) => {
      const columns = group.rank === 1 ? group.reshape([features * sizes[i], 1]) : group.transpose();
      return columns.reshape([features, sizes[i], columns.shape[1]]);
    });
    const { value, logDerivative } = apply(u.transpose(), groups, inverse);
    return { value: value.transpose(), logDerivative: logDerivative.transpose() };
  };
  return {
    parameters: sizes.reduce((a, b) => a + b),
    columns: (features) => groupColumns(features, sizes),
    toLatent: (x, raw) => withTransposed(x, raw, false),
    toData: (z, raw) => withTransposed(z, raw, true),
  };
}
