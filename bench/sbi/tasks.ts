/**
 * Six tasks of the SBI benchmark (Lueckmann et al. 2021, "Benchmarking simulation-based inference"), written from their definitions in
 * https://github.com/sbi-benchmark/sbibm.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { prior, type Simulator, simulator, vector } from "../../src/inference/index.ts";

/** A simulator with one parameter, the vector theta. */
type Task = (folder: string) => Simulator;

const RANGE_10 = Array.from({ length: 10 }, (_, i) => i);

/** A crescent, at one of two places that the absolute value makes indistinguishable. */
const twoMoons: Task = () =>
  simulator({ theta: vector(2, prior.uniform(-1, 1)) }, ({ theta: [a, b] }, random) => {
    const angle = Math.PI * (random.uniform() - 0.5);
    const radius = 0.1 + 0.01 * random.normal();
    return [
      radius * Math.cos(angle) + 0.25 - Math.abs(a + b) * Math.SQRT1_2,
      radius * Math.sin(angle) + (b - a) * Math.SQRT1_2,
    ];
  });

/** Simple likelihood, complex posterior: four points of a normal distribution whose covariance does not determine the parameters. */
const slcp: Task = () =>
  simulator({ theta: vector(5, prior.uniform(-3, 3)) }, ({ theta: [x, y, a, b, c] }, random) => {
    const [s1, s2, rho] = [a ** 2, b ** 2, Math.tanh(c)];
    const l11 = Math.sqrt(s1 ** 2 + 1e-6);
    const l21 = (rho * s1 * s2) / l11;
    const l22 = Math.sqrt(s2 ** 2 + 1e-6 - l21 ** 2);
    return [0, 1, 2, 3].flatMap(() => {
      const [e1, e2] = random.normal(2);
      return [x + l11 * e1, y + l21 * e1 + l22 * e2];
    });
  });

const gaussianLinear: Task = () =>
  simulator({ theta: vector(10, prior.normal(0, Math.sqrt(0.1))) }, ({ theta }, random) =>
    theta.map((mean) => mean + Math.sqrt(0.1) * random.normal()),
  );

const gaussianLinearUniform: Task = () =>
  simulator({ theta: vector(10, prior.uniform(-1, 1)) }, ({ theta }, random) =>
    theta.map((mean) => mean + Math.sqrt(0.1) * random.normal()),
  );

/** A mixture of a wide and a narrow normal distribution with the same mean. */
const gaussianMixture: Task = () =>
  simulator({ theta: vector(2, prior.uniform(-10, 10)) }, ({ theta }, random) => {
    const sd = random.uniform() < 0.5 ? 1 : 0.1;
    return theta.map((mean) => mean + sd * random.normal());
  });

/** Logistic regression of spikes on a stimulus and its past; the data are sufficient statistics. The prior prefers smooth filters. */
const bernoulliGlm: Task = (folder) => {
  const design = readFileSync(join(folder, "design_matrix.csv"), "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(",").map(Number));
  // The precision of the offset is 1/2. That of the filter is F^T F with F = D^2 + diag(sqrt(i / 9)) and D the differences.
  const differences = RANGE_10.slice(1).map((_, i, { length }) =>
    Array.from({ length }, (_, j): number => (i === j ? 1 : i === j + 1 ? -1 : 0)),
  );
  const smoothness = differences.map((row, i) =>
    row.map(
      (_, j) =>
        row.reduce((sum, value, k) => sum + value * differences[k]![j]!, 0) +
        (i === j ? Math.sqrt(i / 9) : 0),
    ),
  );
  const filterFactor = invertLower(smoothness);
  const factor = RANGE_10.map((i) =>
    RANGE_10.map((j) => (i === 0 || j === 0 ? (i === j ? Math.SQRT2 : 0) : filterFactor[i - 1]![j - 1]!)),
  );
  return simulator(
    {
      theta: prior.multivariateNormal(
        RANGE_10.map(() => 0),
        factor,
      ),
    },
    ({ theta }, random) => {
      const statistics = new Float64Array(10);
      for (const row of design) {
        const logit = row.reduce((sum, value, i) => sum + value * theta[i]!, 0);
        if (random.uniform() >= 1 / (1 + Math.exp(-logit))) continue;
        row.forEach((value, i) => {
          statistics[i]! += value;
        });
      }
      return statistics;
    },
  );
};

/** The inverse of a lower triangular matrix. */
function invertLower(rows: readonly (readonly number[])[]): number[][] {
  const inverse = rows.map((row) => row.map(() => 0));
  rows.forEach((row, i) => {
    for (let j = 0; j <= i; j++) {
      let sum = i === j ? 1 : 0;
      for (let k = j; k < i; k++) sum -= row[k]! * inverse[k]![j]!;
      inverse[i]![j] = sum / row[i]!;
    }
  });
  return inverse;
}

/** The tasks by the names of their folders. */
export const tasks: Readonly<Record<string, Task>> = {
  two_moons: twoMoons,
  slcp,
  gaussian_linear: gaussianLinear,
  gaussian_linear_uniform: gaussianLinearUniform,
  gaussian_mixture: gaussianMixture,
  bernoulli_glm: bernoulliGlm,
};
