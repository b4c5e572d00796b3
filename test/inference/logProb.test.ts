import { describe, expect, test } from "vitest";
import { constant, grad, type Tensor } from "../../src/graph/index.ts";
import { choleskyCorrelation, logProb } from "../../src/inference/index.ts";
import type { Argument } from "../../src/inference/logProb/operands.ts";
import { expectClose, run } from "../graph/run.ts";

type Elementwise = (...args: (Tensor | number | readonly number[])[]) => Tensor;

interface Case {
  readonly f: Elementwise;
  /** The values; fixed data if they are counts. */
  readonly x: readonly number[];
  readonly parameters: readonly number[];
  readonly expected: readonly number[];
  /** Where the log-density is -Infinity. */
  readonly outside?: readonly number[];
  readonly counts?: boolean;
}

// Expected values: scipy.stats 1.17.1 (import scipy.stats as st), of the call beside them.
const CASES: Readonly<Record<string, Case>> = {
  normal: {
    f: logProb.normal,
    x: [-1.5, 0.2, 3],
    parameters: [0.5, 2],
    // st.norm.logpdf(x, 0.5, 2)
    expected: [-2.112085713764618, -1.623335713764618, -2.393335713764618],
  },
  studentT: {
    f: logProb.studentT,
    x: [-1.5, 0.2, 3],
    parameters: [3.5, 0.5, 2],
    // st.t.logpdf(x, 3.5, 0.5, 2)
    expected: [-2.248078235451486, -1.6970387634839401, -2.5130900656783486],
  },
  cauchy: {
    f: logProb.cauchy,
    x: [-1.5, 0.2, 3],
    parameters: [0.5, 2],
    // st.cauchy.logpdf(x, 0.5, 2)
    expected: [-2.5310242469692907, -1.8601276753441653, -2.778860410873872],
  },
  halfNormal: {
    f: logProb.halfNormal,
    x: [0.1, 1.5, 7],
    parameters: [2],
    // st.halfnorm.logpdf(x, scale=2)
    expected: [-0.9201885332046726, -1.2001885332046727, -7.043938533204673],
    outside: [-1e-9, -3],
  },
  halfCauchy: {
    f: logProb.halfCauchy,
    x: [0.1, 1.5, 7],
    parameters: [2],
    // st.halfcauchy.logpdf(x, scale=2)
    expected: [-1.1472267660479873, -1.5910169884778198, -3.7287274382816316],
    outside: [-1e-9, -3],
  },
  logNormal: {
    f: logProb.logNormal,
    x: [0.1, 1.5, 7],
    parameters: [0.5, 0.7],
    // st.lognorm.logpdf(x, 0.7, scale=np.exp(0.5))
    expected: [-6.274457275325407, -0.9768479277669626, -4.641496349689783],
    outside: [0, -3],
  },
  exponential: {
    f: logProb.exponential,
    x: [0.1, 1.5, 7],
    parameters: [1.7],
    // st.expon.logpdf(x, scale=1 / 1.7)
    expected: [0.36062825106217034, -2.0193717489378296, -11.36937174893783],
    outside: [-1e-9, -3],
  },
  gamma: {
    f: logProb.gamma,
    x: [0.1, 1.5, 7],
    parameters: [2.3, 1.7],
    // st.gamma.logpdf(x, 2.3, scale=1 / 1.7)
    expected: [-2.0971050984088975, -0.9566398369760251, -8.304061283744732],
    outside: [0, -3],
  },
  inverseGamma: {
    f: logProb.inverseGamma,
    x: [0.1, 1.5, 7],
    parameters: [2.3, 1.7],
    // st.invgamma.logpdf(x, 2.3, scale=1.7)
    expected: [-8.335213670636287, -1.4051126676069141, -5.598105112256315],
    outside: [0, -3],
  },
  beta: {
    f: logProb.beta,
    x: [0.1, 0.5, 0.93],
    parameters: [2.3, 0.7],
    // st.beta.logpdf(x, 2.3, 0.7)
    expected: [-2.683661987126263, -0.4150567014912972, 0.9815265894631957],
    outside: [0, 1, 2],
  },
  uniform: {
    f: logProb.uniform,
    x: [-1, 0, 2.5],
    parameters: [-1, 3],
    // st.uniform.logpdf(x, -1, 4)
    expected: [-1.3862943611198906, -1.3862943611198906, -1.3862943611198906],
    outside: [-1.1, 3.1],
  },
  bernoulliLogit: {
    f: logProb.bernoulliLogit,
    x: [0, 1, 1],
    parameters: [-0.4],
    // st.bernoulli.logpmf(x, scipy.special.expit(-0.4))
    expected: [-0.5130152523999526, -0.9130152523999526, -0.9130152523999526],
    counts: true,
  },
  binomialLogit: {
    f: (k, logit) => logProb.binomialLogit(k, 10, logit),
    x: [0, 3, 10],
    parameters: [-0.4],
    // st.binom.logpmf(x, 10, scipy.special.expit(-0.4))
    expected: [-5.130152523999526, -1.5426607812174793, -9.130152523999527],
    counts: true,
  },
  poissonLog: {
    f: logProb.poissonLog,
    x: [0, 2, 30],
    parameters: [1.3],
    // st.poisson.logpmf(x, np.exp(1.3))
    expected: [-3.6692966676192444, -1.7624438481791898, -39.3275330164494],
    counts: true,
  },
  negativeBinomial: {
    f: logProb.negativeBinomial,
    x: [0, 2, 30],
    parameters: [4.2, 1.7],
    // st.nbinom.logpmf(x, 1.7, 1.7 / (1.7 + 4.2))
    expected: [-2.115350969744156, -1.9643537774763495, -9.81516668847498],
    counts: true,
  },
};

