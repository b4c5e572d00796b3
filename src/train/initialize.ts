import type { Bijection } from "../bijections/bijection.ts";
import { Chain } from "../bijections/chain.ts";
import { StandardizeContext } from "../bijections/standardizeContext.ts";
import { ConstantFeatures } from "../distributions/constantFeatures.ts";
import type { ContextEmbedding } from "../distributions/contextEmbedding.ts";
import type { Distribution } from "../distributions/distribution.ts";
import { Ensemble } from "../distributions/ensemble.ts";
import { Mixture } from "../distributions/mixture.ts";
import { TransformedDistribution } from "../distributions/transformedDistribution.ts";
import type { Flow } from "../flows/flow.ts";
import type { Limits } from "../limits.ts";
import { Random } from "../random/index.ts";
import { compile } from "../runtime/compile.ts";
import { asDataRows, selectRows, type TrainingRows } from "./rows.ts";

/** Rows that are enough for a start. */
const ENOUGH = 20_000;

/**
 * Sets what a flow takes from data (scales, actnorm, mixture components), from the data side to the base: each part sees
 * the rows as the parts before it leave them. Held-out rows, as they arrive at the base, may judge choices made there.
 */
export async function initialize(
  flow: Flow,
  data: TrainingRows,
  heldOut?: TrainingRows,
  limits: Limits = {},
): Promise<void> {
  await settleDistribution(flow, heldOut ? [data, heldOut] : [data], limits);
}

/** Fits a distribution and all inside it to the first of `sets`; the second one judges. */
async function settleDistribution(
  distribution: Distribution,
  sets: TrainingRows[],
  limits: Limits,
): Promise<void> {
  if (distribution instanceof TransformedDistribution) {
    const { base, bijection, embedding } = distribution;
    embedding?.fitToData(asDataRows(sets[0]));
    const given = embedding ? await Promise.all(sets.map((rows) => embedded(embedding, rows))) : sets;
    await settleDistribution(base, await settle(bijection, given, distributionTakesData(base)), limits);
  } else if (distribution instanceof Ensemble) {
    await settleDistribution(distribution.distribution, sets, limits);
  } else if (distribution instanceof ConstantFeatures) {
    const others = sets.map((rows) => ({ ...rows, values: distribution.varyingOf(rows.values) }));
    await settleDistribution(distribution.distribution, others, limits);
  } else if (distribution instanceof Mixture) {
    for (const component of distribution.distributions) await settleDistribution(component, sets, limits);
  } else {
    const [rows, judges] = sets.map(asDataRows);
    await distribution.fitToData?.(rows, judges, limits);
  }
}

function distributionTakesData(distribution: Distribution): boolean {
  if (distribution instanceof Ensemble || distribution instanceof ConstantFeatures) {
    return distributionTakesData(distribution.distribution);
  }
  if (distribution instanceof Mixture) return distribution.distributions.some(distributionTakesData);
  if (!(distribution instanceof TransformedDistribution)) return distribution.fitToData !== undefined;
  const { base, bijection, embedding } = distribution;
  return embedding !== undefined || takesData(bijection) || distributionTakesData(base);
}

/**
 * Fits a bijection and all inside it to the first of `sets`, and gives the sets as they leave it, if what comes `after`
 * has to see them.
 */
async function settle(bijection: Bijection, sets: TrainingRows[], after: boolean): Promise<TrainingRows[]> {
  if (bijection instanceof Chain) {
    const parts = [...bijection.bijections].reverse();
    let passed = sets;
    for (const [i, part] of parts.entries()) {
      const later = after || parts.slice(i + 1).some(takesData);
      if (later || takesData(part)) passed = await settle(part, passed, later);
    }
    return passed;
  }
  bijection.fitToData?.(asDataRows(sets[0]));
  if (bijection instanceof StandardizeContext) {
    const scaled = sets.map((rows) => ({ ...rows, context: bijection.scaler.toLatent(rows.context) }));
    const passed = await settle(bijection.bijection, scaled, after);
    return passed.map((rows) => ({ ...rows, context: bijection.scaler.toData(rows.context) }));
  }
  return after ? Promise.all(sets.map((rows) => through(bijection, thinned(rows)))) : sets;
}

const takesData = (bijection: Bijection): boolean =>
  bijection.fitToData !== undefined || (bijection instanceof Chain && bijection.bijections.some(takesData));

/** Some of the rows at random, where they are many. */
export function thinned(rows: TrainingRows): TrainingRows {
  if (rows.rows <= ENOUGH) return rows;
  const order = new Random(0).split("initialize").permutation(rows.rows);
  return selectRows(rows, order.subarray(0, ENOUGH).sort());
}

async function embedded(embedding: ContextEmbedding, rows: TrainingRows): Promise<TrainingRows> {
  const map = compile((context) => embedding.apply(context), [["N", embedding.context]], {
    precision: "float64",
  });
  const context = (await map(rows.context)) as Float64Array;
  await map.release();
  return { ...rows, context };
}

async function through(part: Bijection, rows: TrainingRows): Promise<TrainingRows> {
  const conditional = part.context > 0;
  const width = rows.context.length / rows.rows;
  const map = compile(
    (x, context) => part.inverse(x, conditional ? context : undefined).value,
    width > 0
      ? [
          ["N", part.features],
          ["N", width],
        ]
      : [["N", part.features]],
    { precision: "float64" },
  );
  const values = (await map(...(width > 0 ? [rows.values, rows.context] : [rows.values]))) as Float64Array;
  await map.release();
  return { ...rows, values };
}
