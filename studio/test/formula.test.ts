import katex from "katex";
import { describe, expect, test } from "vitest";
import { BASE_NAMES } from "../app/bases.ts";
import { FAMILY_NAMES, familyOf } from "../app/families.ts";
import { baseTex } from "../app/formula/baseTex.ts";
import { explanation } from "../app/formula/explanation.ts";
import {
  type BaseTerms,
  type ConditionedMap,
  type LayerTerms,
  type Pair,
  pairOf,
} from "../app/formula/terms.ts";
import { layerTex } from "../app/formula/tex.ts";
import { integral } from "../app/read/widgets/gaussian.ts";
import { cumulativeSums, densityTerms } from "../app/views/densityTerms.ts";
import { perturbed } from "./perturbed.ts";

const POINTS: readonly Pair[] = [
  [0.3, -0.8],
  [-1.7, 2.2],
  [6, 0.1],
];

/** z and log dz/dx of the formula of a coordinate. */
function evaluate(map: ConditionedMap, x: number): readonly [z: number, logSlope: number] {
  switch (map.type) {
    case "identity":
      return [x, 0];
    case "shift":
      return [x - map.shift, 0];
    case "affine":
      return [(x - map.shift) * Math.exp(-map.s), -map.s];
    case "scale":
      return [x * Math.exp(-map.s), -map.s];
    case "standardize":
      return [(x - map.center) / map.scale, -Math.log(map.scale)];
    case "spline": {
      const {
        x: [x0, x1],
        z: [z0, z1],
        derivatives: [d0, d1],
      } = map.bin;
      expect(x0 <= x && x <= x1).toBe(true);
      const s = (z1 - z0) / (x1 - x0);
      const t = (x - x0) / (x1 - x0);
      const denominator = s + (d1 + d0 - 2 * s) * t * (1 - t);
      return [
        z0 + ((z1 - z0) * (s * t ** 2 + d0 * t * (1 - t))) / denominator,
        Math.log((s ** 2 * (d1 * t ** 2 + 2 * s * t * (1 - t) + d0 * (1 - t) ** 2)) / denominator ** 2),
      ];
    }
  }
}

/** The side of the formula of a layer that is computed from the other one, and log |det dz/dx|. */
function evaluateLayer(terms: LayerTerms, x: Pair, z: Pair): { x?: Pair; z?: Pair; logDet: number } {
  if (terms.type === "coordinates") {
    const [[z1, s1], [z2, s2]] = [evaluate(terms.maps[0]!, x[0]), evaluate(terms.maps[1]!, x[1])];
    return { z: [z1, z2], logDet: s1 + s2 };
  }
  if (terms.type === "linear") {
    const [[a, b], [c, d]] = terms.rows;
    const value: Pair = [a * x[0] + b * x[1] + terms.b[0], c * x[0] + d * x[1] + terms.b[1]];
    return { z: value, logDet: Math.log(Math.abs(a * d - b * c)) };
  }
  if (terms.type === "planar") {
    const from = terms.of === "x" ? x : z;
    const h = Math.tanh(terms.w[0] * from[0] + terms.w[1] * from[1] + terms.b);
    const value: Pair = [from[0] + terms.u[0] * h, from[1] + terms.u[1] * h];
    const logDet = Math.log1p((1 - h ** 2) * (terms.w[0] * terms.u[0] + terms.w[1] * terms.u[1]));
    return terms.of === "x" ? { z: value, logDet } : { x: value, logDet: -logDet };
  }
  if (terms.type === "radial") {
    const { center, alpha, beta } = terms;
    const r = Math.hypot(z[0] - center[0], z[1] - center[1]);
    const factor = beta / (alpha + r);
    const value: Pair = [z[0] + factor * (z[0] - center[0]), z[1] + factor * (z[1] - center[1])];
    return { x: value, logDet: -Math.log1p(factor) - Math.log1p((alpha * beta) / (alpha + r) ** 2) };
  }
  return { logDet: Number.NaN };
}

