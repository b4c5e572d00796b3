import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { grad, input, Parameter, Tensor, vjp } from "../../src/graph/index.ts";
import { sizeOf } from "../../src/graph/shape.ts";
import { Random } from "../../src/random/random.ts";
import { compile, type Floats } from "../../src/runtime/index.ts";
import { Dense } from "./dense.ts";
import { elementwise } from "./operations/elementwise.ts";
import { linear } from "./operations/linear.ts";
import { reductions } from "./operations/reduction.ts";
import type { Example, OperationRow } from "./operations/row.ts";
import { structure } from "./operations/structure.ts";

const operations = [...elementwise, ...reductions, ...linear, ...structure];

const RUNS = { seed: 20, numRuns: 6 };
const ROWS = [1, 3];

describe.each(operations)("$name", (row) => {
  test.each([
    ["float64", 1e-13],
    ["float32", 1e-6],
  ] as const)("equals the formula in %s to %f", async (precision, tolerance) => {
    await overExamples(row, async (example, counts, random) => {
      const compiled = compile(example.build, example.shapes, { precision });
      for (const rows of counts) {
        const given = draw(row, example, rows, random.split(rows)).map(
          ({ shape, data }) =>
            // Rounded to float32, so that both sides have the same inputs.
            new Dense(shape, Float32Array.from(data)),
        );
        const result = await compiled(...given.map((x) => x.data));
        const expected = example.evaluate(...given);
        const floor = Math.max(row.terms ?? 0, 0.1 * largest(expected.data));
        expect(worst(result, expected.data, floor)).toBeLessThan(tolerance);
      }
      await compiled.release();
    });
  });

  if (row.differentiable === false) return;
  test("has the gradient and the second derivative of finite differences", async () => {
    await overExamples(row, async (example, counts, random) => {
      await checkDerivatives(
        example,
        counts.map((rows) => ({ rows, inputs: draw(row, example, rows, random.split(rows)) })),
        random,
      );
    });
  });
});

test.each([[[4]], [[2, 1, 1]], [[3, 4]], [[1, 3, 4]], [[1]], [[2, 3, 4]]])(
  "images and a constant of shape %j give the same numbers as without constants",
  async (shape) => {
    const random = new Random(5);
    const numbers = random.split("numbers").normal(new Float32Array(sizeOf(shape)));
    const images = random.split("images").normal(new Float32Array(48));
    const parameter = new Parameter(shape, numbers);
    const build = (x: Tensor) => ({
      sum: x.add(parameter),
      difference: x.sub(parameter),
      product: x.mul(parameter),
      ratio: x.div(parameter),
      maximum: x.maximum(parameter),
      minimum: x.minimum(parameter),
      reversed: parameter.sub(x),
      selected: x.greaterEqual(parameter).where(x, 0),
      // The constant has more pixels than the other tensor.
      column: x.slice(3, 0, 1).add(parameter),
    });
    const shapes = [["N", 2, 3, 4] as const];
    const [embedded, computed] = [true, false].map((embedParameters) =>
      compile(build, shapes, { embedParameters }),
    );
    expect(await embedded(images)).toEqual(await computed(images));
    await embedded.release();
    await computed.release();
  },
);

test.each([1, 3])("an axis of size 0 can be reshaped, with %i rows", async (rows) => {
  const empty = (x: Tensor) => x.slice(2, 0, 0);
  const targets = [
    ["N", 0],
    ["N", 2, 0, 1],
    ["N", 3, 0],
    ["N", 1, 2, 0],
  ] as const;
  const compiled = compile((x) => targets.map((shape) => empty(x).reshape(shape)), [["N", 2, 3]]);
  expect(await compiled(new Float32Array(6 * rows))).toEqual(targets.map(() => new Float32Array(0)));
  await compiled.release();
});

test("every method of Tensor has a row in the lists of operations", () => {
  const covered = new Set(operations.map(({ name }) => name.split(" ")[0]));
  const methods = Object.getOwnPropertyNames(Tensor.prototype).filter(
    (name) => !["constructor", "rank"].includes(name),
  );
  expect(methods.filter((name) => !covered.has(name))).toEqual([]);
});

async function overExamples(
  row: OperationRow,
  check: (example: Example, counts: readonly number[], random: Random) => Promise<void>,
): Promise<void> {
  for (const batched of [false, true]) {
    const examples = row.example(batched).map((example) => ({ ...example, toString: () => example.given }));
    await fc.assert(
      fc.asyncProperty(examples, fc.nat(), (example, seed) =>
        check(example, batched ? ROWS : [1], new Random(seed)),
      ),
      RUNS,
    );
  }
}

