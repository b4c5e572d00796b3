/** A column as `mean + scale * z`, where z has mean 0 and length 1: the dot product of two z is the correlation. */
export interface StandardizedColumn {
  readonly z: Float64Array;
  readonly mean: number;
  readonly scale: number;
}

/** Subtracts the mean of a column and divides it by its length; z is 0 for a constant column. */
export function standardizeColumn(values: Float64Array): StandardizedColumn {
  const mean = meanOf(values);
  const z = values.map((value) => value - mean);
  // The mean of z would be 0 without rounding.
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

/** The projection of z onto the space of columns. */
export interface Projection {
  /** z minus its projection. */
  readonly residual: Float64Array;
  /** The length of the residual. */
  readonly length: number;
  /** The dot products of z with the orthonormal directions. */
  readonly products: Float64Array;
}

/**
 * The QR decomposition of columns that are added one after the other, by the Gram-Schmidt process. A projection that removes more
 * than half of a column is repeated, because rounding errors are then large (Daniel et al., 1976).
 */
export class ColumnSpace {
  /** The columns of Q: orthonormal. */
  private readonly directions: Float64Array[] = [];
  /** Column j of R: the products of column j with the directions 0 to j. */
  private readonly upper: Float64Array[] = [];

  /** The dimension of the space. */
  get size(): number {
    return this.directions.length;
  }

  /** Projects z onto the space. */
  project(z: Float64Array): Projection {
    const residual = z.slice();
    const products = new Float64Array(this.size);
    let length = Math.sqrt(dot(z, z));
    for (let pass = 0, before = Infinity; pass < 2 && length < before / 2; pass++) {
      before = length;
      this.directions.forEach((q, i) => {
        const product = dot(q, residual);
        products[i] += product;
        for (let row = 0; row < residual.length; row++) residual[row] -= product * q[row];
      });
      length = Math.sqrt(dot(residual, residual));
    }
    return { residual, length, products };
  }

  /** Adds the residual of a projection as a further direction. */
  add({ residual, length, products }: Projection): void {
    this.directions.push(residual.map((value) => value / length));
    this.upper.push(Float64Array.of(...products, length));
  }

  /** Solves R c = products for c, the coefficients of the added columns in a projection, by back substitution. */
  coefficients({ products }: Projection): Float64Array {
    const solved = products.slice();
    for (let j = this.size - 1; j >= 0; j--) {
      solved[j] /= this.upper[j][j];
      for (let i = 0; i < j; i++) solved[i] -= this.upper[j][i] * solved[j];
    }
    return solved;
  }
}
