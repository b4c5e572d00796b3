import { expect, test } from "vitest";
import { grad } from "../../src/graph/index.ts";
import { normalTailQuantile, normalTails } from "../../src/graph/numerics/normalTail.ts";
import { compile } from "../../src/runtime/index.ts";

/** Mills' ratio Q(u) / phi(u): Laplace's continued fraction, and the series of its complement near 0. */
function mills(u: number): number {
  if (u > 1.5) {
    let fraction = 0;
    for (let k = 2000; k > 0; k--) fraction = k / (u + fraction);
    return 1 / (u + fraction);
  }
  let [sum, term] = [0, u];
  for (let k = 0; k < 200; k++) {
    sum += term;
    term *= (u * u) / (2 * k + 3);
  }
  return Math.sqrt(Math.PI / 2) * Math.exp((u * u) / 2) - sum;
}

const logTail = (u: number) => -0.5 * u * u - 0.5 * Math.log(2 * Math.PI) + Math.log(mills(u));
const POINTS = [0, 1e-9, 0.1, 0.6, 0.66, 0.67, 1, 2, 4, 5.65, 5.66, 8, 38, 50, 1e3, 1e8];

test.each([
  ["float64", 2e-15],
  ["float32", 5e-7],
] as const)(
  "tails, hazards and quantiles have the precision of %s, however far out",
  async (precision, tolerance) => {
    const run = compile(
      (u) => {
        const tails = normalTails(u);
        const mirrored = normalTails(u.neg());
        const { value, hazard } = normalTailQuantile(tails.logUpper.minimum(Math.log(0.5)));
        return {
          ...tails,
          mirroredUpper: mirrored.logUpper,
          mirroredHazard: mirrored.upperHazard,
          value,
          hazard,
        };
      },
      [["N"]],
      { precision },
    );
    const out = await run(POINTS);
    POINTS.forEach((u, i) => {
      const near = Math.log1p(-Math.exp(logTail(u)));
      expect(out.logUpper[i] / logTail(u)).toBeCloseTo(1, -Math.log10(2 * tolerance));
      expect(Math.abs(out.upperHazard[i] * mills(u) - 1)).toBeLessThan(tolerance);
      expect(Math.abs(out.logLower[i] - near)).toBeLessThan(tolerance);
      expect(
        Math.abs(out.lowerHazard[i] - Math.exp(-0.5 * u * u - near) / Math.sqrt(2 * Math.PI)),
      ).toBeLessThan(tolerance);
      expect(Math.abs(out.value[i] - u)).toBeLessThan(tolerance * Math.max(1, u));
      expect(Math.abs(out.hazard[i] * mills(u) - 1)).toBeLessThan(2 * tolerance);
    });
    expect([...out.mirroredUpper]).toEqual([...out.logLower]);
    expect([...out.mirroredHazard]).toEqual([...out.lowerHazard]);
  },
);

test("the gradients are the hazards, also at 0", async () => {
  const run = compile(
    (u) => {
      const { logUpper, upperHazard } = normalTails(u);
      const { value, hazard } = normalTailQuantile(logUpper.minimum(Math.log(0.5)));
      return {
        slope: grad(logUpper.sum(), [u])[0],
        upperHazard,
        through: grad(value.add(hazard).sum(), [u])[0],
      };
    },
    [["N"]],
    { precision: "float64" },
  );
  const points = [-3, -0.5, 0, 0.3, 1, 6, 40];
  const { slope, upperHazard, through } = await run(points);
  points.forEach((u, i) => {
    expect(slope[i]).toBeCloseTo(-upperHazard[i], 12);
    // u again, and h' = h (h - u).
    if (u > 0) expect(through[i]).toBeCloseTo(1 + upperHazard[i] * (upperHazard[i] - u), 9);
  });
});
