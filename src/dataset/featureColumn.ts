/** Feature d of rows of numbers [N, `features`] in row-major order: [N]. */
export const featureColumn = (
  values: ArrayLike<number>,
  features: number,
  d: number,
): Float64Array<ArrayBuffer> =>
  Float64Array.from({ length: values.length / features }, (_, n) => values[n * features + d]!);
