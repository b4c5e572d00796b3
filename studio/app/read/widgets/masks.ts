/** The masks of a MADE with one output for each input (Germain et al. 2015). */
export interface Masks {
  /** The degrees of the units of each layer, from the inputs to the outputs. The degree of an input is its position in the ordering. */
  readonly degrees: readonly (readonly number[])[];
  /** weights[layer][to][from]: whether there is a weight from a unit to a unit of the next layer. */
  readonly weights: readonly (readonly (readonly boolean[])[])[];
}

/** Draws an ordering of the inputs and the degrees of the hidden units. `random` returns numbers in [0, 1). */
export function drawMasks(inputs: number, hidden: readonly number[], random: () => number): Masks {
  const ordering = Array.from({ length: inputs }, (_, i) => ({ degree: i + 1, key: random() }));
  const inputDegrees = ordering.toSorted((a, b) => a.key - b.key).map(({ degree }) => degree);
  let minDegree = 1;
  const hiddenDegrees = hidden.map((units) => {
    const degrees = Array.from(
      { length: units },
      () => minDegree + Math.floor(random() * (inputs - minDegree)),
    );
    // A unit with a smaller degree than all units of the previous layer would have no inputs.
    minDegree = Math.min(...degrees);
    return degrees.toSorted((a, b) => a - b);
  });
  const degrees = [inputDegrees, ...hiddenDegrees, inputDegrees];
  const weights = degrees.slice(1).map((to, layer) => {
    const isLast = layer === degrees.length - 2;
    return to.map((degree) => degrees[layer]!.map((from) => (isLast ? from < degree : from <= degree)));
  });
  return { degrees, weights };
}

/** The units and weights on the paths from the inputs to an output. */
export function paths({ degrees, weights }: Masks, output: number) {
  const units = degrees.map((layer) => layer.map(() => false));
  const edges = weights.map((layer) => layer.map((row) => row.map(() => false)));
  units.at(-1)![output] = true;
  for (let layer = weights.length - 1; layer >= 0; layer--)
    weights[layer]!.forEach((row, to) => {
      if (!units[layer + 1]![to]) return;
      row.forEach((allowed, from) => {
        if (!allowed) return;
        units[layer]![from] = true;
        edges[layer]![to]![from] = true;
      });
    });
  return { units, edges };
}

/** The inputs on which an output depends. */
export const dependencies = (masks: Masks, output: number): number[] =>
  paths(masks, output).units[0]!.flatMap((isOnPath, i) => (isOnPath ? [i] : []));
