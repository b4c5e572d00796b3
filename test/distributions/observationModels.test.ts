import { describe, expect, test } from "vitest";
import { Bernoulli, DiscretizedLogistic } from "../../src/distributions/index.ts";
import { compile } from "../../src/runtime/index.ts";
import { draw, logProb } from "./evaluate.ts";

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

describe("Bernoulli", () => {
  test("has the log-probabilities of its logits, and -Infinity for other numbers", async () => {
    const distribution = new Bernoulli({ features: 2 });
    distribution.logits.value.set([0.7, -2]);
    const values = await logProb(distribution, [1, 1, 1, 0, 0, 1, 0, 0, 0.5, 0, -1, 1]);
    const [p, q] = [sigmoid(0.7), sigmoid(-2)];
    const expected = [p * q, p * (1 - q), (1 - p) * q, (1 - p) * (1 - q), 0, 0].map(Math.log);
    values.forEach((value, n) => {
      if (n < 4) expect(value).toBeCloseTo(expected[n], 6);
      else expect(value).toBe(expected[n]);
    });
  });

  test("fits the frequencies of ones", () => {
    const distribution = new Bernoulli({ features: 2 });
    // Values outside of the support are not counted.
    distribution.fitToData({
      rows: 5,
      features: 2,
      values: Float64Array.of(1, 0, 1, 0, 1, 0, 0, 0, 255, 0.5),
    });
    // One zero and one 1 are added to each column.
    expect(sigmoid(distribution.logits.value[0])).toBeCloseTo(4 / 6, 6);
    expect(sigmoid(distribution.logits.value[1])).toBeCloseTo(1 / 6, 6);
  });
});

describe("DiscretizedLogistic", () => {
  const values = 5;
  const build = (location: number, scale: number) => {
    const distribution = new DiscretizedLogistic({ features: 1, values });
    distribution.location.value.fill(location);
    distribution.logScale.value.fill(Math.log(scale));
    return distribution;
  };
  const all = [0, 1, 2, 3, 4];
  const exact = (location: number, scale: number) =>
    all.map((x) => {
      const high = x === 4 ? 1 : sigmoid((x + 0.5 - location) / scale);
      const low = x === 0 ? 0 : sigmoid((x - 0.5 - location) / scale);
      return high - low;
    });

  test.each([
    [1.3, 0.8],
    [-2, 1.5],
    [6, 3],
    [2, 0.05],
  ])("has the probabilities of the cells of a logistic distribution at %f with scale %f", async (...at) => {
    const probabilities = (await logProb(build(...at), all)).map(Math.exp);
    exact(...at).forEach((probability, x) => {
      expect(probabilities[x]).toBeCloseTo(probability, 7);
    });
    expect(probabilities.reduce((a, b) => a + b)).toBeCloseTo(1, 7);
  });

  test("keeps its precision where the cells have tiny probabilities", async () => {
    // F(b) - F(a) would cancel: P(0) is about exp(-60).
    const [value] = await logProb(build(30.5, 0.5), [0], "float32");
    expect(value).toBeCloseTo(-60, 4);
  });

  test("draws integers with these probabilities", async () => {
    const drawn = await draw(build(1.3, 0.8), 20_000);
    exact(1.3, 0.8).forEach((probability, x) => {
      const count = drawn.filter((each) => each === x).length;
      const deviation = Math.sqrt(20_000 * probability * (1 - probability));
      expect(Math.abs(count - 20_000 * probability)).toBeLessThan(4 * deviation);
    });
  });

  test("has probability 0 for other numbers, and its location as its center", async () => {
    expect([...(await logProb(build(1, 1), [0.5, -1, 5, Number.NaN]))]).toEqual([
      -Infinity,
      -Infinity,
      -Infinity,
      Number.NaN,
    ]);
    const center = compile((x) => build(1.25, 1).center().add(x.mul(0)), [["N", 1]]);
    expect([...(await center([0]))]).toEqual([1.25]);
  });

  test("fits the mean and the deviation of columns", () => {
    const distribution = new DiscretizedLogistic({ features: 1, values: 9 });
    distribution.fitToData({ rows: 4, features: 1, values: Float64Array.of(1, 3, 5, 7) });
    expect(distribution.location.value[0]).toBe(4);
    expect(Math.exp(distribution.logScale.value[0])).toBeCloseTo((Math.sqrt(5) * Math.sqrt(3)) / Math.PI, 5);
  });
});
