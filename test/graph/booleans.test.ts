import { expect, test } from "vitest";
import { concat, constant, type Tensor } from "../../src/graph/index.ts";
import { run } from "./run.ts";

const X = [1, -1, 2, -2, -3, 3];

/** Operations that move, select or copy the elements of a tensor [2, 3]. */
const moves: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  reshape: (x) => x.reshape([3, 2]),
  transpose: (x) => x.transpose(),
  concat: (x) => concat([x, x], 0),
  slice: (x) => x.slice(1, 0, 2),
  pad: (x) => x.pad(0, 1, 1),
  gather: (x) => x.gather(1, [2, 0]),
  permute: (x) => x.permute(1, constant([2, 0, 1], [3]), constant([1, 2, 0], [3])),
  broadcastTo: (x) => x.reshape([2, 3, 1]).broadcastTo([2, 3, 4]),
  stopGradient: (x) => x.stopGradient(),
};

test.each(Object.entries(moves))("%s keeps a boolean tensor boolean", async (_name, move) => {
  for (const precision of ["float32", "float64"] as const) {
    const { result, selected, expected, expectedSelection } = await run(
      (x) => {
        const [moved, ofMoved] = [move(x.greater(0)), move(x).greater(0)];
        // Numbers of one column are broadcast by a matrix product, which ONNX does not have for booleans.
        const column = [...moved.shape, 1];
        const row = constant([5, 6], [2]);
        return {
          result: moved,
          selected: moved.reshape(column).where(row, 0),
          expected: ofMoved.toFloat(),
          expectedSelection: ofMoved.toFloat().reshape(column).mul(row),
        };
      },
      [[2, 3]],
      [X],
      precision,
    );
    expect(result).toEqual(expected);
    expect(selected).toEqual(expectedSelection);
  }
});

test("a condition for each row selects rows", async () => {
  const { rows } = await run((x) => ({ rows: x.sum(1).greater(0).where(x, 0) }), [["N", 3]], [X]);
  expect(rows).toEqual([1, -1, 2, 0, 0, 0]);
});

test("are equal where both are true or both are false", async () => {
  const { same } = await run((x) => ({ same: x.greater(0).equal(x.less(2)) }), [[2, 3]], [X]);
  expect(same).toEqual([1, 0, 0, 0, 0, 0]);
});
