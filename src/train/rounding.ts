import { sampled } from "../bijections/parts.ts";
import { Standardize } from "../bijections/standardize.ts";
import type { InMemoryDataset } from "../dataset/index.ts";
import { PushforwardError } from "../errors.ts";
import { type Float64Column, float64Column, nestedFloat64Column } from "../flows/float64Column.ts";
import type { Flow } from "../flows/flow.ts";
import { asDataRows } from "./initialize.ts";

/**
 * Throws `DATA` if rounding to float32, in which training computes, is large relative to the deviation of a column: a column
 * of the rows or contexts as they enter the graph, or of the input of a standardization inside the graph.
 */
export function checkRounding(flow: Flow, data: InMemoryDataset): void {
  const { inner, standardize, standardizeContext } = flow.unstandardized();
  const { rows, values, context = new Float64Array(), weights } = sampled(asDataRows(data));
  const check = (what: string, own: Float64Array, features: number, outer: Standardize | undefined) => {
    if (features === 0) return;
    const scale = new Standardize({ features });
    scale.fitToData({ rows, features, values: outer?.toLatent(own) ?? own, weights });
    const found = float64Column(scale);
    if (!found) return;
    const original = new Standardize({ features });
    original.fitToData({ rows, features, values: own, weights });
    const [center, deviation] = [original.center, original.scale].map(({ numbers }) => numbers[found.column]);
    throw tooCoarse(`column ${found.column} of the ${what}`, { ...found, center, deviation });
  };
  check("data", values, flow.features, standardize);
  check("context", context, flow.context, standardizeContext);
  const nested = nestedFloat64Column(inner);
  if (nested) throw tooCoarse(`column ${nested.column} of a standardization inside the flow`, nested);
}

function tooCoarse(what: string, { center, deviation }: Float64Column): PushforwardError {
  const [c, s] = [center, deviation].map((value) => Number(value.toPrecision(4)));
  return new PushforwardError("DATA", `float32, in which a flow is trained, is too coarse for ${what}`, {
    expected: "a deviation of more than 1/8000 of the center",
    received: `center ${c}, deviation ${s}`,
    hint: "Wrap the flow by forTables, which standardizes next to the data in float64, or subtract the center from the column.",
  });
}