describe.each(Object.entries(CASES))("%s", (_, { f, x, parameters, expected, outside, counts }) => {
  const rows = expected.length;
  const inputs = [...(counts ? [] : [x]), ...parameters.map((value) => new Array(rows).fill(value))];
  /** Arguments are tensors [N]. For counts, x is a list and the parameters are [N, rows]. */
  const evaluate = (
    build: (values: Tensor, tensors: readonly Tensor[]) => Record<string, Tensor>,
    precision?: "float32",
  ) =>
    run(
      (...tensors) => build(counts ? f(x, ...tensors) : f(...tensors), tensors),
      inputs.map(() => (counts ? ["N", rows] : ["N"])),
      inputs,
      precision,
    );

  test("agrees with SciPy", async () => {
    const { values } = await evaluate((values) => ({ values }));
    expectClose(values, expected, 2e-14);
    const { values: inFloat32 } = await evaluate((values) => ({ values }), "float32");
    expectClose(inFloat32, expected, 3e-6);
  });

  test("broadcasts data to parameters with a batch axis, and takes numbers", async () => {
    const { values } = await run(
      (...tensors) => ({ values: f(x, ...tensors) }),
      parameters.map(() => ["N"]),
      parameters.map((value) => [value, value]),
    );
    expectClose(values, [...expected, ...expected], 2e-14);
    const { fixed } = await run((_) => ({ fixed: f(x, ...parameters) }), [["N"]], [[0]]);
    expectClose(fixed, expected, 2e-14);
  });

  test("has the gradient of finite differences", async () => {
    const gradients = await evaluate((values, tensors) =>
      Object.fromEntries(grad(values.sum(), tensors).map((g, i) => [`g${i}`, g])),
    );
    const step = 1e-4;
    const at = async (i: number, change: number) => {
      const moved = inputs.map((values, k) => (k === i ? values.map((v) => v + change) : values));
      const { values } = await run(
        (...tensors) => ({ values: counts ? f(x, ...tensors) : f(...tensors) }),
        inputs.map(() => (counts ? ["N", rows] : ["N"])),
        moved,
      );
      return values;
    };
    // A point at the end of the support has no two-sided difference.
    const first = f === logProb.uniform ? 1 : 0;
    for (let i = first; i < inputs.length; i++) {
      const [far, above, below, opposite] = await Promise.all([2, 1, -1, -2].map((k) => at(i, k * step)));
      // The difference quotient of order 4.
      const differences = above.map(
        (value, k) => (8 * (value - below[k]) - (far[k] - opposite[k])) / (12 * step),
      );
      const finite = differences.map((d, k) => (Number.isFinite(d) ? d : gradients[`g${i}`][k]));
      expectClose(gradients[`g${i}`], finite, 1e-8);
    }
  });

  test("of NaN is NaN", async () => {
    const { values } = await run((x) => ({ values: f(x, ...parameters) }), [["N"]], [[Number.NaN]]);
    expect(values[0]).toBeNaN();
  });

  if (!outside) return;
  test("is -Infinity with gradient 0 outside of the support", async () => {
    const { values, gradient } = await run(
      (x) => {
        const values = f(x, ...parameters);
        return { values, gradient: grad(values.sum(), [x])[0] };
      },
      [["N"]],
      [outside],
    );
    expect(values.every((value) => value === Number.NEGATIVE_INFINITY)).toBe(true);
    expect(gradient.every((value) => value === 0)).toBe(true);
  });
});

