import { additiveKind } from "./additive.ts";
import { affineKind } from "./affine.ts";
import { rationalQuadraticSplineKind } from "./rationalQuadraticSpline.ts";

/**
 * The transforms of `fitFlows` and of the recipes for NICE, RealNVP, Glow, MAF and neural spline flows. A page that loads a model
 * ships the code of these; it loads that of the others of registry.ts only if a model has one.
 */
export const coreScalarTransformKinds = [additiveKind, affineKind, rationalQuadraticSplineKind] as const;
