import { anyValue, checkOptions, PushforwardError, seedValue } from "../check/index.ts";
import { Dequantized, type DequantizedOptions, TransformedDistribution } from "../distributions/index.ts";
import { checkFlow } from "./checkParts.ts";
import { Flow } from "./flow.ts";

/** Options of `dequantize`. */
export interface DequantizeOptions extends Omit<DequantizedOptions, "distribution" | "values"> {
  /**
   * The number of values of a feature, which are 0, 1, ... values - 1. Pixels of 8 bits have 256. Or a list with the number of each
   * feature, where null stands for real numbers. By default it follows from the support of the flow, which for the recipes of images
   * other than `nice` is from -d to values + d.
   */
  values?: number | readonly (number | null)[] | undefined;
}

/**
 * The distribution of integers, such as pixels, from the density `flow` of real numbers; see `Dequantized`. It shares the
 * parameters of `flow`, so training one trains both.
 *
 * @throws ARGUMENT if the options are not valid, if `values` is missing and does not follow from the support, or if the support does not
 *   contain all numbers from 0 to `values`.
 */
export function dequantize(flow: Flow, options: DequantizeOptions = {}): Flow {
  checkFlow("dequantize", flow);
  checkOptions("dequantize", options, {
    values: anyValue,
    dequantizer: anyValue,
    samples: anyValue,
    seed: seedValue,
  });
  const { base, bijection, embedding } = flow;
  if (base.values !== undefined) {
    throw new PushforwardError("ARGUMENT", "the flow is already a distribution of integers", {
      expected: "a density of real numbers",
      hint: "Use the flow as it is, or leave out the option dequantization of its recipe.",
    });
  }
  const { values = valuesFromSupport(flow), ...settings } = options;
  checkSupport(flow, values);
  const distribution = new TransformedDistribution(base, bijection);
  return new Flow(new Dequantized({ distribution, values, ...settings }), undefined, embedding);
}

/** Throws `ARGUMENT` if a cell of a value is not in the support of the flow. */
function checkSupport({ support }: Flow, values: DequantizeOptions["values"]): void {
  if (typeof support !== "object" || !("min" in support)) return;
  // `Dequantized` checks the numbers; real numbers have null.
  const counts = [values].flat().filter((count) => typeof count === "number");
  const largest = counts.reduce((a, b) => Math.max(a, b), 0);
  if (counts.length === 0 || (support.min <= 0 && support.max >= largest)) return;
  throw new PushforwardError("ARGUMENT", "the support of the flow does not contain all values", {
    expected: `[0, ${largest}] within the support, for ${largest} values`,
    received: `the support from ${support.min} to ${support.max}`,
    hint: "Give the recipe of the flow and dequantize the same number of values.",
  });
}

/** The number of values of a flow with the support from -d to values + d. */
function valuesFromSupport({ support }: Flow): number {
  const values = typeof support === "object" && "min" in support ? Math.round(support.min + support.max) : 0;
  if (values >= 2) return values;
  throw new PushforwardError("ARGUMENT", "dequantize needs the number of values of a feature", {
    hint: "Give it as { values: 256 } for pixels of 8 bits.",
  });
}
