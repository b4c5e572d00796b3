export { cholesky, solveLower } from "./cholesky.ts";
export { type IntegrateOptions, integrate, type VectorField } from "./integrate.ts";
export { logGamma } from "./logGamma.ts";
export { solveIncreasing } from "./solve.ts";
