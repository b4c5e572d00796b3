import { constant, type Tensor } from "../graph/index.ts";
import type { Random } from "../random/index.ts";

/** Several permutations of one axis, one for each mask variant: position j of the result is position `permutations[m][j]`. */
export class AxisPermutations {
  readonly permutations: readonly Int32Array[];

  constructor(permutations: readonly ArrayLike<number>[]) {
    this.permutations = permutations.map((permutation) => Int32Array.from(permutation));
  }

  get size(): number {
    return this.permutations[0].length;
  }

  /** Permutes an axis of x. The variant is a number, or a one-hot tensor. */
  apply(x: Tensor, axis: number, variant: number | Tensor): Tensor {
    if (typeof variant === "number") return x.gather(axis, this.permutations[variant]);
    return x.permute(axis, ...this.selected(variant));
  }

  /** Undoes `apply`. */
  applyInverse(x: Tensor, axis: number, variant: number | Tensor): Tensor {
    if (typeof variant === "number") return x.gather(axis, inversePermutation(this.permutations[variant]));
    const [permutation, inverse] = this.selected(variant);
    return x.permute(axis, inverse, permutation);
  }

  /** The permutation of a one-hot variant, and its inverse, as tensors. */
  private selected(variant: Tensor): [permutation: Tensor, inverse: Tensor] {
    const count = this.permutations.length;
    // An elementwise product and a sum, because on some devices a matrix product rounds to fewer digits than an index has.
    const select = (permutations: readonly ArrayLike<number>[]) =>
      variant
        .reshape([count, 1])
        .mul(
          constant(
            permutations.flatMap((permutation) => Array.from(permutation)),
            [count, this.size],
          ),
        )
        .sum(0);
    return [select(this.permutations), select(this.permutations.map(inversePermutation))];
  }
}

/** The inverse of a permutation of 0 ... D - 1. */
export function inversePermutation(permutation: ArrayLike<number>): number[] {
  const inverse = new Array<number>(permutation.length);
  for (let i = 0; i < permutation.length; i++) inverse[permutation[i]] = i;
  return inverse;
}

/** `count` permutations: `first`, and then random ones. */
export const drawPermutations = (first: readonly number[], count: number, random: Random): AxisPermutations =>
  new AxisPermutations(
    Array.from({ length: count }, (_, m) => (m === 0 ? first : random.split(m).permutation(first.length))),
  );

/**
 * Permutations of columns that move each column with its feature. `columns[c]` is the feature of column c. Position c of the result
 * is the column of feature `permutation[columns[c]]` that has the same rank among the columns of its feature as c.
 */
export function columnPermutations(
  columns: readonly number[],
  { permutations }: AxisPermutations,
): AxisPermutations {
  const columnsOfFeature: number[][] = [];
  const ranks = columns.map((feature, column) => {
    columnsOfFeature[feature] ??= [];
    return columnsOfFeature[feature].push(column) - 1;
  });
  return new AxisPermutations(
    permutations.map((permutation) =>
      columns.map((feature, column) => columnsOfFeature[permutation[feature]][ranks[column]]),
    ),
  );
}
