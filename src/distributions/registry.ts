import { diagonalNormalKind } from "./diagonalNormal.ts";
import { gaussianMixtureKind } from "./gaussianMixture.ts";
import { logisticKind } from "./logistic.ts";
import { madeKind } from "./made.ts";
import { mixtureKind } from "./mixture.ts";
import { standardNormalKind } from "./standardNormal.ts";
import { studentTKind } from "./studentT.ts";
import { transformedDistributionKind } from "./transformedDistribution.ts";
import { uniformKind } from "./uniform.ts";

/** Every base distribution that a model file may hold. To add one, write its file and its line here. */
export const distributionKinds = [
  diagonalNormalKind,
  gaussianMixtureKind,
  logisticKind,
  madeKind,
  mixtureKind,
  standardNormalKind,
  studentTKind,
  transformedDistributionKind,
  uniformKind,
] as const;
