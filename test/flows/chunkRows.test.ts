import { expect, test } from "vitest";
import { chunkRows } from "../../src/flows/batchRunner.ts";
import { Parameter } from "../../src/graph/index.ts";
import { compile } from "../../src/runtime/index.ts";

test("a chunk has as many rows with wide layers as with narrow ones, and fewer if a row has many numbers", () => {
  const rowsFor = (width: number) => {
    const weights = new Parameter([8, width], 0.1);
    return chunkRows(compile((x) => ({ y: x.matmul(weights).sum() }), [["N", 8]]).graph);
  };
  expect(rowsFor(64)).toBeGreaterThan(1000);
  // A row has its 8 inputs, 2^15 products and the sum.
  expect(rowsFor(2 ** 15)).toBe(2 ** 8 - 1);
  expect(rowsFor(2 ** 17)).toBe(2 ** 6 - 1);
});
