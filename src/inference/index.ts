export {
  above,
  type Bound,
  below,
  type Constraint,
  type EarlierValues,
  interval,
  matrix,
  positive,
  type RealOptions,
  real,
  vector,
} from "./constraint.ts";
export { type DataInput, data } from "./data.ts";
export type { Draws } from "./draws.ts";
export { type InferResult, infer } from "./infer.ts";
export type { InferOptions, InferProgress } from "./inferOptions.ts";
export { logProb } from "./logProb/index.ts";
export type { Argument } from "./logProb/operands.ts";
export {
  type Declarations,
  model,
  type ProbabilisticModel,
  type RowLikelihood,
  type Terms,
  type ValuesOf,
} from "./model.ts";
export { choleskyCorrelation, ordered, positiveOrdered, simplex } from "./structuredConstraints.ts";
export type { ParameterSummary } from "./summary.ts";
export type { Verdict } from "./verdict.ts";
