/** nflows, normflows, zuko, flowjax, distrax and TensorFlow Probability, pyro, and others. */
export const PEERS = ["nflows", "normflows", "zuko", "flowjax", "distrax / TFP", "pyro", "others"] as const;

export interface MatrixRow {
  readonly feature: string;
  /** Registered types, or words where it is not a type. */
  readonly ours: readonly string[] | string;
  /** In the order of `PEERS`. */
  readonly peers: readonly string[];
}

export const matrix: readonly MatrixRow[] = [
  {
    feature: "base distributions",
    ours: [
      "cauchy",
      "diagonalNormal",
      "gaussianMixture",
      "generalizedNormal",
      "laplace",
      "logistic",
      "made",
      "resampled",
      "standardNormal",
      "studentT",
      "uniform",
      "vonMises",
    ],
    peers: [
      "normal, diagonal, MADE mixture",
      "normal, mixture, class-conditional, resampled",
      "mixture, box, truncated",
      "12 and more",
      "very many",
      "very many",
      "Cauchy, mixture, Beta, Student t",
    ],
  },
  {
    feature: "planar, radial",
    ours: ["planar", "radial"],
    peers: [
      "–",
      "Y (planar inverse for leaky relu only)",
      "–",
      "planar",
      "–",
      "Y (no inverse)",
      "torchflows",
    ],
  },
  { feature: "Sylvester", ours: ["sylvester"], peers: ["–", "–", "–", "–", "–", "Y", "torchflows"] },
  {
    feature: "NICE",
    ours: ["coupling", "additive", "diagonalScaling"],
    peers: ["Y", "Y", "P", "Y", "Y", "P", "torchflows"],
  },
  {
    feature: "affine coupling",
    ours: ["coupling", "realNVPCoupling"],
    peers: ["Y", "Y", "Y", "Y", "Y", "Y", "all"],
  },
  {
    feature: "checkerboard, squeeze, multi-scale",
    ours: "–",
    peers: ["P", "Y", "–", "–", "– / Glow", "–", "torchflows"],
  },
  {
    feature: "MADE, MAF",
    ours: ["made", "autoregressive"],
    peers: ["Y", "Y", "Y", "Y", "– / Y", "Y", "torchflows"],
  },
  {
    feature: "IAF",
    ours: ["invert"],
    peers: ["inverted", "inverted", "inverted", "a flag", "inverted", "Y", "torchflows"],
  },
  {
    feature: "order-agnostic MADE, ensembles over orders",
    ours: ["made", "ensemble"],
    peers: ["–", "–", "–", "–", "–", "–", "mgermain, karpathy (of logits)"],
  },
  {
    feature: "orderings",
    ours: "any permutation, or drawn for every batch",
    peers: [
      "permutations, random masks",
      "permutations",
      "any adjacency without cycles",
      "permutations",
      "– / random",
      "permutations",
      "–",
    ],
  },
  {
    feature: "rational-quadratic splines",
    ours: ["rationalQuadraticSpline"],
    peers: ["both", "both", "both", "both", "coupling / elementwise", "both", "torchflows, pzflow, flowMC"],
  },
  {
    feature: "linear, quadratic, cubic splines",
    ours: ["linearSpline", "quadraticSpline", "cubicSpline"],
    peers: ["all", "–", "–", "–", "–", "linear rational", "torchflows"],
  },
  {
    feature: "NAF, UMNN, BNAF",
    ours: ["deepSigmoidal", "monotonicNetwork", "blockAutoregressive"],
    peers: ["UMNN", "–", "NAF, UNAF", "BNAF", "–", "NAF, BNAF (no inverse)", "torchflows"],
  },
  {
    feature: "actnorm, batch norm",
    ours: ["actnorm", "batchNorm"],
    peers: ["Y, Y", "Y, Y", "–", "–", "– / batch norm", "batch norm", "torchflows"],
  },
  {
    feature: "LU, QR, Householder, matrix exponential",
    ours: ["luLinear", "qrLinear", "householder", "matrixExponential"],
    peers: [
      "LU, QR, SVD, Householder",
      "LU",
      "LU, rotation",
      "triangular, Householder",
      "LU, Householder",
      "Householder, matrix exponential",
      "torchflows",
    ],
  },
  { feature: "1x1 convolution", ours: "–", peers: ["Y", "Y", "–", "–", "Y", "Y", "–"] },
  {
    feature: "residual, i-ResNet",
    ours: ["residual"],
    peers: ["–", "Y", "–", "–", "–", "–", "torchflows, residual-flows"],
  },
  {
    feature: "continuous (FFJORD)",
    ours: ["continuous"],
    peers: ["–", "–", "Y", "–", "– / Y", "–", "torchflows"],
  },
  {
    feature: "flow matching",
    ours: '`fit` with `objective: "flowMatching"`',
    peers: ["–", "–", "–", "–", "–", "–", "flowMC, sbi, bayesflow"],
  },
  {
    feature: "sums of squares, Bernstein, Gaussianization",
    ours: ["sumOfSquares", "bernstein", "gaussianization"],
    peers: ["–", "–", "Y", "–", "–", "polynomials", "–"],
  },
  {
    feature: "circles and tori",
    ours: ["circularSpline", "vonMises"],
    peers: ["–", "Y", "Y", "–", "–", "–", "–"],
  },
  {
    feature: "logit, dequantization",
    ours: "`sigmoid` inverted, –",
    peers: ["logit", "logit, jitter", "–", "sigmoid", "–", "–", "pzflow (without effect)"],
  },
  {
    feature: "context (conditional)",
    ours: "Y",
    peers: ["Y", "Y", "Y", "Y", "by hand / Y", "Y", "torchflows, pzflow"],
  },
  {
    feature: "embedding of the context, class labels",
    ours: "`ContextEmbedding`",
    peers: [
      "embedding network",
      "class-conditional flow",
      "by hand",
      "by hand",
      "by hand",
      "by hand",
      "sbi (embedding network)",
    ],
  },
  {
    feature: "mixtures of flows",
    ours: ["mixture", "transformedDistribution"],
    peers: ["–", "–", "Y", "Y", "Y", "–", "–"],
  },
  {
    feature: "reverse KL, alpha-divergence",
    ours: "`fitDensity`, –",
    peers: ["–", "both", "tutorial", "reverse KL", "– / f-divergences", "reverse KL", "torchflows"],
  },
  { feature: "flow-VAE", ours: "–", peers: ["–", "Y", "tutorial", "–", "example", "tutorial", "–"] },
  { feature: "stochastic flows", ours: "–", peers: ["–", "Y", "–", "–", "–", "–", "–"] },
  {
    feature: "discrete and mixed data",
    ours: "binary, by `madeFlow`",
    peers: ["–", "–", "–", "–", "– / Y", "–", "sbi"],
  },
  {
    feature: "fit with validation and early stopping",
    ours: "Y, resumable",
    peers: ["–", "–", "–", "Y", "–", "–", "torchflows, pzflow, sbi"],
  },
  {
    feature: "safe saved models",
    ours: "safetensors",
    peers: ["pickle", "pickle", "pickle", "Y", "Y", "pickle", "–"],
  },
  { feature: "samples with their log-density", ours: "Y", peers: ["Y", "Y", "Y", "Y", "Y", "cached", "–"] },
  { feature: "ONNX", ours: "Y", peers: ["–", "–", "–", "–", "–", "–", "–"] },
];
