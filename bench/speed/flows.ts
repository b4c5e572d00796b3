import type { Flow } from "../../src/flows/flow.ts";
import * as recipes from "../../src/flows/recipes/index.ts";
import { maskedParameters } from "../../src/graph/passes/maskedParameters.ts";
import { input } from "../../src/graph/tensor.ts";
import { Random } from "../../src/random/index.ts";
import { imageFlows, VALUES } from "../images/flows.ts";
import type { Case } from "./cases.ts";

/** Standard deviation of the noise on parameters: about the change that training makes. */
const PARAMETER_NOISE = 0.02;

/** The flow of a case, with noise on its parameters, since an untrained flow is the identity. */
export function flowOf(benchCase: Case): Flow {
  const flow = untrained(benchCase);
  const random = new Random(0).split("bench");
  for (const [path, parameter] of flow.parameters()) {
    const noise = random.split(path).normal(new Float32Array(parameter.numbers.length));
    parameter.take(noise.map((e, i) => parameter.numbers[i] + PARAMETER_NOISE * e));
  }
  // Masked weights are 0, as in a trained flow.
  for (const { parameter, mask } of maskedParameters([flow.logProb(input("x", ["N", benchCase.dim]))]))
    parameter.take(parameter.numbers.map((value, i) => value * mask[i]));
  return flow;
}

/** A flow of images (`imageFlows`), or of a recipe. */
function untrained({ flow: name, dim, transforms, hidden }: Case): Flow {
  if (name in imageFlows) return imageFlows[name]();
  const recipe = Object.entries(recipes).find(
    ([key]) => key.toLowerCase().replace(/flow$/, "") === name,
  )?.[1];
  if (!recipe) throw new Error(`no recipe ${name}; there are ${Object.keys(recipes).join(", ")}`);
  return recipe(dim, { ...(transforms && { transforms }), ...(hidden && { hidden }) });
}

/** Rows to train on or to score: random pixels for a flow of images, and otherwise standard normal numbers. */
export function rowsOf({ flow, dim }: Case, rows: number): Float32Array {
  if (!(flow in imageFlows)) return normalRows(rows, dim);
  const uniform = new Random(1).split("rows").uniform(new Float32Array(rows * dim));
  return uniform.map((u) => Math.floor(VALUES * u));
}

/** Rows of standard normal numbers. */
export const normalRows = (rows: number, dim: number): Float32Array =>
  new Random(1).split("rows").normal(new Float32Array(rows * dim));
