import { expect, test } from "vitest";
import { Standardize } from "../../src/bijections/standardize.ts";
import { PushforwardError } from "../../src/check/errors.ts";
import {
  buildGraph,
  concat,
  constant,
  conv2d,
  drawForBatch,
  drawForRows,
  grad,
  input,
  jacobian,
  loop,
  Parameter,
  type Shape,
  scalar,
  stack,
  type Tensor,
  vjp,
} from "../../src/graph/index.ts";
import { Linear } from "../../src/nn/linear.ts";
import { Random } from "../../src/random/index.ts";

/** An input of this shape. */
const x = (...shape: Shape) => input("x", shape);

/** The message of the error that `write` must throw. */
function messageOf(write: () => unknown): string {
  try {
    write();
  } catch (error) {
    expect(error).toBeInstanceOf(PushforwardError);
    expect((error as PushforwardError).code).toBe("SHAPE");
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}

test("broadcasting", () => {
  expect(messageOf(() => x("N", 3).add(x("N", 4)))).toMatchInlineSnapshot(`
    "add cannot broadcast [N, 3] with [N, 4].
    Two axes must be equal, or one of them must be 1."
  `);
  expect(messageOf(() => x("N", 3).greater(0).where(x(4), 1))).toMatchInlineSnapshot(`
    "where cannot broadcast [N, 3] with [4] with [].
    Two axes must be equal, or one of them must be 1."
  `);
  expect(messageOf(() => x("N", 3).mul(x(5, 4)))).toMatchInlineSnapshot(`
    "mul cannot broadcast [N, 3] with [5, 4].
    Two axes must be equal, or one of them must be 1."
  `);
  expect(messageOf(() => x("N", 3).broadcastTo([3]))).toMatchInlineSnapshot(
    `"broadcastTo cannot broadcast [N, 3] to [3]."`,
  );
  expect(messageOf(() => x(2).broadcastTo(["N", 3]))).toMatchInlineSnapshot(`
    "broadcastTo cannot broadcast [2] with [N, 3].
    Two axes must be equal, or one of them must be 1."
  `);
});

test("moving the batch axis", () => {
  expect(x("N", 3).transpose().reshape([1, 3, "N"]).shape).toEqual([1, 3, "N"]);
  expect(messageOf(() => buildGraph([], { y: x("N", 3).transpose() }))).toMatchInlineSnapshot(
    `"the batch axis of output y is not its first axis: [3, N]."`,
  );
  expect(messageOf(() => x("N", 3).transpose().add(x("N", 3)))).toMatchInlineSnapshot(`
    "add cannot broadcast [3, N] with [N, 3].
    Two axes must be equal, or one of them must be 1."
  `);
  expect(messageOf(() => x("N", 1).add(x("N", 1).transpose()))).toMatchInlineSnapshot(`
    "add would move the batch axis of [N, 1] with [1, N].
    The batch axis N must stay where it is."
  `);
  expect(messageOf(() => x("N", 4).reshape([4, "N"]))).toMatchInlineSnapshot(
    `"reshape cannot change [N, 4] to [4, N]."`,
  );
  expect(messageOf(() => x("N", 1).reshape(["N", "N"]))).toMatchInlineSnapshot(
    `"reshape cannot change [N, 1] to [N, N]."`,
  );
  expect(messageOf(() => x("N", 3).matmul(x("N", 3), { transposeB: true }))).toMatchInlineSnapshot(`
    "matmul would move the batch axis of [N, 3] by [N, 3].
    The batch axis N must stay where it is."
  `);
  expect(messageOf(() => x("N", 3).matmul(x(2, 3, 4)))).toMatchInlineSnapshot(`
    "matmul would move the batch axis of [N, 3] by [2, 3, 4].
    The batch axis N must stay where it is."
  `);
  expect(messageOf(() => x("N", 3).matmul(x("N", 3, 4)))).toMatchInlineSnapshot(`
    "matmul would move the batch axis of [N, 3] by [N, 3, 4].
    The batch axis N must stay where it is."
  `);
  expect(messageOf(() => x("N", 3).slice(0, 0, 1))).toMatchInlineSnapshot(`
    "slice cannot divide the batch axis of [N, 3].
    The number of rows is known only when the graph runs."
  `);
  expect(messageOf(() => x("N", 3).gather(0, [0]))).toMatchInlineSnapshot(`
    "gather cannot select from the batch axis of [N, 3].
    The number of rows is known only when the graph runs."
  `);
  expect(messageOf(() => x("N", 3).flip(0))).toMatchInlineSnapshot(`
    "flip cannot reverse the batch axis of [N, 3].
    The number of rows is known only when the graph runs."
  `);
  expect(messageOf(() => x("N", 3).pad(0, 1, 1))).toMatchInlineSnapshot(`
    "pad cannot extend the batch axis of [N, 3].
    The number of rows is known only when the graph runs."
  `);
  expect(messageOf(() => concat([x("N", 3), x("N", 3)], 0))).toMatchInlineSnapshot(
    `"concat cannot join [N, 3], [N, 3] along axis 0."`,
  );
  expect(messageOf(() => x("N", 3).reshape([3, "N"]))).toMatchInlineSnapshot(
    `"reshape cannot change [N, 3] to [3, N]."`,
  );
  expect(messageOf(() => x(3, "N"))).toMatchInlineSnapshot(
    `"the batch axis of input x is not its first axis: [3, N]."`,
  );
});

test("products", () => {
  expect(messageOf(() => x("N", 3).matmul(x(4, 2)))).toMatchInlineSnapshot(`
    "matmul cannot multiply [N, 3] by [4, 2].
    The last axis of the first must equal the second-to-last of the second."
  `);
  expect(messageOf(() => x("N", 3).matmul(x(3)))).toMatchInlineSnapshot(`
    "matmul cannot multiply [N, 3] by [3].
    The last axis of the first must equal the second-to-last of the second."
  `);
  expect(messageOf(() => x(2, 3, 4).matmul(x(5, 4, 3)))).toMatchInlineSnapshot(`
    "matmul of [2, 3, 4] by [5, 4, 3] cannot broadcast [2] with [5].
    Two axes must be equal, or one of them must be 1."
  `);
  expect(messageOf(() => x("N", 3).affine(x(4, 2), x(2)))).toMatchInlineSnapshot(`
    "affine cannot multiply [N, 3] by [4, 2].
    The last axis of the first must equal the second-to-last of the second."
  `);
  expect(messageOf(() => x("N", 3).affine(x(3, 2), x(3)))).toMatchInlineSnapshot(
    `"affine cannot add its bias: expected [2], received [3]."`,
  );
  expect(messageOf(() => x("N", 3).contractLeading(x(3, 2)))).toMatchInlineSnapshot(`
    "contractLeading cannot multiply [N, 3] by [3, 2].
    All axes except the last must be equal, and there must be at least one of them."
  `);
  expect(messageOf(() => conv2d(x("N", 8, 8, 3), x(3, 3, 4, 2), x(2)))).toMatchInlineSnapshot(
    `"conv2d takes x [N, H, W, C] and weight [K, K, C, O] with K odd: received [N, 8, 8, 3] and [3, 3, 4, 2]."`,
  );
  expect(messageOf(() => conv2d(x("N", 8, 8, 3), x(2, 2, 3, 4), x(4)))).toMatchInlineSnapshot(
    `"conv2d takes x [N, H, W, C] and weight [K, K, C, O] with K odd: received [N, 8, 8, 3] and [2, 2, 3, 4]."`,
  );
});

test("structure", () => {
  expect(messageOf(() => x("N", 6).reshape(["N", 4]))).toMatchInlineSnapshot(
    `"reshape cannot change [N, 6] to [N, 4]."`,
  );
  expect(messageOf(() => x("N", 6).reshape([6]))).toMatchInlineSnapshot(
    `"reshape cannot change [N, 6] to [6]."`,
  );
  expect(messageOf(() => x(2, 3).transpose([0, 0]))).toMatchInlineSnapshot(
    `"transpose cannot reorder the axes of [2, 3] as [0, 0]."`,
  );
  expect(messageOf(() => concat([x("N", 2), x("N", 2, 1)], 1))).toMatchInlineSnapshot(
    `"concat cannot join [N, 2], [N, 2, 1] along axis 1."`,
  );
  expect(messageOf(() => concat([x("N", 2, 3), x("N", 2, 4)], 1))).toMatchInlineSnapshot(
    `"concat cannot join [N, 2, 3], [N, 2, 4] along axis 1."`,
  );
  expect(messageOf(() => x("N", 3).slice(1, 1, 4))).toMatchInlineSnapshot(
    `"slice cannot take 1 to 4 of axis 1 of [N, 3]."`,
  );
  expect(messageOf(() => x("N", 3).slice(1, 2, 1))).toMatchInlineSnapshot(
    `"slice cannot take 2 to 1 of axis 1 of [N, 3]."`,
  );
  expect(messageOf(() => x("N", 3).gather(1, [0, 3]))).toMatchInlineSnapshot(
    `"gather has indices outside axis 1 of [N, 3]."`,
  );
  expect(messageOf(() => x("N", 3).pad(1, -1, 0))).toMatchInlineSnapshot(
    `"pad cannot extend axis 1 of [N, 3] by -1 and 0."`,
  );
  expect(messageOf(() => x("N", 5).split(1, [2, 2]))).toMatchInlineSnapshot(
    `"split cannot divide axis 1 of [N, 5] into 2 + 2."`,
  );
  expect(messageOf(() => x("N", 3).sum(2))).toMatchInlineSnapshot(`"sum has no axis 2 in shape [N, 3]."`);
  expect(messageOf(() => x("N", 3).softmax(-3))).toMatchInlineSnapshot(
    `"softmax has no axis -3 in shape [N, 3]."`,
  );
  expect(messageOf(() => constant([1, 2, 3], [2, 2]))).toMatchInlineSnapshot(
    `"the numbers of a constant do not match its shape: expected 4 numbers for [2, 2], received 3."`,
  );
  expect(messageOf(() => constant([1], ["N"]))).toMatchInlineSnapshot(`
    "a constant cannot have a batch axis: received [N].
    Leave out the batch axis, and broadcast the constant to it."
  `);
  expect(messageOf(() => new Parameter([2, 2], [1, 2, 3]))).toMatchInlineSnapshot(
    `"the numbers of a parameter do not match its shape: expected 4 numbers for [2, 2], received 3."`,
  );
  const parameter = new Parameter([2], 0);
  const replacements = [
    () => parameter.take(Float32Array.of(1)),
    () => {
      parameter.value = Float32Array.of(1);
    },
    () => Standardize.of([0, 0], [1]),
  ];
  for (const replace of replacements)
    expect(messageOf(replace)).toBe(
      "the numbers of a parameter do not match its shape: expected 2 numbers for [2], received 1.",
    );
});

const UNTRACED = "random inputs can be declared only while a loss is traced.\n";

test.each([
  ["concat", () => concat([], 0), "concat needs at least one tensor."],
  ["stack", () => stack([], 0), "stack needs at least one tensor."],
  [
    "a negative size of a parameter",
    () => new Linear(-1, 3, new Random(0)),
    "a parameter cannot have the shape [-1, 3].",
  ],
  [
    "a loop without a state",
    () => loop([], () => ({ state: [], proceed: scalar(0).greater(0) }), { maxIterations: 1 }),
    "the state of a loop has no tensor.",
  ],
  [
    "random numbers of rows outside of a loss",
    () => drawForRows("normal", 2),
    expect.stringContaining(UNTRACED),
  ],
  [
    "random numbers of a batch outside of a loss",
    () => drawForBatch([], () => [1]),
    expect.stringContaining(UNTRACED),
  ],
])("an argument that is not valid: %s", (_, write, message) => {
  expect(write).toThrow(expect.objectContaining({ code: "ARGUMENT", message }));
});

test("gradients", () => {
  const y = x("N", 3);
  expect(messageOf(() => grad(y.square(), [y]))).toMatchInlineSnapshot(`
    "grad differentiates a scalar only: expected [], received [N, 3].
    Sum or average first, or use vjp or jacobian."
  `);
  expect(messageOf(() => vjp([y.sum(1)], [y], [x("N", 3)]))).toMatchInlineSnapshot(`
    "vjp cannot broadcast [N, 3] with [N].
    Two axes must be equal, or one of them must be 1."
  `);
  expect(messageOf(() => vjp([y], [y], [x(2)]))).toMatchInlineSnapshot(`
    "vjp cannot broadcast [2] with [N, 3].
    Two axes must be equal, or one of them must be 1."
  `);
  expect(messageOf(() => jacobian(y.sum(1), y))).toMatchInlineSnapshot(
    `"jacobian takes vectors, or rows of vectors: received [N] by [N, 3]."`,
  );
  expect(messageOf(() => jacobian(y.sum(1), y.sum(1)))).toMatchInlineSnapshot(
    `"jacobian takes vectors, or rows of vectors: received [N] by [N]."`,
  );
});

test("positions outside of a slice or a concatenation, although its sources have them", () => {
  const part = x("N", 6).slice(1, 2, 4);
  expect(messageOf(() => part.slice(1, -1, 2))).toMatchInlineSnapshot(
    `"slice cannot take -1 to 2 of axis 1 of [N, 2]."`,
  );
  expect(messageOf(() => part.slice(1, 0, 3))).toMatchInlineSnapshot(
    `"slice cannot take 0 to 3 of axis 1 of [N, 2]."`,
  );
  expect(messageOf(() => concat([x("N", 2), x("N", 2)], 1).slice(1, -1, 9))).toMatchInlineSnapshot(
    `"slice cannot take -1 to 9 of axis 1 of [N, 4]."`,
  );
  expect(messageOf(() => part.gather(1, [0, 1, 2, 3, 4, 5, 6, 7]))).toMatchInlineSnapshot(
    `"gather has indices outside axis 1 of [N, 2]."`,
  );
});

test.each([
  [undefined, "received undefined"],
  ["1", "received 1"],
  [
    [1, 2],
    "received an array.\nMake a tensor of it: constant(values, shape), or data(values) of pushforward/inference",
  ],
])("an operand %j, which is not a tensor", (operand, received) => {
  expect(() => x("N", 2).add(operand as unknown as Tensor)).toThrow(
    expect.objectContaining({
      code: "ARGUMENT",
      message: `an operand is not a tensor: expected a tensor or a number, ${received}.`,
    }),
  );
});

test("boolean tensors in arithmetic", () => {
  const negative = x("N", 3).less(0);
  expect(() => negative.add(1)).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: input 0 of add has the wrong type: expected float, received bool.
    Convert bool to float with toFloat(), and float to bool with a comparison.]
  `);
  expect(() => scalar(2).mul(negative)).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: input 1 of mul has the wrong type: expected float, received bool.
    Convert bool to float with toFloat(), and float to bool with a comparison.]
  `);
  expect(() => x("N", 3).where(1, 0)).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: input 0 of where has the wrong type: expected bool, received float.
    Convert bool to float with toFloat(), and float to bool with a comparison.]
  `);
  expect(() => negative.and(x("N", 3))).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: input 1 of and has the wrong type: expected bool, received float.
    Convert bool to float with toFloat(), and float to bool with a comparison.]
  `);
  expect(() => concat([x("N", 3), negative], 1)).toThrowErrorMatchingInlineSnapshot(`
    [PushforwardError: input 1 of concat has the wrong type: expected float, received bool.
    Convert bool to float with toFloat(), and float to bool with a comparison.]
  `);
});

