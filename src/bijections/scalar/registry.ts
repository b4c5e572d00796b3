import { additiveKind } from "./additive.ts";
import { affineKind } from "./affine.ts";
import { circularSplineKind } from "./circularSpline.ts";
import { cubicSplineKind } from "./cubicSpline.ts";
import { linearSplineKind } from "./linearSpline.ts";
import { quadraticSplineKind } from "./quadraticSpline.ts";
import { rationalQuadraticSplineKind } from "./rationalQuadraticSpline.ts";

/** Every map of one variable that a model file may hold. To add one, write its file and its line here. */
export const scalarTransformKinds = [
  additiveKind,
  affineKind,
  circularSplineKind,
  cubicSplineKind,
  linearSplineKind,
  quadraticSplineKind,
  rationalQuadraticSplineKind,
] as const;
