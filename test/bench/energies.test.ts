import { expect, test } from "vitest";
import { logDensities } from "../../bench/papers/energies.ts";
import { divergence, logNormalizer } from "../../bench/papers/planeQuadrature.ts";
import { energies as protocol } from "../../bench/papers/protocols/energies.ts";
import { Permutation } from "../../src/bijections/permutation.ts";
import { DiagonalNormal, Logistic } from "../../src/distributions/index.ts";
import { Flow } from "../../src/flows/index.ts";
import type { Tensor } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { compile } from "../../src/runtime/compile.ts";

/** The energies as printed in Table 1 of Rezende and Mohamed 2015. */
const printed: Record<keyof typeof logDensities, (z1: number, z2: number) => number> = {
  U1: (z1, z2) =>
    0.5 * ((Math.hypot(z1, z2) - 2) / 0.4) ** 2 -
    Math.log(Math.exp(-0.5 * ((z1 - 2) / 0.6) ** 2) + Math.exp(-0.5 * ((z1 + 2) / 0.6) ** 2)),
  U2: (z1, z2) => 0.5 * ((z2 - w1(z1)) / 0.4) ** 2,
  U3: (z1, z2) =>
    -Math.log(
      Math.exp(-0.5 * ((z2 - w1(z1)) / 0.35) ** 2) + Math.exp(-0.5 * ((z2 - w1(z1) + w2(z1)) / 0.35) ** 2),
    ),
  U4: (z1, z2) =>
    -Math.log(
      Math.exp(-0.5 * ((z2 - w1(z1)) / 0.4) ** 2) + Math.exp(-0.5 * ((z2 - w1(z1) + w3(z1)) / 0.35) ** 2),
    ),
};
const w1 = (z1: number) => Math.sin((2 * Math.PI * z1) / 4);
const w2 = (z1: number) => 3 * Math.exp(-0.5 * ((z1 - 1) / 0.6) ** 2);
const w3 = (z1: number) => 3 / (1 + Math.exp(-(z1 - 1) / 0.3));

const names = Object.keys(logDensities) as (keyof typeof logDensities)[];

test.each(names)(
  "%s equals the paper's formula on [-4, 4]^2, and its mass is inside [-6, 6]^2",
  async (name) => {
    const points = new Random(1).uniform(new Float64Array(400)).map((u) => 8 * u - 4);
    const values = await compile(logDensities[name], [["N", 2]], { precision: "float64" })(points);
    values.forEach((value, i) => {
      const expected = printed[name](points[2 * i], points[2 * i + 1]);
      if (expected < 500) expect(value).toBeCloseTo(-expected, 9);
    });
    expect(await logNormalizer(logDensities[name], 300)).toBeCloseTo(
      await logNormalizer(logDensities[name], 500, 10),
      8,
    );
  },
);

/** An unnormalized log-density: that of N((1, -1), 0.7^2 I), with maximum 1. */
const normal = (z: Tensor) => {
  const [a, b] = [z.slice(1, 0, 1).sub(1), z.slice(1, 1, 2).add(1)];
  return a
    .square()
    .add(b.square())
    .sum(1)
    .mul(-0.5 / 0.49)
    .add(1);
};
const logZ = 1 + Math.log(2 * Math.PI * 0.49);

test("integrals over the plane equal the closed forms for normal distributions", async () => {
  expect(await logNormalizer(normal, 300)).toBeCloseTo(logZ, 9);
  const identity = new Permutation({ order: [0, 1] });
  const flow = new Flow(new DiagonalNormal({ features: 2 }), identity);
  const closed = 2 * (Math.log(0.7) + (1 + 1) / (2 * 0.49) - 0.5);
  expect(await divergence(flow, normal, logZ, 200)).toBeCloseTo(closed, 6);
  // The logistic distribution has entropy 2 and variance pi^2 / 3.
  const logistic = new Flow(new Logistic({ features: 2 }), identity);
  const cross = 2 * (Math.log(0.7) + 0.5 * Math.log(2 * Math.PI) + (Math.PI ** 2 / 3 + 1) / (2 * 0.49));
  expect(await divergence(logistic, normal, logZ, 400)).toBeCloseTo(cross - 4, 3);
});

test("the protocol returns a table, its numbers and a picture", async () => {
  const lines: string[] = [];
  const log = (line: string) => lines.push(line);
  const { text, json, pictures } = await protocol.run({
    seed: 1,
    quick: true,
    only: /U2 planar, K = 2/,
    log,
  });
  expect(lines).toEqual([expect.stringMatching(/^U2, planar, K = 2, seed 1: \d\.\d{4}$/)]);
  expect(json).toEqual({ U2: { "planar, K = 2": [expect.any(Number)] } });
  expect(text).toMatch(/^\| {15}\| {4}U2 \|\n/);
  expect(String.fromCharCode(...pictures["energies.png"].subarray(1, 4))).toBe("PNG");
});
