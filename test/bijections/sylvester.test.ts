import { describe, expect, test } from "vitest";
import { Planar, Sylvester } from "../../src/bijections/index.ts";
import { Random } from "../../src/random/index.ts";
import { applyDirection, dot, setParameters, slopeOf } from "./apply.ts";
import { expectClose } from "./invariants.ts";

const random = new Random(0);
/** The number that softClamp maps to `log`. */
const unclamped = (log: number) => log / (1 - Math.abs(log) / Math.log(1000));

/** The Householder reflection of x by v. */
const reflected = (x: readonly number[], v: readonly number[]) =>
  x.map((value, i) => value - (2 * v[i] * dot(x, v)) / dot(v, v));

test("x = z + Q R tanh(R~ Q^T z + b), with log |det| of M terms", async () => {
  const map = new Sylvester({ features: 3, columns: 2, reflections: 2 }, random);
  const vectors = [
    [1, 2, -1],
    [0.5, -1, 3],
  ];
  setParameters(map, {
    vectors: vectors.flat(),
    outer: [0.7],
    inner: [-0.4],
    logDiagonal: [unclamped(Math.log(2)), unclamped(Math.log(0.5))],
    slope: [1.5, -2],
    b: [0.3, -0.6],
  });
  const s = [slopeOf(1.5), slopeOf(-2)];
  const R = [
    [(s[0] - 1) / 2, 0.7],
    [0, (s[1] - 1) / 0.5],
  ];
  const inner = [
    [2, -0.4],
    [0, 0.5],
  ];
  const rows = [
    [0.2, -1, 0.5],
    [3, 1, -2],
  ];
  const { value, logDet } = await applyDirection(map, "forward", rows.flat());
  const expected = rows.map((z) => {
    const y = reflected(reflected(z, vectors[0]), vectors[1]).slice(0, 2);
    const h = inner.map((row, i) => Math.tanh(dot(row, y) + [0.3, -0.6][i]));
    const update = [...R.map((row) => dot(row, h)), 0];
    const offset = reflected(reflected(update, vectors[1]), vectors[0]);
    const terms = h.map((t, i) => Math.log(1 + (1 - t * t) * R[i][i] * inner[i][i]));
    return { x: z.map((v, i) => v + offset[i]), logDet: terms[0] + terms[1] };
  });
  expectClose(
    value,
    expected.flatMap(({ x }) => x),
    1e-13,
    "x",
  );
  expectClose(
    logDet,
    expected.map(({ logDet }) => logDet),
    1e-12,
    "log-det",
  );
  expectClose((await applyDirection(map, "inverse", [...value])).value, rows.flat(), 1e-12, "z");
});

test("with one column is the planar flow with w along q", async () => {
  const map = new Sylvester({ features: 2, columns: 1, reflections: 1 }, random);
  const v = [1, 3];
  setParameters(map, { vectors: v, logDiagonal: [unclamped(Math.log(1.7))], slope: [0.9], b: [-0.2] });
  const q = reflected([1, 0], v);
  const planar = new Planar({ features: 2 }, random);
  const w = q.map((u) => 1.7 * u);
  // u along w with w·u = 0.9 has the same slope, and û along w.
  setParameters(planar, { u: w.map((u) => (0.9 * u) / dot(w, w)), w, b: [-0.2] });
  const rows = [0.4, -1, 2, 2, -0.1, 0];
  for (const direction of ["forward", "inverse"] as const) {
    const [a, b] = await Promise.all([map, planar].map((m) => applyDirection(m, direction, rows)));
    expectClose(a.value, b.value, 1e-12, direction);
    expectClose(a.logDet, b.logDet, 1e-12, "log-det");
  }
});

describe("the inverse", () => {
  test("is accurate for slopes near 0 and large ones", async () => {
    const map = new Sylvester({ features: 4 }, random);
    setParameters(map, {
      outer: [3, -2, 1, 4, 0.5, -3],
      inner: [1, 2, -3, 0.5, 2, 1],
      slope: [-30, 30, -5, 5],
      b: [0.1, -0.2, 1, -1],
    });
    const rows = Array.from(new Random(2).normal(new Float64Array(200)));
    const { value, logDet } = await applyDirection(map, "forward", rows);
    const back = await applyDirection(map, "inverse", [...value]);
    expectClose(back.value, rows, 1e-8, "z");
    expectClose(
      back.logDet.map((v) => -v),
      logDet,
      1e-7,
      "log-det",
    );
  });

  test("does not change components orthogonal to the columns of Q", async () => {
    const map = new Sylvester({ features: 3, columns: 1, reflections: 0 }, random);
    setParameters(map, { slope: [2], b: [0.4] });
    const { value } = await applyDirection(map, "inverse", [0.3, 5, -7]);
    expect([...value.subarray(1)]).toEqual([5, -7]);
    expect(value[0]).not.toBeCloseTo(0.3, 2);
  });
});

test("refuses more columns than features", () => {
  expect(() => new Sylvester({ features: 2, columns: 3 }, random)).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: a Sylvester map is not valid at columns: expected no more columns than features, received 3.]`,
  );
});
