import { additiveKind } from "./additive.ts";
import { affineKind } from "./affine.ts";
import { bernsteinKind } from "./bernstein.ts";
import { circularSplineKind } from "./circularSpline.ts";
import { cubicSplineKind } from "./cubicSpline.ts";
import { deepSigmoidalKind } from "./deepSigmoidal.ts";
import { linearSplineKind } from "./linearSpline.ts";
import { quadraticSplineKind } from "./quadraticSpline.ts";
import { rationalQuadraticSplineKind } from "./rationalQuadraticSpline.ts";
import { sumOfSquaresKind } from "./sumOfSquares.ts";

/** Every map of one variable that a model file may hold. To add one, write its file and its line here. */
export const scalarTransformKinds = [
  additiveKind,
  affineKind,
  bernsteinKind,
  circularSplineKind,
  cubicSplineKind,
  deepSigmoidalKind,
  linearSplineKind,
  quadraticSplineKind,
  rationalQuadraticSplineKind,
  sumOfSquaresKind,
] as const;
