/**
 * Code that a page loads only when it is used: the kinds that few models have, and fits to data. It is one module because each
 * chunk that a bundler makes costs a page about 1 kB.
 */
export { chooseGaussianMixture } from "./mixtureSelection.ts";
export { registerAllKinds } from "./registerAllKinds.ts";
