import { additiveKind } from "./additive.ts";
import { affineKind } from "./affine.ts";
import { bernsteinKind } from "./bernstein.ts";
import { deepSigmoidalKind } from "./deepSigmoidal.ts";
import { gaussianizationKind } from "./gaussianization.ts";
import { monotonicNetworkKind } from "./monotonicNetwork.ts";
import { rationalQuadraticSplineKind } from "./rationalQuadraticSpline.ts";
import { sumOfSquaresKind } from "./sumOfSquares.ts";

/** Every map of one variable that a model file may hold. To add one, write its file and its line here. */
export const scalarTransformKinds = [
  additiveKind,
  affineKind,
  bernsteinKind,
  deepSigmoidalKind,
  gaussianizationKind,
  monotonicNetworkKind,
  rationalQuadraticSplineKind,
  sumOfSquaresKind,
] as const;
