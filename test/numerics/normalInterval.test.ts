import { expect, test } from "vitest";
import { logNormalInterval } from "../../src/numerics/normalInterval.ts";

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
  expect(logNormalInterval(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)).toBeCloseTo(0, 15);
});
