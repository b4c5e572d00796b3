import { expect, test } from "vitest";
import { Radial } from "../../src/bijections/index.ts";
import { Random } from "../../src/random/index.ts";
import { applyDirection, setParameters, slopeOf } from "./apply.ts";
import { expectClose } from "./invariants.ts";

const random = new Random(0);
const center = [0.5, -1, 2];

function example(rawSlope: number) {
  const radial = new Radial({ features: 3 }, random);
  // softClamp maps this to log 0.8.
  const logAlpha = Math.log(0.8) / (1 + Math.log(0.8) / Math.log(1000));
  setParameters(radial, { center, logAlpha: [logAlpha], slope: [rawSlope] });
  return { radial, alpha: 0.8, beta: 0.8 * (slopeOf(rawSlope) - 1) };
}

test.each([-20, -1, 0, 3, 40])(
  "x and log |det| equal the paper's formulas, and the inverse leads back, at slope parameter %f",
  async (rawSlope) => {
    const { radial, alpha, beta } = example(rawSlope);
    const rows = [
      [1, 1, 1],
      [0.51, -1, 2],
      [-20, 3, 7],
      [0.5, -1, 2.000001],
    ];
    const { value, logDet } = await applyDirection(radial, "forward", rows.flat());
    rows.forEach((z, r) => {
      const radius = Math.hypot(...z.map((v, i) => v - center[i]));
      const h = 1 / (alpha + radius);
      const x = z.map((v, i) => v + beta * h * (v - center[i]));
      expectClose(value.subarray(3 * r, 3 * r + 3), x, 1e-12, "x");
      const tangential = 1 + beta * h;
      const radial = 1 + beta * h - beta * h ** 2 * radius;
      expect(logDet[r]).toBeCloseTo(2 * Math.log(tangential) + Math.log(radial), 8);
    });
    const back = await applyDirection(radial, "inverse", [...value]);
    expectClose(back.value, rows.flat(), 1e-11, "z");
    expectClose(
      back.logDet.map((v) => -v),
      logDet,
      1e-10,
      "log-det",
    );
  },
);

test("keeps its center fixed, with a finite Jacobian", async () => {
  const { radial, alpha, beta } = example(2);
  for (const direction of ["forward", "inverse"] as const) {
    const { value, logDet } = await applyDirection(radial, direction, center);
    expectClose(value, center, 1e-15, "center");
    const sign = direction === "forward" ? 1 : -1;
    expect(logDet[0]).toBeCloseTo(sign * 3 * Math.log(1 + beta / alpha), 12);
  }
});

test("is a shift by β along the ray far away", async () => {
  const { radial, beta } = example(3);
  const { value, logDet } = await applyDirection(radial, "forward", [1e9 + center[0], center[1], center[2]]);
  expect(value[0] - 1e9 - center[0]).toBeCloseTo(beta, 6);
  expect(logDet[0]).toBeCloseTo(0, 7);
});
