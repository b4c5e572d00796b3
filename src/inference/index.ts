/** Models of named parameters, draws from their posteriors, and simulators. */

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
export { deterministic } from "./deterministic.ts";
export { type Draws, drawTable } from "./draws.ts";
export { type InferResult, infer } from "./infer.ts";
export type { InferOptions, InferProgress } from "./inferOptions.ts";
export { logProb } from "./logProb/index.ts";
export type { Argument } from "./logProb/operands.ts";
export {
  coordinateNames,
  type Declarations,
  elementNames,
  model,
  type ProbabilisticModel,
  type RowLikelihood,
  type Terms,
  type ValuesOf,
} from "./model.ts";
export { type Prior, prior } from "./prior.ts";
export { type SimulationCalibrationOptions, simulationBasedCalibration } from "./simulation/calibration.ts";
export type { ConditionalDensityOptions } from "./simulation/conditionalDensity.ts";
export {
  type FitLikelihoodOptions,
  fitLikelihood,
  SimulationLikelihood,
} from "./simulation/fitLikelihood.ts";
export { type FitPosteriorOptions, fitPosterior } from "./simulation/fitPosterior.ts";
export {
  type InferSimulatorOptions,
  type InferSimulatorResult,
  inferSimulator,
  type SimulationVerdict,
} from "./simulation/inferSimulator.ts";
export { checkObservation, type ObservationCheck } from "./simulation/observation.ts";
export { SimulationPosterior } from "./simulation/posterior.ts";
export {
  type PredictiveCheck,
  type PredictiveOptions,
  posteriorPredictive,
} from "./simulation/predictive.ts";
export type { ParameterValues } from "./simulation/priorCoordinates.ts";
export { type Simulations, simulate } from "./simulation/simulate.ts";
export { type Priors, type SimulatedParameters, type Simulator, simulator } from "./simulation/simulator.ts";
export { choleskyCorrelation, ordered, positiveOrdered, simplex } from "./structuredConstraints.ts";
export type { ParameterSummary } from "./summary.ts";
export type { Verdict } from "./verdict.ts";
