import { distributionRegistry, registerAllKinds } from "../../distributions/index.ts";
import type { DescriptionOf } from "../../parts/index.ts";
import { constantFeaturesKind } from "./constantFeatures.ts";
import { kernelDensityKind } from "./kernelDensity.ts";
import { latentClassesKind } from "./latentClasses.ts";
import { mixedGaussianMixtureKind } from "./mixedGaussianMixture.ts";
import { mixedMadeKind } from "./mixedMade.ts";

/** The densities of tables that a model file may contain. A new one is one file and one line here. */
export const tableDensityKinds = [
  constantFeaturesKind,
  kernelDensityKind,
  latentClassesKind,
  mixedGaussianMixtureKind,
  mixedMadeKind,
] as const;

/** The description of a density of tables. */
export type TableDensityDescription = DescriptionOf<typeof tableDensityKinds>;

/** Adds the densities of tables, and all kinds of the core, to the registries that build descriptions. */
export function registerTableDensities(): void {
  registerAllKinds();
  distributionRegistry.add(tableDensityKinds);
}
