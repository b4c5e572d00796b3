import type * as z from "zod/mini";
import { requireNumbers } from "../../check/index.ts";
import { concat, type Tensor } from "../../graph/index.ts";
import type { Description } from "../../parts/index.ts";

/** The result of an elementwise map: both tensors have the shape of the argument, or broadcast to it. */
export interface ScalarTransformed {
  readonly value: Tensor;
  /** log |dy/dx| of each element, or a scalar if all elements have the same. */
  readonly logDerivative: Tensor;
}

/**
 * A monotonic map of one variable, which coupling, autoregressive and elementwise bijections apply to each feature. It has P
 * parameters per feature, which usually a network computes for each row. It is the identity if all parameters are 0.
 *
 * `raw` holds the parameters of all D features, [N, D P], or [D P] if all rows share them.
 */
export interface ScalarTransform {
  /** P, the number of parameters per feature. */
  readonly parameters: number;
  /** Whether features are angles: networks then see the cosine and the sine of each, which have the period 2 pi. */
  readonly angles?: boolean;
  /** For D features, the feature that each of the D P columns of `raw` belongs to. */
  columns(features: number): number[];
  /** The density direction, x to z. */
  toLatent(x: Tensor, raw: Tensor): ScalarTransformed;
  /** The sampling direction, z to x. */
  toData(z: Tensor, raw: Tensor): ScalarTransformed;
  /** The options with their `type`; only transforms that are not in the registry need it. */
  describe?(): Description;
}

/** The entry of a scalar transform in the registry. */
export interface ScalarTransformKind<
  S extends z.ZodMiniObject<{ type: z.ZodMiniLiteral<string> }> = z.ZodMiniObject<{
    type: z.ZodMiniLiteral<string>;
  }>,
> {
  readonly schema: S;
  build(options: z.output<S>): ScalarTransform;
}

/** The network inputs for features [..., D]: the features, or for angles their cosines and then their sines, [..., 2 D]. */
export const networkInputs = ({ angles }: ScalarTransform, x: Tensor): Tensor =>
  angles ? concat([x.cos(), x.sin()], -1) : x;

/** One number for each feature, repeated for each of the `networkInputs` of the feature. */
export const forNetworkInputs = ({ angles }: ScalarTransform, features: number[]): number[] =>
  angles ? [...features, ...features] : features;

/** The `columns` of parameters in the order [a_1 ... a_D, b_1 ... b_D]. */
export const blockColumns = (features: number, parameters: number): number[] =>
  columnsOf(features * parameters, (column) => column % features);

/** The `columns` of parameters in groups, such as all widths and then all heights; group g has `sizes[g]` numbers per feature. */
export const groupColumns = (features: number, sizes: readonly number[]): number[] =>
  sizes.flatMap((size) => columnsOf(features * size, (column) => Math.floor(column / size)));

/** Limits the count first: a hostile model file must not allocate more columns than it has biases for. */
function columnsOf(count: number, featureOf: (column: number) => number): number[] {
  requireNumbers(count);
  return Array.from({ length: count }, (_, column) => featureOf(column));
}

/** Splits `raw` into the groups of `groupColumns`, [..., D, size] each. */
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
 * A transform that computes on transposed tensors: `apply` gets elements as [D, N] and the groups of `groupColumns` as
 * [D, size, N], or [D, size, 1] if all rows share them, and returns [D, N]. With the rows last, sums over the parameters of a
 * feature take a third of the time, because the runtime adds long contiguous rows instead of a few numbers of each row.
 */
export function featuresFirst(
  sizes: readonly number[],
  apply: (u: Tensor, groups: readonly Tensor[], inverse: boolean) => ScalarTransformed,
): ScalarTransform {
  const applyTransposed = (u: Tensor, raw: Tensor, inverse: boolean): ScalarTransformed => {
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
    toLatent: (x, raw) => applyTransposed(x, raw, false),
    toData: (z, raw) => applyTransposed(z, raw, true),
  };
}
