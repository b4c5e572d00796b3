/** Which map of one variable a coupling, an autoregressive or an elementwise bijection applies to each feature. */
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

/** z = x + b (Dinh et al. 2015). */
export interface AdditiveOptions {
  type: "additive";
}

/** z = x exp(a) + b (Dinh et al. 2017). */
export interface AffineOptions {
  type: "affine";
}

/** Monotonic Bernstein polynomial on [-B, B] (Ramasinghe et al. 2021). */
export interface BernsteinOptions {
  type: "bernstein";
  /** n, at most 128. Default 8. */
  degree?: number;
  /** B, in the units of x. Default 5. */
  bound?: number;
}

/** Rational-quadratic spline on the circle [-pi, pi) (Rezende et al. 2020). */
export interface CircularSplineOptions {
  type: "circularSpline";
  /** K, the number of bins, at least 2. Default 8. */
  bins?: number;
}

/** Mixtures of sigmoids (Huang et al. 2018). */
export interface DeepSigmoidalOptions {
  type: "deepSigmoidal";
  /** K, the sigmoids of a layer. Default 8. */
  units?: number;
  /** Layers of sigmoids, each with parameters of its own. Default 1. */
  layers?: number;
}

/** Normal quantiles of the distribution function of a mixture of normals (Meng et al. 2020). */
export interface GaussianizationTransformOptions {
  type: "gaussianization";
  /** K, the number of normals. Default 8. */
  components?: number;
}

/** Integral of a positive network (Wehenkel and Louppe 2019). */
export interface MonotonicNetworkOptions {
  type: "monotonicNetwork";
  /** H, the hidden units of the integrand. Default 8. */
  units?: number;
  /** Points of the quadrature, at most 1024; the network is computed at each of them for every element. Default 48. */
  nodes?: number;
  /** B: integrals run over [-B, B], in the units of x. Default 5. */
  bound?: number;
}

/** Monotonic splines on [-B, B]: Durkan et al. 2019 (rational-quadratic and cubic), Müller et al. 2019 (linear and quadratic). */
export interface MonotonicSplineOptions {
  type: "cubicSpline" | "linearSpline" | "quadraticSpline" | "rationalQuadraticSpline";
  /** K, the number of bins, at least 2. Default 8. */
  bins?: number;
  /** B, in the units of x. Default 5. */
  bound?: number;
  /** `linear`: the identity outside of [-B, B]. `none`: data lie in [-B, B], and slopes at its ends are free. Default `linear`. */
  tails?: "linear" | "none";
}

/** Sum-of-squares polynomial (Jaini et al. 2019). */
export interface SumOfSquaresOptions {
  type: "sumOfSquares";
  /** n, at most 256: the polynomial has degree 2 n + 1. Default 4. */
  degree?: number;
  /** B: the polynomial is that of x on [-B, B], in the units of x, and linear beyond. Default 5. */
  bound?: number;
}
