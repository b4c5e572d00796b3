import { expect, test } from "vitest";
import { chunkRows } from "../../src/flows/batchRunner.ts";
import { Parameter } from "../../src/graph/index.ts";
import { compile } from "../../src/runtime/index.ts";

test("a chunk has as many rows with wide layers as with narrow ones, and fewer if a row has many numbers", () => {
  const rowsFor = (width: number) => {
    const weights = new Parameter([8, width], 0.1);
    return chunkRows(compile((x) => ({ y: x.matmul(weights).sum() }), [["N", 8]]).graph);
  };
  // The weights of the second network have as many numbers as a chunk may have in one tensor.
  expect(rowsFor(64)).toBeGreaterThan(1000);
  expect(rowsFor(2 ** 14)).toBe(2 ** 10);
  expect(rowsFor(2 ** 16)).toBe(2 ** 8);
});
