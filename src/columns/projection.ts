/** A column as `mean + scale * z`, where z has mean 0 and length 1: the product of two such is their correlation. */
export interface Scaled {
  readonly z: Float64Array;
  readonly mean: number;
  readonly scale: number;
}

export function scaledColumn(values: Float64Array): Scaled {
  const mean = meanOf(values);
  const z = values.map((value) => value - mean);
  // What rounding took from the mean.
  const correction = meanOf(z);
  for (let i = 0; i < z.length; i++) z[i] -= correction;
  const scale = Math.sqrt(dot(z, z));
  return { z: scale > 0 ? z.map((value) => value / scale) : z, mean: mean + correction, scale };
}

const meanOf = (values: Float64Array): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

export interface Projection {
  /** What columns leave of z, and its length. */
  readonly rest: Float64Array;
  readonly length: number;
  /** The products with the directions. */
  readonly products: Float64Array;
}

/**
 * The QR decomposition of columns that are added one after the other: Gram-Schmidt, done again where it took away more than
 * half of a column, as rounding counts then (Daniel et al., 1976).
 */
export class ColumnSpace {
  private readonly directions: Float64Array[] = [];
  /** Column j of R: the products of added column j with the directions up to its own. */
  private readonly upper: Float64Array[] = [];

  get size(): number {
    return this.directions.length;
  }

  project(z: Float64Array): Projection {
    const rest = z.slice();
    const products = new Float64Array(this.size);
    let length = Math.sqrt(dot(z, z));
    for (let pass = 0, before = Infinity; pass < 2 && length < before / 2; pass++) {
      before = length;
      this.directions.forEach((q, i) => {
        const product = dot(q, rest);
        products[i] += product;
        for (let row = 0; row < rest.length; row++) rest[row] -= product * q[row];
      });
      length = Math.sqrt(dot(rest, rest));
    }
    return { rest, length, products };
  }

  add({ rest, length, products }: Projection): void {
    this.directions.push(rest.map((value) => value / length));
    this.upper.push(Float64Array.of(...products, length));
  }

  /** The coefficients of the added columns in a projection onto them. */
  coefficients({ products }: Projection): Float64Array {
    const solved = products.slice();
    for (let j = this.size - 1; j >= 0; j--) {
      solved[j] /= this.upper[j][j];
      for (let i = 0; i < j; i++) solved[i] -= this.upper[j][i] * solved[j];
    }
    return solved;
  }
}
