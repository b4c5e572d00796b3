import { expect, test } from "vitest";
import { logNormalInterval } from "../../src/graph/numerics/normalInterval.ts";

test("the logarithm of the probability of an interval under a normal distribution is precise in the tails", () => {
  // mpmath with 40 digits: log(Q(a) - Q(b)), Q(u) = erfc(u / sqrt(2)) / 2
  for (const [a, b, expected] of [
    [-1, 1, -0.381715146302126],
    [10, 11, -53.23131022558312],
    [-3.5, -3.25, -7.973718506282982],
    [40, 40.5, -804.6084420155503],
    [0.1, 0.1001, -10.134283906843461],
  ] as const) {
    expect(logNormalInterval(a, b) / expected).toBeCloseTo(1, 12);
    expect(logNormalInterval(-b, -a)).toBeCloseTo(logNormalInterval(a, b), 12);
  }
  // A narrow interval has the probability of its width times the density in its middle.
  for (const middle of [0, -0.3, 1, 7])
    for (const width of [2e-6, 2 ** -40]) {
      const expected = Math.log(width) - 0.5 * Math.log(2 * Math.PI) - 0.5 * middle * middle;
      expect(logNormalInterval(middle - width / 2, middle + width / 2)).toBeCloseTo(expected, 9);
    }
  expect(logNormalInterval(0, 1e-300)).toBeCloseTo(Math.log(1e-300) - 0.5 * Math.log(2 * Math.PI), 9);
  // The methods for narrow and other intervals agree where they meet.
  for (const a of [0, 0.5, 3])
    expect(logNormalInterval(a, a + 1.001e-5 / Math.max(1, a))).toBeCloseTo(
      logNormalInterval(a, a + 0.999e-5 / Math.max(1, a)) + Math.log(1.001 / 0.999),
      6,
    );
  expect(logNormalInterval(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)).toBeCloseTo(0, 15);
});