function draw({ domain }: OperationRow, { shapes }: Example, rows: number, random: Random): Dense[] {
  const sizes = shapes.map((shape) => sizeOf(shape, rows));
  const resolved = shapes.map((shape) => shape.map((d) => (d === "N" ? rows : d)));
  if (typeof domain !== "function") {
    return resolved.map((shape, i) => new Dense(shape, domain[i](sizes[i], random.split(i))));
  }
  const all = domain(
    sizes.reduce((a, b) => a + b, 0),
    random,
  );
  let start = 0;
  return resolved.map((shape, i) => {
    start += sizes[i];
    return new Dense(shape, all.subarray(start - sizes[i], start));
  });
}

/** The largest error, relative to the expected number where that is not below `floor`. */
function worst(actual: ArrayLike<number>, expected: ArrayLike<number>, floor: number): number {
  expect(actual.length).toBe(expected.length);
  let error = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]) / Math.max(floor, Math.abs(expected[i]));
    if (actual[i] !== expected[i] && !(difference <= error)) error = difference;
  }
  return error;
}

const largest = (values: ArrayLike<number>): number => Math.max(0, ...Array.from(values, Math.abs));

/**
 * For the scalar <c, f(x)> with a random cotangent c, and for the scalar <its gradient, v> with a random v:
 * the gradients of both against their central differences.
 */
async function checkDerivatives(
  example: Example,
  batches: readonly { rows: number; inputs: readonly Dense[] }[],
  random: Random,
) {
  const symbols = example.shapes.map((shape, i) => input(`x${i}`, shape));
  const shape = example.build(...symbols).shape;
  // A cotangent may be smaller than the output, as gradients are not broadcast unless an operation needs it.
  const axes = [0, shape.length, Math.max(0, shape.length - 1)][random.permutation(3)[0]];
  const cotangent = shape.slice(shape.length - axes);
  const n = example.shapes.length;
  const compiled = compile(
    (...given) => {
      const x = given.slice(0, n);
      const v = given.slice(n, 2 * n);
      const c = given[2 * n];
      const y = example.build(...x);
      const gradients = vjp([y], x, [c]);
      const slope = gradients.map((g, i) => g.mul(v[i]).sum()).reduce((a, b) => a.add(b));
      return { value: c.mul(y).sum(), slope, ...named("g", gradients), ...named("h", grad(slope, x)) };
    },
    [...example.shapes, ...example.shapes, cotangent],
    { precision: "float64" },
  );
  for (const { rows, inputs } of batches) {
    const fixed = [...example.shapes, cotangent].map((shape, i) =>
      random
        .split(rows)
        .split(`fixed${i}`)
        .normal(new Float64Array(sizeOf(shape, rows))),
    );
    const points = inputs.map((x) => Float64Array.from(x.data));
    const outputs = Object.fromEntries(
      compiled.graph.outputs.map(({ name, tensor }) => [name, new Float64Array(sizeOf(tensor.shape, rows))]),
    );
    const evaluate = () => compiled.into([...points, ...fixed], outputs);
    await evaluate();
    const analytic = ["g", "h"].map((kind) => points.map((_, i) => outputs[`${kind}${i}`].slice()));
    const [first, second] = [analytic[0], analytic[1]].map((parts) => parts.map(() => [] as number[]));
    for (const [i, point] of points.entries()) {
      expect(compiled.graph.outputs[2 + i].tensor.shape).toEqual(example.shapes[i]);
      for (let k = 0; k < point.length; k++) {
        const centre = point[k];
        const at = async (offset: number) => {
          point[k] = centre + offset;
          await evaluate();
          return [outputs.value[0], outputs.slope[0]];
        };
        const differences = await richardson(at);
        point[k] = centre;
        first[i].push(differences[0]);
        second[i].push(differences[1]);
      }
    }
    expect(agreement(analytic[0], first), "gradient").toBeLessThan(1e-8);
    expect(agreement(analytic[1], second), "second derivative").toBeLessThan(1e-8);
  }
  await compiled.release();
}

const named = (prefix: string, tensors: readonly Tensor[]): Record<string, Tensor> =>
  Object.fromEntries(tensors.map((t, i) => [`${prefix}${i}`, t]));

/** Central differences with steps h and 2h, whose errors of order h^2 cancel. */
async function richardson(at: (offset: number) => Promise<number[]>): Promise<number[]> {
  const h = 2 ** -10;
  const [far, near, back, farBack] = [await at(2 * h), await at(h), await at(-h), await at(-2 * h)];
  return near.map((_, i) => (8 * (near[i] - back[i]) - (far[i] - farBack[i])) / (12 * h));
}

function agreement(analytic: readonly Floats[], differences: readonly number[][]): number {
  return Math.max(...analytic.map((g, i) => worst(g, differences[i], Math.max(0.001, largest(g)))));
}
