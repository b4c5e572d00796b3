export { cholesky, solveLower } from "../graph/numerics/cholesky.ts";
export { type IntegrateOptions, integrate, type VectorField } from "../graph/numerics/integrate.ts";
export { logGamma } from "../graph/numerics/logGamma.ts";
export { solveIncreasing } from "../graph/numerics/solve.ts";
