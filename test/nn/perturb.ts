import type { Parameter } from "../../src/graph/parameter.ts";
import { Random } from "../../src/random/index.ts";

/** Adds normal noise to every trainable parameter, in float64, so that a test does not depend on special initial values. */
export function perturb(parameters: ReadonlyMap<string, Parameter>, scale = 0.3, seed = 1): void {
  const random = new Random(seed).split("perturb");
  for (const [name, parameter] of parameters) {
    if (!parameter.trainable) continue;
    const noise = random.split(name).normal(new Float64Array(parameter.value.length));
    parameter.value = noise.map((e, i) => parameter.value[i] + scale * e);
  }
}