describe("categoricalLogit", () => {
  const logits = [0.1, -2, 1.3];
  // scipy.special.log_softmax([0.1, -2, 1.3])[[2, 0, 1]]
  const expected = [-0.29123379210665357, -1.4912337921066534, -3.5912337921066535];

  test("agrees with SciPy, for common logits and for logits of each observation", async () => {
    const { common, single, separate } = await run(
      (eta) => ({
        common: logProb.categoricalLogit([2, 0, 1], eta),
        single: logProb.categoricalLogit(2, eta),
        separate: logProb.categoricalLogit([2, 0], eta.reshape(["N", 1, 3]).mul(constant([1, 1], [2, 1]))),
      }),
      [["N", 3]],
      [logits],
    );
    expectClose(common, expected);
    expectClose(single, expected.slice(0, 1));
    expectClose(separate, expected.slice(0, 2));
  });

  test("of a category that does not exist is an error", () => {
    expect(() => logProb.categoricalLogit([0, 3], constant(logits, [3]))).toThrowErrorMatchingInlineSnapshot(`
      [PushforwardError: a category is not valid: expected integers from 0 to 2, received 3.
      Categories are counted from 0.]
    `);
  });
});

describe("orderedLogit", () => {
  test("agrees with SciPy, also far in the tails and for two categories", async () => {
    const { several, single, binary } = await run(
      (eta, cutpoints) => ({
        several: logProb.orderedLogit([0, 1, 2], eta, cutpoints),
        single: logProb.orderedLogit(1, eta.sum(1), cutpoints),
        binary: logProb.orderedLogit([0, 1], eta.slice(1, 0, 1), cutpoints.slice(1, 0, 1)),
      }),
      [
        ["N", 3],
        ["N", 2],
      ],
      [
        [0.3, 40, -0.7],
        [-1, 0.5],
      ],
    );
    // F, logF = scipy.special.expit, scipy.special.log_expit. Far in the tail F(x) is exp(x).
    // [logF(-1 - 0.3), -40 + np.log(np.exp(0.5) - np.exp(-1)), logF(-0.7 - 0.5)]
    expectClose(several, [-1.5410084538329922, -39.75248245892546, -1.4632824673380311]);
    // -39.6 + np.log(np.exp(0.5) - np.exp(-1))
    expectClose(single, [-39.35248245892546]);
    // [logF(-1 - 0.3), logF(1 + 0.3)]
    expectClose(binary, [-1.5410084538329922, -0.24100845383299221]);
  });
});

