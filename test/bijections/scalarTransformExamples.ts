import type { ScalarTransformOptions } from "../../src/bijections/scalar/registry.ts";
import { allExamples, examplesOf } from "../examples.ts";

/** Options of every scalar transform, which together use each option. The invariants of bijections are tested with them. */
export const scalarTransformExamples = examplesOf<ScalarTransformOptions["type"]>({
  additive: () => [{}],
  affine: () => [{}],
  bernstein: () => [{ degree: 5, bound: 3 }],
  circularSpline: () => [{ bins: 4 }],
  cubicSpline: () => [
    { bins: 4, bound: 3 },
    { bins: 3, bound: 3, tails: "none" },
  ],
  deepSigmoidal: () => [{ units: 3 }, { units: 2, layers: 2 }],
  gaussianization: () => [{ components: 3 }],
  linearSpline: () => [
    { bins: 4, bound: 3 },
    { bins: 3, bound: 3, tails: "none" },
  ],
  monotonicNetwork: () => [{ units: 3, nodes: 32, bound: 3 }],
  quadraticSpline: () => [
    { bins: 4, bound: 3 },
    { bins: 3, bound: 3, tails: "none" },
  ],
  rationalQuadraticSpline: () => [
    { bins: 5, bound: 3 },
    { bins: 3, bound: 3, tails: "none" },
  ],
  sumOfSquares: () => [{ degree: 3, bound: 3 }],
});

/** Inverted by root finding: their graphs take the runtime long to prepare. */
const ROOT_FINDING: readonly string[] = [
  "bernstein",
  "cubicSpline",
  "deepSigmoidal",
  "monotonicNetwork",
  "sumOfSquares",
];

/** One transform for each way in which features enter a network and parameters leave it. */
const REPRESENTATIVES: readonly string[] = [
  "additive",
  "affine",
  "circularSpline",
  "rationalQuadraticSpline",
];

/**
 * Scalar transforms with 0 and with 2 context features, for the examples of couplings and autoregressive layers. To save time,
 * transforms that are inverted by root finding come with two features and context only, and Gaussianization, the slowest, is tested in the
 * elementwise bijection only. A transform acts on one feature at a time, so above two features a few representatives suffice. They also
 * suffice for one feature without context, whose parameters are constants, as in the elementwise bijection.
 */
export const conditionedExamples = (
  features: number,
): { transform: ScalarTransformOptions; context: number }[] =>
  Object.entries(scalarTransformExamples).flatMap(([type, ofType]) => {
    if (type === "gaussianization") return [];
    const isRepresentative = REPRESENTATIVES.includes(type);
    const usesRootFinding = ROOT_FINDING.includes(type);
    const examples = ofType(1) as readonly ScalarTransformOptions[];
    const count = usesRootFinding
      ? Number(features === 2)
      : features > 2
        ? Number(isRepresentative)
        : undefined;
    const contexts = usesRootFinding || (features === 1 && !isRepresentative) ? [2] : [0, 2];
    return examples
      .slice(0, count)
      .flatMap((transform) => contexts.map((context) => ({ transform, context })));
  });

/** Options of all scalar transforms; above two features, only of a few. */
export const elementwiseExamples = (features: number): ScalarTransformOptions[] =>
  (allExamples(scalarTransformExamples, 1) as ScalarTransformOptions[]).filter(
    ({ type }) => features <= 2 || REPRESENTATIVES.includes(type),
  );