describe("the formulas of layers", () => {
  test.each(FAMILY_NAMES.filter((name) => name !== "continuous"))(
    "of %s have the values and the log-determinants of the layers",
    async (family) => {
      for (const objective of ["likelihood", "reverse"] as const) {
        const viewed = perturbed({
          family,
          ...familyOf(family).defaults,
          layers: 3,
          width: 8,
          objective,
        });
        for (const point of POINTS) {
          const trajectory = await viewed.point({ point });
          const { positions, logDets, layers, terms } = trajectory;
          expect(terms).toHaveLength(layers.length);
          const [logDensity] = await viewed.flow.logProb([...point]);
          expect(cumulativeSums(densityTerms(trajectory)).at(-1)).toBeCloseTo(logDensity!, 3);
          layers.forEach((layer, i) => {
            const k = layers.length - 1 - i;
            const [x, z] = [pairOf(positions[k]!), pairOf(positions[k + 1]!)];
            const formula = evaluateLayer(terms[i]!, x, z);
            const { x: expectedX = x, z: expectedZ = z } = formula;
            const close = (pair: Pair) => pair.map((value) => expect.closeTo(value, 4));
            expect({ layer, x, z, logDet: formula.logDet }).toEqual({
              layer,
              x: close(expectedX),
              z: close(expectedZ),
              logDet: expect.closeTo(logDets[k]![0]!, 4),
            });
          });
        }
        await viewed.release();
      }
    },
  );

  test("are typeset for every layer and at points in the tails of splines", async () => {
    for (const family of FAMILY_NAMES) {
      const viewed = perturbed({ family, ...familyOf(family).defaults, layers: 2, width: 8 });
      for (const point of POINTS) {
        const { positions, logDets, layers, terms } = await viewed.point({ point });
        layers.forEach((_, i) => {
          const k = layers.length - 1 - i;
          const [x, z] = [pairOf(positions[k]!), pairOf(positions[k + 1]!)];
          const lines = layerTex({ terms: terms[i]!, x, z, logDet: logDets[k]![0]! });
          for (const tex of lines.flat()) {
            expect(() => katex.renderToString(tex, { strict: "error" })).not.toThrow();
            expect(tex).not.toMatch(/NaN|undefined|--|\+ -/);
          }
        });
      }
      await viewed.release();
    }
  });

  test("have an explanation of their letters", async () => {
    const explanations: Record<string, string[]> = {};
    for (const family of FAMILY_NAMES) {
      const viewed = perturbed({ family, ...familyOf(family).defaults, layers: 2, width: 8 });
      const found = new Set<string>();
      for (const point of POINTS) {
        const { terms, layers } = await viewed.point({ point });
        for (const [i, layer] of layers.entries()) found.add(`${layer}: ${explanation(terms[i]!)}`);
      }
      explanations[family] = [...found];
      await viewed.release();
    }
    expect(explanations).toMatchInlineSnapshot(`
      {
        "continuous": [
          "continuous: The velocity v is a network. It moves the point along y, from y(0) = z to y(1) = x.",
          "standardize: The numbers are the same for all points.",
        ],
        "glow": [
          "coupling: A network computes t and s from the other coordinate.",
          "luLinear: W and b are parameters.",
          "actnorm: The numbers are the same for all points.",
          "standardize: The numbers are the same for all points.",
        ],
        "iaf": [
          "autoregressive: A network computes m and s from the other coordinate.",
          "standardize: The numbers are the same for all points.",
        ],
        "maf": [
          "autoregressive: A network computes m and s from the other coordinate.",
          "standardize: The numbers are the same for all points.",
        ],
        "nice": [
          "diagonalScaling: The numbers are the same for all points.",
          "coupling: A network computes t from the other coordinate.",
          "standardize: The numbers are the same for all points.",
        ],
        "nsf": [
          "coupling: A network computes the knots (xₖ, yₖ) of the spline and its derivatives dₖ there. The coordinate lies between two knots, whose distances in x and y are w and h.",
          "standardize: The numbers are the same for all points.",
          "coupling: The coordinate lies outside of the interval of the spline, where the layer is the identity.",
        ],
        "nsfAutoregressive": [
          "autoregressive: A network computes the knots (xₖ, yₖ) of the spline and its derivatives dₖ there. The coordinate lies between two knots, whose distances in x and y are w and h.",
          "standardize: The numbers are the same for all points.",
        ],
        "planar": [
          "planar: û is the parameter u, changed such that the layer has an inverse. w and b are parameters too.",
          "standardize: The numbers are the same for all points.",
        ],
        "radial": [
          "radial: The center z₀, α and β are parameters. r is the root of a quadratic equation.",
          "standardize: The numbers are the same for all points.",
        ],
        "realNVP": [
          "coupling: A network computes t and s from the other coordinate.",
          "standardize: The numbers are the same for all points.",
        ],
      }
    `);
  });

  test("have letters, and then numbers", () => {
    const affine: LayerTerms = {
      type: "coordinates",
      letter: "m",
      maps: [
        { type: "affine", shift: -0.5, s: 0 },
        { type: "affine", shift: 0.42, s: 0.13, dependsOn: "x" },
      ],
    };
    const z: Pair = [1.5, (0.731 - 0.42) * Math.exp(-0.13)];
    expect(
      layerTex({ terms: affine, x: [1, 0.731], z, logDet: -0.13 }).map(
        ([left, right]) => `${left} = ${right}`,
      ),
    ).toMatchInlineSnapshot(`
      [
        "z_1 = (x_1 - m_1)\\,e^{-s_1}",
        " = (1.000 + 0.500)\\,e^{0.000} = 1.500",
        "z_2 = (x_2 - m_2(x_1))\\,e^{-s_2(x_1)}",
        " = (0.731 - 0.420)\\,e^{-0.130} = 0.273",
        "\\log\\left|\\det\\right| = -s_1 -s_2(x_1)",
        " = 0.000 - 0.130",
        " = -0.130",
      ]
    `);
  });
});

