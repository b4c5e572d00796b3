import { bernoulliKind } from "./bernoulli.ts";
import { cauchyKind } from "./cauchy.ts";
import { dequantizedKind } from "./dequantized.ts";
import { diagonalNormalKind } from "./diagonalNormal.ts";
import { discretizedLogisticKind } from "./discretizedLogistic.ts";
import { ensembleKind } from "./ensemble.ts";
import { gaussianMixtureKind } from "./gaussianMixture.ts";
import { generalizedNormalKind } from "./generalizedNormal.ts";
import { laplaceKind } from "./laplace.ts";
import { logisticKind } from "./logistic.ts";
import { madeKind } from "./made.ts";
import { mixtureKind } from "./mixture.ts";
import { pixelAutoregressiveKind } from "./pixelAutoregressive.ts";
import { resampledKind } from "./resampled.ts";
import { standardNormalKind } from "./standardNormal.ts";
import { studentTKind } from "./studentT.ts";
import { transformedDistributionKind } from "./transformedDistribution.ts";
import { uniformKind } from "./uniform.ts";
import { variationalAutoencoderKind } from "./variationalAutoencoder.ts";
import { vonMisesKind } from "./vonMises.ts";

/** The distributions of the core that a model file may contain. A new distribution is one file and one line here. */
export const distributionKinds = [
  bernoulliKind,
  cauchyKind,
  dequantizedKind,
  diagonalNormalKind,
  discretizedLogisticKind,
  ensembleKind,
  gaussianMixtureKind,
  generalizedNormalKind,
  laplaceKind,
  logisticKind,
  madeKind,
  mixtureKind,
  pixelAutoregressiveKind,
  resampledKind,
  standardNormalKind,
  studentTKind,
  transformedDistributionKind,
  uniformKind,
  variationalAutoencoderKind,
  vonMisesKind,
] as const;