test.each([
  // st.bernoulli.logpmf, st.binom.logpmf with n = 10, st.poisson.logpmf and st.nbinom.logpmf are -inf for these.
  ["bernoulliLogit", (k: Tensor, a: Tensor) => logProb.bernoulliLogit(k, a), [-1, 0.5, 2, 100]],
  ["binomialLogit", (k: Tensor, a: Tensor) => logProb.binomialLogit(k, 10, a), [-1, 0.5, 11, 20]],
  ["poissonLog", (k: Tensor, a: Tensor) => logProb.poissonLog(k, a), [-1, 0.5, -20, 2.5]],
  ["negativeBinomial", (k: Tensor, a: Tensor) => logProb.negativeBinomial(k, a, 2), [-1, 0.5, -20, 2.5]],
])("%s of a tensor that is not a count is -Infinity, with gradient 0", async (_, f, counts) => {
  const { values, gradient } = await run(
    (k, a) => {
      const values = f(k, a);
      return { values, gradient: grad(values.sum(), [a])[0] };
    },
    [["N"], ["N"]],
    [counts, counts.map(() => 0.7)],
  );
  expect([...values]).toEqual(counts.map(() => Number.NEGATIVE_INFINITY));
  expect([...gradient]).toEqual(counts.map(() => 0));
});

test("binomialLogit of data above n is -Infinity", async () => {
  const { values } = await run(
    (a) => ({ values: logProb.binomialLogit([3, 11, 30], 10, a) }),
    [["N"]],
    [[-0.4]],
  );
  expectClose(values.slice(0, 1), [-1.5426607812174793]);
  expect([...values.slice(1)]).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
});

