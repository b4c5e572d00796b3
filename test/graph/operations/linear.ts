import fc from "fast-check";
import { conv2d, type Shape, type Tensor } from "../../../src/graph/index.ts";
import { layerNormalization } from "../../../src/graph/operations/layerNormalization.ts";
import { broadcast, sumOver, tabulate } from "../dense.ts";
import { broadcastableTo, type Example, type OperationRow, real, shapes, show, size } from "./row.ts";

export const linear: readonly OperationRow[] = [
  {
    name: "matmul (two axes)",
    domain: real,
    example: (batched) =>
      fc.tuple(size, size, size, fc.boolean(), fc.boolean()).map(([m, k, n, transposeA, transposeB]) => {
        // The batch axis may be the rows of the product or the axis that is summed over.
        const summed = batched && transposeA;
        const a: Shape = transposeA ? [summed ? "N" : k, m] : [batched ? "N" : m, k];
        const b: Shape = summed ? ["N", n] : transposeB ? [n, k] : [k, n];
        return product(a, b, transposeA, transposeB && !summed);
      }),
  },
  {
    name: "matmul (leading axes)",
    domain: real,
    example: (batched) =>
      fc
        .tuple(shapes(batched, 1, 2), size, size, size, fc.boolean(), fc.boolean(), fc.constantFrom(0, 1, 2))
        .chain(([full, m, k, n, transposeA, transposeB, stretched]) =>
          broadcastableTo(full).map((other) => {
            const left = stretched === 1 ? other : full;
            const right = stretched === 2 ? other : full;
            const a = transposeA ? [...left, k, m] : [...left, m, k];
            const b = transposeB ? [...right, n, k] : [...right, k, n];
            return product(a, b, transposeA, transposeB);
          }),
        ),
  },
  {
    name: "affine",
    domain: real,
    example: (batched) =>
      fc.tuple(shapes(batched, 1, 3), size, size).map(([leading, i, o]) => ({
        shapes: [[...leading, i], [i, o], [o]],
        given: show(leading, i, o),
        build: (x, weight, bias) => x.affine(weight, bias),
        evaluate: (x, weight, bias) =>
          tabulate([...x.shape.slice(0, -1), o], (position) => {
            const [column] = position.slice(-1);
            return bias.at([column]) + sumOver(i, (k) => x.at(position.with(-1, k)) * weight.at([k, column]));
          }),
      })),
  },
  {
    name: "affine (a bias for each row)",
    domain: real,
    example: (batched) =>
      fc.tuple(shapes(batched, 1, 3), size, size).map(([leading, i, o]) => ({
        shapes: [
          [...leading, i],
          [i, o],
          [...leading, o],
        ],
        given: show(leading, i, o),
        build: (x, weight, bias) => x.affine(weight, bias),
        evaluate: (x, weight, bias) =>
          tabulate([...x.shape.slice(0, -1), o], (position) => {
            const [column] = position.slice(-1);
            return bias.at(position) + sumOver(i, (k) => x.at(position.with(-1, k)) * weight.at([k, column]));
          }),
      })),
  },
  {
    name: "contractLeading",
    domain: real,
    terms: 4,
    example: (batched) =>
      fc.tuple(shapes(batched, 1, 3), size, size).map(([leading, k, m]) => ({
        shapes: [
          [...leading, k],
          [...leading, m],
        ],
        given: show(leading, k, m),
        build: (a, b) => a.contractLeading(b),
        evaluate: (a, b) =>
          tabulate([k, m], ([i, j]) =>
            sumOver(a.data.length / k, (row) => a.data[row * k + i] * b.data[row * m + j]),
          ),
      })),
  },
  {
    name: "outer",
    domain: real,
    example: (batched) =>
      fc.tuple(shapes(batched, 0, 2), size, size).map(([leading, i, j]) => ({
        shapes: [
          [...leading, i],
          [...leading, j],
        ],
        given: show(leading, i, j),
        build: (a, b) => a.outer(b),
        evaluate: (a, b) =>
          tabulate([...a.shape, j], (p) => a.at(p.slice(0, -1)) * b.at([...p.slice(0, -2), ...p.slice(-1)])),
      })),
  },
  triangle(
    "lowerTriangle",
    (x, diagonal) => x.lowerTriangle(diagonal),
    (i, j, diagonal) => j - i <= diagonal,
  ),
  triangle(
    "upperTriangle",
    (x, diagonal) => x.upperTriangle(diagonal),
    (i, j, diagonal) => j - i >= diagonal,
  ),
  images("conv2d", false),
  images("conv2d with a bias", true),
  {
    name: "layerNormalization",
    // Neighbors differ by 2 or more. The deviation of nearly equal numbers would have few correct digits.
    domain: [(size, random) => real(size, random).map((v, i) => v / 4 + (i % 2 ? 1.5 : -1.5)), real, real],
    terms: 1,
    example: (batched) =>
      fc.tuple(shapes(batched, 1, 3), size).map(([leading, columns]) => ({
        shapes: [[...leading, columns], [columns], [columns]],
        given: show(leading, columns),
        build: layerNormalization,
        evaluate: (x, scale, shift) =>
          tabulate(x.shape, (position) => {
            const column = position.at(-1)!;
            const mean = (of: (value: number) => number) =>
              sumOver(columns, (k) => of(x.at(position.with(-1, k)))) / columns;
            const center = mean((value) => value);
            const deviation = Math.sqrt(mean((value) => (value - center) ** 2) + 1e-5);
            return ((x.at(position) - center) / deviation) * scale.at([column]) + shift.at([column]);
          }),
      })),
  },
];

