import { ancestors, readersOf } from "../grad.ts";
import { concat, constant, filled, type Tensor } from "../tensor.ts";
import { knownTensors, type Replacement, replaced, rewritten } from "./rewrite.ts";

/** A column of ones pays for so many columns of biases, and two more for each column that it is put beside. */
const LEAST_COLUMNS = 32;

/**
 * Makes biases weights of a column of ones: x W + b = [x 1] [W; b]. The runtime copies a bias to all rows before it
 * multiplies, which takes a sixth of the time of a product with 64 inputs, and half of it with few.
 *
 * Few inputs get the column beside them. A relu layer over such inputs gives it to the layers after it, by a unit that sees
 * the ones alone. Only where weights and biases are known when the graph is written.
 */
export function absorbBiases(outputs: readonly Tensor[]): Tensor[] {
  const nodes = ancestors(outputs);
  const { layers, units } = plan(nodes, outputs);
  const withUnit = new Set([...units].map(({ inputs: [layer] }) => layer));
  const ones = filled(1, ["N", 1]);
  /** [x 1] for x. */
  const completed = new Map<Tensor, Tensor>();
  const complete = (x: Tensor, replacement: Replacement): Tensor => {
    const own = replacement.get(x)!;
    const whole = completed.get(x) ?? (units.has(x) ? own : concat([own, ones], 1));
    completed.set(x, whole);
    return whole;
  };
  return rewritten(nodes, outputs, (node, replacement) => {
    if (!layers.has(node)) return replaced(node, replacement);
    const [x, weight, bias] = node.inputs;
    const [rows, columns] = weight.shape as number[];
    const zeros = (count: number) => new Array(count).fill(0);
    const row = bias.rank > 1 ? constant(zeros(columns), [1, columns]) : bias.reshape([1, columns]);
    const whole = concat([weight, row], 0);
    if (bias.rank > 1) return complete(x, replacement).affine(whole, replacement.get(bias)!);
    const unit = constant([...zeros(rows), 1], [rows + 1, 1]);
    return complete(x, replacement).matmul(withUnit.has(node) ? concat([whole, unit], 1) : whole);
  });
}

/** The layers to change, and the relus before some of them whose own layers get a unit that is 1. */
function plan(nodes: readonly Tensor[], outputs: readonly Tensor[]) {
  const known = knownTensors(nodes);
  const readers = readersOf(nodes);
  const layersOver = (x: Tensor): Tensor[] =>
    readers.get(x)!.filter(({ operation, inputs: [input, weight, bias] }) => {
      const fixed = known.has(weight) && (bias?.rank > 1 || known.has(bias));
      return operation.name === "affine" && input === x && fixed;
    });
  const layers = new Set<Tensor>();
  const units = new Set<Tensor>();
  /** Whether x is a relu over few inputs that layers alone read: then a unit more is seen by nobody else. */
  const takesUnit = (x: Tensor): boolean => {
    const [layer] = x.inputs;
    if (x.operation.name !== "relu" || !layers.has(layer) || units.has(layer.inputs[0])) return false;
    const alone = readers.get(layer)!.length === 1 && readers.get(x)!.length === layersOver(x).length;
    return alone && !outputs.includes(layer) && !outputs.includes(x);
  };
  for (const x of nodes) {
    if (x.rank !== 2 || x.shape[0] !== "N") continue;
    const biased = layersOver(x).filter(({ inputs: [, , bias] }) => bias.rank === 1);
    const columns = biased.reduce((sum, { shape }) => sum + (shape[1] as number), 0);
    if (columns < LEAST_COLUMNS) continue;
    if (takesUnit(x)) {
      units.add(x);
      for (const layer of layersOver(x)) layers.add(layer);
    } else if (columns >= LEAST_COLUMNS + 2 * (x.shape[1] as number)) {
      for (const layer of biased) layers.add(layer);
    }
  }
  return { layers, units };
}
