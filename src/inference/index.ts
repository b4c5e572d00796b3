export {
  above,
  type Bound,
  below,
  type Constraint,
  type EarlierValues,
  interval,
  matrix,
  positive,
  real,
  vector,
} from "./constraint.ts";
export { type DataInput, data } from "./data.ts";
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