function product(a: Shape, b: Shape, transposeA: boolean, transposeB: boolean): Example {
  return {
    shapes: [a, b],
    given: show(a, b, { transposeA, transposeB }),
    build: (x, y) => x.matmul(y, transposeA || transposeB ? { transposeA, transposeB } : undefined),
    evaluate: (x, y) => {
      const swap = (position: number[], yes: boolean) =>
        yes ? [...position.slice(0, -2), ...position.slice(-2).reverse()] : position;
      const left = swap([...x.shape], transposeA);
      const right = swap([...y.shape], transposeB);
      const leading = broadcast(left.slice(0, -2), right.slice(0, -2));
      return tabulate([...leading, left.at(-2)!, right.at(-1)!], (position) =>
        sumOver(left.at(-1)!, (k) => {
          const [i, j] = position.slice(-2);
          const rest = position.slice(0, -2);
          return x.at(swap([...rest, i, k], transposeA)) * y.at(swap([...rest, k, j], transposeB));
        }),
      );
    },
  };
}

function triangle(
  name: string,
  build: (x: Tensor, diagonal: number) => Tensor,
  keep: (i: number, j: number, diagonal: number) => boolean,
): OperationRow {
  return {
    name,
    domain: real,
    example: (batched) =>
      fc
        .tuple(shapes(batched, 0, 2), size, size, fc.integer({ min: -1, max: 1 }))
        .map(([leading, rows, columns, diagonal]) => ({
          shapes: [[...leading, rows, columns]],
          given: show(leading, rows, columns, diagonal),
          build: (x) => build(x, diagonal),
          evaluate: (x) =>
            tabulate(x.shape, (position) => {
              const [i, j] = position.slice(-2);
              return keep(i, j, diagonal) ? x.at(position) : 0;
            }),
        })),
  };
}

function images(name: string, biased: boolean): OperationRow {
  return {
    name,
    domain: real,
    terms: 4,
    example: (batched) =>
      fc.tuple(fc.constantFrom(1, 3), size, size, fc.constantFrom(1, 2), size).map(([k, h, w, c, o]) => ({
        shapes: [[batched ? "N" : 2, h, w, c], [k, k, c, o], ...(biased ? [[o]] : [])],
        given: show(k, h, w, c, o),
        build: (x, weight, bias) => (biased ? conv2d(x, weight, bias) : conv2d(x, weight)),
        evaluate: (x, weight, bias) =>
          tabulate([x.shape[0], h, w, o], ([n, row, column, output]) => {
            let value = biased ? bias.at([output]) : 0;
            for (let i = 0; i < k; i++) {
              for (let j = 0; j < k; j++) {
                const [y, z] = [row + i - (k - 1) / 2, column + j - (k - 1) / 2];
                if (y < 0 || y >= h || z < 0 || z >= w) continue;
                value += sumOver(c, (input) => x.at([n, y, z, input]) * weight.at([i, j, input, output]));
              }
            }
            return value;
          }),
      })),
  };
}
