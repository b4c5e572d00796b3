import * as continuous from "./continuous.ts";
import * as discrete from "./discrete.ts";
import * as multivariate from "./multivariate.ts";

/**
 * Log-densities and log-probabilities as functions of tensors, in nats, with their normalizing constants, for each element. Arguments
 * are tensors, numbers or arrays of data and are broadcast: data y [n] and a parameter [N] give [N, n]. Outside of the support a
 * log-density is -Infinity with gradient 0.
 */
export const logProb = { ...continuous, ...discrete, ...multivariate };
