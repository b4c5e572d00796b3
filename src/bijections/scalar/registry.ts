import { additiveKind } from "./additive.ts";
import { affineKind } from "./affine.ts";
import { rationalQuadraticSplineKind } from "./rationalQuadraticSpline.ts";

/** Every map of one variable that a model file may hold. To add one, write its file and its line here. */
export const scalarTransformKinds = [additiveKind, affineKind, rationalQuadraticSplineKind] as const;
