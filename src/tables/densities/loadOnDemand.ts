/** Loads the densities of tables and their fits, which a page needs only for a model that has them, as one chunk. */
export const loadOnDemand = () => import("./onDemand.ts");
