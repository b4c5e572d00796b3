import { diagonalNormalKind } from "./diagonalNormal.ts";
import { gaussianMixtureKind } from "./gaussianMixture.ts";
import { logisticKind } from "./logistic.ts";
import { madeKind } from "./made.ts";
import { standardNormalKind } from "./standardNormal.ts";
import { studentTKind } from "./studentT.ts";
import { uniformKind } from "./uniform.ts";

/** Every base distribution that a model file may hold. To add one, write its file and its line here. */
export const distributionKinds = [
  diagonalNormalKind,
  gaussianMixtureKind,
  logisticKind,
  madeKind,
  standardNormalKind,
  studentTKind,
  uniformKind,
] as const;
