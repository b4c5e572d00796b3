import { grad } from "../graph/index.ts";
import { compile, type EngineOptions, engineOptionsOf, inFloat64 } from "../runtime/index.ts";
import { formatRow } from "../train/index.ts";
import { constrainedDraws } from "./draws.ts";
import type { Declarations, ProbabilisticModel } from "./model.ts";

/** The parameters at a point of the unconstrained coordinates, for messages: `mu = 1.2, theta = (0.3, 0.4)`. */
export async function describePoint<D extends Declarations>(
  model: ProbabilisticModel<D>,
  position: Float64Array,
  engine: EngineOptions,
): Promise<string> {
  const draw: Readonly<Record<string, Float64Array>> = await constrainedDraws(model, position, engine);
  return Object.entries(draw)
    .map(
      ([name, values]) =>
        `${name} = ${values.length === 1 ? Number(values[0].toPrecision(4)) : formatRow(values)}`,
    )
    .join(", ");
}

/** Says which part of the log-density or of its gradient is not finite at a point: `term 1 of the log-density is NaN`. */
export async function describeNonFinite<D extends Declarations>(
  model: ProbabilisticModel<D>,
  position: Float64Array,
  { providers }: EngineOptions,
): Promise<string> {
  const names: string[] = [];
  await using compiled = compile(
    (u) => {
      const terms = Object.entries(model.terms(u));
      names.push(...terms.map(([name]) => name));
      return Object.fromEntries(
        terms.flatMap(([_, term], i) => [
          [`term${i}`, term.broadcastTo(["N"])],
          [`gradient${i}`, grad(term.sum(), [u])[0]],
        ]),
      );
    },
    { u: ["N", model.features] },
    inFloat64(engineOptionsOf({ providers })),
  );
  const values: Readonly<Record<string, ArrayLike<number>>> = await compiled(position);
  const bad = names.findIndex((_, i) => !Number.isFinite(values[`term${i}`][0]));
  if (bad >= 0) return `${names[bad]} is ${values[`term${bad}`][0]}`;
  const steep = names.findIndex((_, i) => !Array.from(values[`gradient${i}`]).every(Number.isFinite));
  return steep >= 0 ? `the gradient of ${names[steep]} is not finite` : "the log-density is not finite";
}