const step = (state: readonly Tensor[]) => ({ state, proceed: scalar(0).less(0) });

test.each<[string, (condition: Tensor) => unknown, position?: number]>([
  ["exp", (condition) => condition.exp()],
  ["neg", (condition) => condition.neg()],
  ["erf", (condition) => condition.erf()],
  ["greater", (condition) => condition.greater(0)],
  ["where", (condition) => condition.where(condition, 0), 1],
  ["sum", (condition) => condition.sum()],
  ["softmax", (condition) => condition.softmax()],
  ["cumsum", (condition) => condition.cumsum()],
  ["matmul", (condition) => condition.matmul(x(3, 2))],
  ["affine", (condition) => x("N", 3).affine(x(3, 3), condition), 2],
  ["loop", (condition) => loop([condition], step, { maxIterations: 1 })],
])("a boolean tensor in %s", (name, compute, position = 0) => {
  expect(() => compute(x("N", 3).less(0))).toThrow(
    expect.objectContaining({
      code: "ARGUMENT",
      message: expect.stringMatching(`^input ${position} of ${name} has the wrong type: expected float`),
    }),
  );
});

test("an axis that is given twice", () => {
  expect(messageOf(() => x("N", 4).mean([1, -1]))).toMatchInlineSnapshot(`"mean has an axis twice: [1,-1]."`);
  expect(messageOf(() => x("N", 2, 2).sum([2, 1, 2]))).toMatchInlineSnapshot(
    `"sum has an axis twice: [2,1,2]."`,
  );
});

