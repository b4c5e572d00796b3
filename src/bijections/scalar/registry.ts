import { type AdditiveOptions, additiveKind } from "./additive.ts";
import { type AffineOptions, affineKind } from "./affine.ts";
import { type BernsteinOptions, bernsteinKind } from "./bernstein.ts";
import type { MonotonicSplineOptions } from "./bins.ts";
import { type CircularSplineOptions, circularSplineKind } from "./circularSpline.ts";
import { cubicSplineKind } from "./cubicSpline.ts";
import { type DeepSigmoidalOptions, deepSigmoidalKind } from "./deepSigmoidal.ts";
import { type GaussianizationTransformOptions, gaussianizationKind } from "./gaussianization.ts";
import { linearSplineKind } from "./linearSpline.ts";
import { type MonotonicNetworkOptions, monotonicNetworkKind } from "./monotonicNetwork.ts";
import { quadraticSplineKind } from "./quadraticSpline.ts";
import { rationalQuadraticSplineKind } from "./rationalQuadraticSpline.ts";
import { type SumOfSquaresOptions, sumOfSquaresKind } from "./sumOfSquares.ts";

/** Every scalar transform that a model file may hold. */
export const scalarTransformKinds = [
  additiveKind,
  affineKind,
  bernsteinKind,
  circularSplineKind,
  cubicSplineKind,
  deepSigmoidalKind,
  gaussianizationKind,
  linearSplineKind,
  monotonicNetworkKind,
  quadraticSplineKind,
  rationalQuadraticSplineKind,
  sumOfSquaresKind,
] as const;

/** Which scalar transform a coupling, an autoregressive or an elementwise bijection applies to each feature. */
export type ScalarTransformOptions =
  | AdditiveOptions
  | AffineOptions
  | BernsteinOptions
  | CircularSplineOptions
  | DeepSigmoidalOptions
  | GaussianizationTransformOptions
  | MonotonicNetworkOptions
  | MonotonicSplineOptions
  | SumOfSquaresOptions;
