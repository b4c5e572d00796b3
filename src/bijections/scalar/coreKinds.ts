import { affineKind } from "./affine.ts";
import { rationalQuadraticSplineKind } from "./rationalQuadraticSpline.ts";

/**
 * The transforms of `fitFlows` and of the recipes for RealNVP, Glow, MAF and neural spline flows. A page that loads models contains
 * the code of these transforms. It loads the code of the other transforms of registry.ts only if a model has one of them.
 */
export const coreScalarTransformKinds = [affineKind, rationalQuadraticSplineKind] as const;
