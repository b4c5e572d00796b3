import { describe, expect, test } from "vitest";
import {
  DiagonalScaling,
  Householder,
  LULinear,
  MatrixExponential,
  QRLinear,
} from "../../src/bijections/index.ts";
import { Random } from "../../src/random/index.ts";
import { applyDirection, dot, setParameters } from "./apply.ts";
import { expectClose } from "./invariants.ts";

const random = new Random(0);
const UNITS = [1, 0, 0, 0, 1, 0, 0, 0, 1];

describe("householder", () => {
  test("rotates rows by successive reflections", async () => {
    const map = new Householder({ features: 3 }, random);
    expect(map.describe()).toEqual({ type: "householder", features: 3, reflections: 2 });
    const vectors = [
      [1, -2, 0.5],
      [3, 1, 1],
    ];
    setParameters(map, { vectors: vectors.flat() });
    const { value: q, logDet } = await applyDirection(map, "forward", UNITS);
    const rows = [0, 1, 2].map((r) => [...q.subarray(3 * r, 3 * r + 3)]);
    const gram = rows.flatMap((a) => rows.map((b) => dot(a, b)));
    expectClose(gram, UNITS, 1e-14, "Q Q^T");
    expect([...logDet]).toEqual([0, 0, 0]);
    const expected = vectors.reduce(
      (x, v) => x.map((value, i) => value - (2 * v[i] * dot(x, v)) / dot(v, v)),
      [1, 0, 0],
    );
    expectClose(rows[0], expected, 1e-14, "the first unit vector");
  });

  test("refuses an odd number of reflections", () => {
    expect(() => new Householder({ features: 3, reflections: 3 }, random)).toThrowErrorMatchingInlineSnapshot(
      `[PushforwardError: a Householder map is not valid at reflections: expected an even number, received 3.]`,
    );
  });
});

test("qrLinear: z = x Q R + b", async () => {
  const map = new QRLinear({ features: 2 }, random);
  const log = Math.log(2) / (1 - Math.log(2) / Math.log(1000));
  setParameters(map, {
    // Reflections by (1, 0) and by (1, -1): a rotation by 90 degrees.
    vectors: [1, 0, 1, -1],
    upper: [9, 5, 9, 9],
    logDiagonal: [log, 0],
    bias: [0.5, -1],
  });
  const { value, logDet } = await applyDirection(map, "inverse", [1, 0, 0, 1]);
  // Q takes (1, 0) to (0, -1) and (0, 1) to (1, 0); R = [2 5; 0 1].
  expectClose(value, [0.5, -2, 2.5, 4], 1e-13, "z");
  expect(logDet[0]).toBeCloseTo(Math.log(2), 12);
});

test("luLinear with a permutation is x P L U + b, as in Glow", async () => {
  const map = new LULinear({ features: 2, permutation: [1, 0] });
  setParameters(map, { lower: [0, 0, 3, 0], upper: [0, 5, 0, 0], bias: [0.5, -1] });
  const { value } = await applyDirection(map, "inverse", [0, 1, 1, 0]);
  // L = [1 0; 3 1], U = [1 5; 0 1], of exchanged columns
  expectClose(value, [1.5, 4, 3.5, 15], 1e-14, "z");
  expectClose((await applyDirection(map, "forward", [...value])).value, [0, 1, 1, 0], 1e-13, "x");
  expect(map.describe()).toEqual({ type: "luLinear", features: 2, permutation: [1, 0] });
  expect(() => new LULinear({ features: 3, permutation: [1, 0] })).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: an LU linear map is not valid at permutation: expected as many entries as features, received [1,0].]`,
  );
});

test("diagonalScaling: x = z exp(s), clamped", async () => {
  const map = new DiagonalScaling({ features: 2 });
  setParameters(map, { logScale: [1, -1e9] });
  const s = 1 / (1 + 1 / Math.log(1000));
  const { value, logDet } = await applyDirection(map, "forward", [2, 1]);
  expectClose(value, [2 * Math.exp(s), 1e-3], 1e-7, "x");
  expect(logDet[0]).toBeCloseTo(s - Math.log(1000), 6);
});

describe("matrixExponential", () => {
  async function exponential(generator: readonly number[]) {
    const size = Math.sqrt(generator.length);
    const map = new MatrixExponential({ features: size });
    setParameters(map, { generator });
    const units = Array.from({ length: size * size }, (_, i) => (i % (size + 1) === 0 ? 1 : 0));
    return { map, ...(await applyDirection(map, "forward", units)) };
  }

  test.each([1e-9, 0.3, 1, Math.PI, 20, 2000])(
    "of a generator of rotations is a rotation by %f",
    async (angle) => {
      const { value, logDet } = await exponential([0, angle, -angle, 0]);
      const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
      expectClose(value, [cos, sin, -sin, cos], Math.max(1e-13, 1e-15 * angle), "exp(A)");
      expect(logDet[0]).toBe(0);
    },
  );

  test("of a diagonal matrix is elementwise, with the trace as log-determinant", async () => {
    const diagonal = [3, -4, 0.5];
    const generator = UNITS.map((unit, i) => unit * diagonal[i % 3]);
    const { value, logDet } = await exponential(generator);
    const expected = UNITS.map((unit, i) => unit * Math.exp(diagonal[i % 3]));
    expectClose(value, expected, 1e-13, "exp(A)");
    expect(logDet[0]).toBeCloseTo(-0.5, 14);
  });

  test("of a large norm underflows where exp does", async () => {
    expectClose((await exponential([-5000, 0, 0, 0])).value, [0, 0, 0, 1], 1e-13, "exp(A)");
  });

  test("of a nilpotent matrix is its series of three terms", async () => {
    const { value } = await exponential([0, 2, 3, 0, 0, 4, 0, 0, 0]);
    expectClose(value, [1, 2, 3 + 4, 0, 1, 4, 0, 0, 1], 1e-13, "exp(A)");
  });

  test("is inverted for a large matrix", async () => {
    const { map } = await exponential(Array.from(random.normal(new Float64Array(16)), (v) => 2 * v));
    const rows = [1, -2, 0.5, 3];
    const { value } = await applyDirection(map, "forward", rows);
    expectClose((await applyDirection(map, "inverse", [...value])).value, rows, 1e-9, "z");
  });
});
