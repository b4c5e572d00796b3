/** A row-major array in plain JavaScript, to compute expected values with. */
export class Dense {
  readonly shape: readonly number[];
  readonly data: Float64Array;

  constructor(shape: readonly number[], data: ArrayLike<number>) {
    this.shape = shape;
    this.data = Float64Array.from(data);
  }

  /** The element at a position, with NumPy's broadcasting: leading axes may be missing, and axes of size 1 are repeated. */
  at(position: readonly number[]): number {
    const skip = position.length - this.shape.length;
    const offset = this.shape.reduce((sum, size, axis) => sum * size + (position[axis + skip] % size), 0);
    return this.data[offset];
  }
}

export const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

/** The array whose element at each position is `element(position)`. */
export function tabulate(shape: readonly number[], element: (position: number[]) => number): Dense {
  const data = new Float64Array(count(shape));
  const position = shape.map(() => 0);
  for (let k = 0; k < data.length; k++) {
    data[k] = element(position);
    for (let axis = shape.length - 1; axis >= 0 && ++position[axis] === shape[axis]; axis--)
      position[axis] = 0;
  }
  return new Dense(shape, data);
}

export function broadcast(...shapes: (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, i) =>
    Math.max(1, ...shapes.map((s) => s[i - rank + s.length] ?? 1)),
  );
}

/** `f` element by element, with broadcasting. */
export const map = (f: (...values: number[]) => number, ...arrays: readonly Dense[]): Dense =>
  tabulate(broadcast(...arrays.map((a) => a.shape)), (position) => f(...arrays.map((a) => a.at(position))));

/** `f` applied to all elements along some axes. */
export function reduce(
  x: Dense,
  axes: readonly number[],
  keepAxes: boolean,
  f: (values: number[]) => number,
): Dense {
  const kept = x.shape.map((d, axis) => (axes.includes(axis) ? 1 : d));
  const result = tabulate(kept, (position) => {
    const values: number[] = [];
    const sizes = x.shape.map((d, axis) => (axes.includes(axis) ? d : 1));
    tabulate(sizes, (offset) => values.push(x.at(position.map((p, axis) => p + offset[axis]))));
    return f(values);
  });
  return keepAxes
    ? result
    : new Dense(
        kept.filter((_, axis) => !axes.includes(axis)),
        result.data,
      );
}

/** `f` applied to the elements along one axis; it returns as many. */
export function along(x: Dense, axis: number, f: (values: number[]) => number[]): Dense {
  return tabulate(x.shape, (position) => {
    const values = Array.from({ length: x.shape[axis] }, (_, i) => x.at(position.with(axis, i)));
    return f(values)[position[axis]];
  });
}

export const sumOver = (size: number, term: (k: number) => number): number => {
  let total = 0;
  for (let k = 0; k < size; k++) total += term(k);
  return total;
};
