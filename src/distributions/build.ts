import { z } from "zod";
import type { Random } from "../random/index.ts";
import { DiagonalNormal, diagonalNormalSchema } from "./diagonalNormal.ts";
import type { Distribution } from "./distribution.ts";
import { GaussianMixture, gaussianMixtureSchema } from "./gaussianMixture.ts";
import { Logistic, logisticSchema } from "./logistic.ts";
import { StandardNormal, standardNormalSchema } from "./standardNormal.ts";
import { StudentT, studentTSchema } from "./studentT.ts";
import { Uniform, uniformSchema } from "./uniform.ts";

/** Every base distribution that a model file may hold. */
export const distributionSchema = z.discriminatedUnion("type", [
  diagonalNormalSchema,
  gaussianMixtureSchema,
  logisticSchema,
  standardNormalSchema,
  studentTSchema,
  uniformSchema,
]);

export type DistributionDescription = z.output<typeof distributionSchema>;

/** Makes a distribution from its description; `random` gives the starting parameters. */
export function buildDistribution(description: DistributionDescription, random: Random): Distribution {
  switch (description.type) {
    case "diagonalNormal":
      return new DiagonalNormal(description);
    case "gaussianMixture":
      return new GaussianMixture(description, random);
    case "logistic":
      return new Logistic(description);
    case "standardNormal":
      return new StandardNormal(description);
    case "studentT":
      return new StudentT({ features: description.features, degreesOfFreedom: description.degreesOfFreedom });
    case "uniform":
      return new Uniform({ features: description.features, low: description.low, high: description.high });
  }
}
