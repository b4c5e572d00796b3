/**
 * Code that a page loads only when it is used: the kinds that few models have, and fits to data. It is one module because each
 * chunk that a bundler makes costs a page about 1 kB.
 */
export { fitKernelDensity } from "../tables/densities/fitKernelDensity.ts";
export { fitLatentClasses } from "../tables/densities/fitLatentClasses.ts";
export { fitMixedGaussianMixture } from "../tables/densities/fitMixedGaussianMixture.ts";
export { chooseGaussianMixture } from "./mixtureSelection.ts";
export { registerAllKinds } from "./registerAllKinds.ts";