test("the triangle of a vector", () => {
  expect(messageOf(() => x(3).lowerTriangle())).toMatchInlineSnapshot(
    `"lowerTriangle has no axis -2 in shape [3]."`,
  );
});

test("vjp without a cotangent for an output", () => {
  const y = x("N", 3);
  expect(() => vjp([y, y.neg()], [y], [y])).toThrow(
    expect.objectContaining({
      code: "ARGUMENT",
      message: "vjp received a wrong number of cotangents: expected 2, one for each output, received 1.",
    }),
  );
});

test("sizes and positions that are not integers", () => {
  expect(messageOf(() => x("N", 3).slice(1, 0, 1.5))).toMatchInlineSnapshot(
    `"slice cannot take 0 to 1.5 of axis 1 of [N, 3]."`,
  );
  expect(messageOf(() => x("N", 3).slice(1, 0, Number.NaN))).toMatchInlineSnapshot(
    `"slice cannot take 0 to NaN of axis 1 of [N, 3]."`,
  );
  expect(messageOf(() => x("N", 3).split(1, [1.5, 1.5]))).toMatchInlineSnapshot(
    `"slice cannot take 0 to 1.5 of axis 1 of [N, 3]."`,
  );
  expect(messageOf(() => x("N", 3).pad(1, 0.5, 0.5))).toMatchInlineSnapshot(
    `"pad cannot extend axis 1 of [N, 3] by 0.5 and 0.5."`,
  );
  expect(messageOf(() => x("N", 3).reshape(["N", 2, 1.5]))).toMatchInlineSnapshot(
    `
    "reshape has the invalid shape [N, 2, 1.5].
    Sizes are integers of at least 0, or "N"."
  `,
  );
  expect(messageOf(() => x("N", 6).reshape(["N", -2, -3]))).toMatchInlineSnapshot(
    `
    "reshape has the invalid shape [N, -2, -3].
    Sizes are integers of at least 0, or "N"."
  `,
  );
  expect(messageOf(() => x(1).broadcastTo([0.5]))).toMatchInlineSnapshot(
    `
    "broadcastTo has the invalid shape [0.5].
    Sizes are integers of at least 0, or "N"."
  `,
  );
  expect(messageOf(() => constant([1, 2, 3], [1.5, 2]))).toMatchInlineSnapshot(
    `
    "constant has the invalid shape [1.5, 2].
    Sizes are integers of at least 0, or "N"."
  `,
  );
  expect(messageOf(() => x("M" as "N", 2))).toMatchInlineSnapshot(
    `
    "input has the invalid shape [M, 2].
    Sizes are integers of at least 0, or "N"."
  `,
  );
});

