import { mul } from "../operations/elementwise.ts";
import { constantValues } from "../operations/source.ts";
import { Parameter } from "../parameter.ts";
import { sameShape } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import { ancestors } from "../traversal.ts";

/** A parameter that is read only through its products with a mask, a constant of zeros and ones. */
export interface MaskedParameter {
  readonly parameter: Parameter;
  readonly mask: readonly number[];
  readonly products: readonly Tensor[];
}

/** The masked parameters that `outputs` depend on. */
export function maskedParameters(outputs: readonly Tensor[]): MaskedParameter[] {
  const consumers = new Map<Parameter, Tensor[]>();
  for (const node of ancestors(outputs))
    for (const parent of node.inputs)
      if (parent instanceof Parameter) consumers.set(parent, [...(consumers.get(parent) ?? []), node]);
  return [...consumers].flatMap(([parameter, products]) => {
    const [mask, ...otherMasks] = products.map((product) => maskOf(product, parameter));
    const equal = otherMasks.every((other) => other && mask?.every((m, i) => m === other[i]));
    return mask && equal ? [{ parameter, mask, products }] : [];
  });
}

/** The mask, if the node is the product of the parameter and a mask of its shape. */
function maskOf(
  { operation, inputs: [a, b], shape }: Tensor,
  parameter: Parameter,
): readonly number[] | undefined {
  if (operation !== mul) return undefined;
  const other = a === parameter ? b : a;
  const fits = sameShape(other.shape, shape) && sameShape(parameter.shape, shape);
  const values = constantValues(other);
  return fits && values?.every((m) => m === 0 || m === 1) ? values : undefined;
}
