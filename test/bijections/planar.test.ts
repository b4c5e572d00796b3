import { describe, expect, test } from "vitest";
import { Invert, Planar } from "../../src/bijections/index.ts";
import { Random } from "../../src/random/index.ts";
import { applyDirection, dot, setParameters, slopeOf } from "./apply.ts";
import { expectClose } from "./invariants.ts";

const random = new Random(0);

function example(u: readonly number[], activation: "tanh" | "leakyRelu" = "tanh") {
  const planar = new Planar({ features: 2, activation }, random);
  const [w, b] = [[3, 4], 0.5];
  setParameters(planar, { u, w, b: [b] });
  const s = slopeOf(dot(u, w));
  // The squared norm of w is 25, its norm 5.
  const direction = u.map((v, i) => v + ((s - 1 - dot(u, w)) * w[i]) / 25);
  return { planar, w, b, s, direction };
}

describe("with tanh", () => {
  test("x = z + û tanh(w·z + b), log |det| = log(1 + tanh'(.) w·û)", async () => {
    const { planar, w, b, direction } = example([0.4, -0.7]);
    const rows = [
      [0, 0],
      [1, -2],
      [-0.3, 0.1],
      [5, 5],
    ];
    const { value, logDet } = await applyDirection(planar, "forward", rows.flat());
    rows.forEach((z, r) => {
      const h = Math.tanh(dot(w, z) + b);
      expectClose(
        value.subarray(2 * r, 2 * r + 2),
        z.map((v, i) => v + direction[i] * h),
        1e-14,
        "x",
      );
      expect(logDet[r]).toBeCloseTo(Math.log(1 + (1 - h ** 2) * dot(w, direction)), 12);
    });
  });

  test("is invertible for any u, since w·û = s - 1 > -1", async () => {
    for (const u of [
      [-30, -40],
      [30, 40],
      [-2, 1],
      [4, -3],
    ]) {
      const { planar, w, s, direction } = example(u);
      expect(dot(w, direction)).toBeCloseTo(s - 1, 10);
      // Along w the map increases; it would not if û were computed with |w| instead of |w|^2.
      const along = Array.from({ length: 41 }, (_, i) => ((i - 20) / 40) * 0.2);
      const z = along.flatMap((t) => w.map((v) => (v * t) / 5));
      const { value, logDet } = await applyDirection(planar, "forward", z);
      const heights = along.map((_, r) => dot(w, [...value.subarray(2 * r, 2 * r + 2)]));
      heights.slice(1).forEach((height, r) => {
        expect(height).toBeGreaterThan(heights[r]);
      });
      const back = await applyDirection(planar, "inverse", [...value]);
      expectClose(back.value, z, 1e-9, "z");
      expectClose(
        back.logDet.map((v) => -v),
        logDet,
        1e-8,
        "log-det",
      );
    }
  });

  test("shifts by û or -û far from its plane", async () => {
    const { planar, direction } = example([0.4, -0.7]);
    const { value } = await applyDirection(planar, "forward", [1e6, 0, -1e6, 0]);
    const expected = [1e6 + direction[0], direction[1], -1e6 - direction[0], -direction[1]];
    expectClose(value, expected, 1e-12, "x");
  });
});

test("with a leaky relu both directions are closed form", async () => {
  const { planar, w, b, s, direction } = example([-0.6, 0.2], "leakyRelu");
  const leaky = (a: number) => (a > 0 ? a : 0.01 * a);
  const rows = [
    [1, 2],
    [-1, -2],
  ];
  const { value, logDet } = await applyDirection(planar, "forward", rows.flat());
  const expected = rows.flatMap((z) => z.map((v, i) => v + direction[i] * leaky(dot(w, z) + b)));
  expectClose(value, expected, 1e-14, "x");
  expect(logDet[0]).toBeCloseTo(Math.log(s), 12);
  expect(logDet[1]).toBeCloseTo(Math.log(1 + 0.01 * (s - 1)), 12);
  expectClose((await applyDirection(planar, "inverse", [...value])).value, rows.flat(), 1e-13, "z");
});

test("has a closed-form density direction if inverted", async () => {
  const { planar } = example([0.4, -0.7]);
  const x = [0.3, -1, 2, 0.1];
  expect(await applyDirection(new Invert(planar), "inverse", x)).toEqual(
    await applyDirection(planar, "forward", x),
  );
});

test("is a shift without NaN for w = 0", async () => {
  const planar = new Planar({ features: 2 }, random);
  setParameters(planar, { u: [1, 2], w: [0, 0], b: [0.5] });
  const { value, logDet } = await applyDirection(planar, "forward", [0, 0]);
  expectClose(value, [Math.tanh(0.5), 2 * Math.tanh(0.5)], 1e-14, "x");
  expect(logDet[0]).toBeCloseTo(0, 14);
});