test("an axis that does not exist, of a single tensor too", () => {
  expect(messageOf(() => concat([x("N", 3)], 5))).toMatchInlineSnapshot(
    `"concat has no axis 5 in shape [N, 3]."`,
  );
  expect(messageOf(() => stack([x("N", 3)], 5))).toMatchInlineSnapshot(
    `"the result of stack has no axis 5 in shape [N, 3, 1]."`,
  );
  expect(messageOf(() => stack([x("N", 3), x("N", 3)], -4))).toMatchInlineSnapshot(
    `"the result of stack has no axis -4 in shape [N, 3, 2]."`,
  );
});

test("the step of a loop that does not return such a state as it received", () => {
  const start = [x("N", 2), x(3)];
  const never = scalar(0).greater(0);
  const withStep = (step: Parameters<typeof loop>[1], initial = start) =>
    messageOf(() => loop(initial, step, { maxIterations: 2 }));
  expect(withStep(([a]) => ({ state: [a], proceed: never }))).toMatchInlineSnapshot(
    `"the step of a loop returns a wrong number of tensors: expected 2, as in the initial state, received 1."`,
  );
  expect(withStep(([a, b]) => ({ state: [b, a], proceed: never }))).toMatchInlineSnapshot(
    `"the step of a loop returns state[0] of a wrong type or shape: expected float [N, 2], received float [3]."`,
  );
  expect(withStep(([a, b]) => ({ state: [a.greater(0), b], proceed: never }))).toMatchInlineSnapshot(
    `"the step of a loop returns state[0] of a wrong type or shape: expected float [N, 2], received bool [N, 2]."`,
  );
  expect(withStep(([a, b]) => ({ state: [a, b], proceed: b.greater(0) }))).toMatchInlineSnapshot(
    `"the step of a loop returns proceed of a wrong type or shape: expected bool [], received bool [3]."`,
  );
  expect(withStep((state) => ({ state, proceed: scalar(1) }))).toMatchInlineSnapshot(
    `"the step of a loop returns proceed of a wrong type or shape: expected bool [], received float []."`,
  );
});