describe("the formulas of base distributions", () => {
  test.each(BASE_NAMES)("of %s have the log-density", async (base) => {
    const viewed = perturbed({ base, layers: 1, width: 4 });
    for (const point of POINTS) {
      const trajectory = await viewed.point({ point });
      const z = pairOf(trajectory.positions.at(-1)!);
      const logDensity = trajectory.baseLogDensity[0]!;
      expect(evaluateBase(trajectory.base, z)).toBeCloseTo(logDensity, 4);
      for (const tex of baseTex(trajectory.base, z, logDensity).flat())
        expect(() => katex.renderToString(tex, { strict: "error" })).not.toThrow();
    }
    await viewed.release();
  });
});

function evaluateBase(terms: BaseTerms, z: Pair): number {
  const sum = (term: (value: number, i: number) => number) => term(z[0], 0) + term(z[1], 1);
  switch (terms.type) {
    case "normal":
      return sum((value) => -(value ** 2) / 2) - Math.log(2 * Math.PI);
    case "logistic":
      return sum((value) => -Math.abs(value) - 2 * Math.log1p(Math.exp(-Math.abs(value))));
    case "mixture":
      return Math.log(terms.densities.reduce((total, density) => total + density, 0));
    case "studentT":
      return sum((value, i) => {
        const { mean, s, nu } = terms.coordinates[i]!;
        const kernel = (t: number) => (1 + t ** 2 / nu) ** (-(nu + 1) / 2);
        // The normalizing constant, by substituting t = tan(angle).
        const constant = integral(
          (angle) => kernel(Math.tan(angle)) / Math.cos(angle) ** 2,
          -Math.PI / 2,
          Math.PI / 2,
        );
        return Math.log(kernel((value - mean) * Math.exp(-s)) / constant) - s;
      });
  }
}
