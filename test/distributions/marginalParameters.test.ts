import { expect, test } from "vitest";
import { columnHeadSchema, valueCodes } from "../../src/tables/densities/heads/columnHead.ts";
import { LOCATION_BOUND, LOG_SCALE_BOUND } from "../../src/tables/densities/heads/headGroup.ts";
import { marginalParameters } from "../../src/tables/densities/heads/marginalParameters.ts";

const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / values.length;

test.each([1, 2, 3, 8])(
  "%i components have the weighted mean and variance of the scores, as one logistic distribution has",
  (components) => {
    const head = columnHeadSchema.parse({
      type: "continuous",
      knots: { x: [-9, 9], z: [-9, 9], slope: [1, 1] },
      components,
    });
    const z = Float64Array.from({ length: 200 }, (_, n) => 3 * Math.sin(n) ** 3 - 1.3);
    const weights = Float64Array.from(z, (_, n) => 1 + (n % 3));
    const parameters = marginalParameters(head, valueCodes(head, z), { weights, z });
    const softClamp = (x: number, bound: number) => x / (1 + Math.abs(x) / bound);
    const locations = [...parameters.slice(-2 * components, -components)].map((x) =>
      softClamp(x, LOCATION_BOUND),
    );
    const scales = [...parameters.slice(-components)].map((x) => Math.exp(softClamp(x, LOG_SCALE_BOUND)));
    const total = weights.reduce((a, b) => a + b);
    const weighted = (f: (z: number) => number) =>
      z.reduce((sum, each, n) => sum + weights[n] * f(each), 0) / total;
    const center = weighted((each) => each);
    const ofMixture = mean(locations);
    expect(ofMixture).toBeCloseTo(center, 12);
    const variance = mean(
      locations.map((location, k) => (location - ofMixture) ** 2 + (scales[k] ** 2 * Math.PI ** 2) / 3),
    );
    expect(variance).toBeCloseTo(
      weighted((each) => (each - center) ** 2),
      12,
    );
  },
);