test("counts that are not non-negative integers are errors", () => {
  expect(() => logProb.bernoulliLogit([0, 2], 0)).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the data have a count that is not valid: expected integers from 0 to 1, received 2.]`,
  );
  expect(() => logProb.poissonLog([1, 2.5], 0)).toThrowErrorMatchingInlineSnapshot(
    `[PushforwardError: the data have a count that is not valid: expected non-negative integers, received 2.5.]`,
  );
});

test("dirichlet agrees with SciPy", async () => {
  const { values, uniform } = await run(
    (x) => ({ values: logProb.dirichlet(x, [1.2, 0.7, 3]), uniform: logProb.dirichlet(x, 1) }),
    [["N", 3]],
    [[0.2, 0.3, 0.5]],
  );
  // scipy.stats.dirichlet.logpdf([0.2, 0.3, 0.5], [1.2, 0.7, 3])
  expectClose(values, [0.812926460980115]);
  expectClose(uniform, [Math.log(2)]);
});

test("dirichlet is -Infinity with gradient 0 off the simplex, but not for rounded sums", async () => {
  const { values, gradient } = await run(
    (x) => {
      const values = logProb.dirichlet(x, [1, 1]);
      return { values, gradient: grad(values.sum(), [x])[0] };
    },
    [["N", 2]],
    [[0.5, 0.6, 1.2, -0.2, 0, 1, 0.5, 0.500001, 0.5, Number.NaN]],
  );
  const outside = Number.NEGATIVE_INFINITY;
  expect([...values.slice(0, 3)]).toEqual([outside, outside, outside]);
  expectClose(values.slice(3, 4), [0]);
  expect(values[4]).toBeNaN();
  expect(gradient.every((value) => value === 0)).toBe(true);
});

describe("multivariateNormal", () => {
  const factor = [1.2, 0, 0, 0.3, 0.8, 0, -0.5, 0.4, 1.5];
  // L = [[1.2, 0, 0], [0.3, 0.8, 0], [-0.5, 0.4, 1.5]]; scipy.stats.multivariate_normal.logpdf([0.3, -1, 2], [0.5, 0, 1], L @ L.T)
  const expected = -4.270811529559951;
  const x = [0.3, -1, 2];
  const mean = [0.5, 0, 1];

  test("agrees with SciPy, for vectors of each draw and for data", async () => {
    const { parameters, observed, both } = await run(
      (x, mean, L) => ({
        parameters: logProb.multivariateNormal(x, mean, L),
        observed: logProb.multivariateNormal(
          [
            [0.3, -1, 2],
            [0.5, 0, 1],
          ],
          mean,
          L,
        ),
        both: logProb.multivariateNormal(x, mean, constant(factor, [3, 3])),
      }),
      [
        ["N", 3],
        ["N", 3],
        ["N", 3, 3],
      ],
      [
        [...x, ...x],
        [...mean, ...mean],
        [...factor, ...factor],
      ],
    );
    expectClose(parameters, [expected, expected]);
    expectClose(both, [expected, expected]);
    const atMean = -1.5 * Math.log(2 * Math.PI) - Math.log(1.2 * 0.8 * 1.5);
    expectClose(observed, [expected, atMean, expected, atMean]);
  });
});

test("factors, logits and cutpoints may be arrays", async () => {
  const L = [
    [1.2, 0],
    [0.3, 0.8],
  ];
  const correlation = [
    [1, 0],
    [0.6, 0.8],
  ];
  const logits = [0.1, -2, 1.3];
  const cutpoints = [-1, 0.5];
  const densities = (L: Argument, correlation: Argument, logits: Argument, cutpoints: Argument) => ({
    normal: logProb.multivariateNormal([0.3, -1], 0, L),
    lkj: logProb.lkjCholesky(correlation, 2),
    categorical: logProb.categoricalLogit([2, 0, 1, 1], logits),
    ordered: logProb.orderedLogit([0, 1, 2], 0.3, cutpoints),
  });
  const ofTensors = await run(
    densities,
    [
      ["N", 2, 2],
      ["N", 2, 2],
      ["N", 3],
      ["N", 2],
    ],
    [L.flat(), correlation.flat(), logits, cutpoints],
  );
  const ofArrays = await run(() => densities(L, correlation, logits, cutpoints), [["N"]], [[0]]);
  for (const name of ["normal", "lkj", "categorical", "ordered"] as const)
    expectClose(ofArrays[name], [...ofTensors[name]]);
});

describe("lkjCholesky", () => {
  test.each([1, 2.5])("is normalized over the correlation matrices of size 3, for eta = %s", async (eta) => {
    // Its density in the unconstrained coordinates is integrated by a grid: the integrand is smooth and decays exponentially.
    const points = 61;
    const [bound, step] = [9, 18 / (points - 1)];
    const grid = Array.from({ length: points ** 3 }, (_, i) =>
      [i % points, Math.floor(i / points) % points, Math.floor(i / points ** 2)].map((k) => k * step - bound),
    ).flat();
    const { density } = await run(
      (u) => {
        const { value, logDet } = choleskyCorrelation(3).constrain(u, {});
        return { density: logProb.lkjCholesky(value, eta).add(logDet).exp() };
      },
      [["N", 3]],
      [grid],
    );
    expect(density.reduce((a, b) => a + b) * step ** 3).toBeCloseTo(1, 5);
  });

  test("is -Infinity with gradient 0 for matrices that are not Cholesky factors of correlation matrices", async () => {
    const { values, gradient } = await run(
      (L) => {
        const values = logProb.lkjCholesky(L, 2);
        return { values, gradient: grad(values.sum(), [L])[0] };
      },
      [["N", 2, 2]],
      [[1, 0, 0.6, -0.8, 1, 0, 0.6, 0.9, 1, 0, Number.NaN, 0.8]],
    );
    expect([...values]).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN]);
    expect(gradient.every((value) => value === 0)).toBe(true);
  });

  test("has the marginal density of a correlation for size 2", async () => {
    const r = [-0.8, 0, 0.3];
    const { values } = await run(
      (L) => ({ values: logProb.lkjCholesky(L, 2) }),
      [["N", 2, 2]],
      [r.flatMap((c) => [1, 0, c, Math.sqrt(1 - c * c)])],
    );
    // p(r) = (1 - r^2) 3 / 4
    expectClose(
      values,
      r.map((c) => Math.log(0.75 * (1 - c * c))),
    );
  });
});
