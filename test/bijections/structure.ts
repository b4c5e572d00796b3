import { expect } from "vitest";
import type { Description } from "../../src/parts/description.ts";
import type { Floats } from "../../src/runtime/compile.ts";

/** Whether some elements of the Jacobians of a bijection are 0 by construction. */
export const hasJacobianStructure = ({ type }: Description): boolean =>
  ["autoregressive", "coupling", "realNVPCoupling"].includes(type);

/**
 * Checks which elements of Jacobians [ROWS, D, D] are 0: in an autoregressive bijection output i depends on itself and the features
 * before it in the ordering only, in a coupling on itself and the unchanged features.
 */
export function expectJacobianStructure(
  description: Description,
  { forward, inverse }: { forward: Floats; inverse: Floats },
): void {
  if (description.type === "autoregressive") {
    const order = description.order as number[];
    const { hidden } = description.network as { hidden: number[] };
    const before = (i: number, j: number) => order.indexOf(j) < order.indexOf(i);
    // With fewer hidden units than features, not every output can depend on all preceding features.
    const mustUseAll = Math.min(...hidden) >= order.length;
    for (const matrices of [forward, inverse]) expectPattern(matrices, order.length, before, mustUseAll);
  }
  if (description.type === "coupling" || description.type === "realNVPCoupling") {
    const mask = description.mask as boolean[];
    const coupled = (i: number, j: number) => mask[j] && !mask[i];
    for (const matrices of [forward, inverse]) expectPattern(matrices, mask.length, coupled, true);
  }
}

/** Expects a positive diagonal and zeros except where `allowed`; with `mustUseAll`, each allowed element is not 0 in some row. */
function expectPattern(
  matrices: Floats,
  size: number,
  allowed: (i: number, j: number) => boolean,
  mustUseAll: boolean,
): void {
  const used = new Set<string>();
  matrices.forEach((derivative, k) => {
    const [i, j] = [Math.floor(k / size) % size, k % size];
    if (i === j) expect(derivative).toBeGreaterThan(0);
    else if (!allowed(i, j)) expect(derivative).toBe(0);
    else if (derivative !== 0) used.add(`${i} by ${j}`);
  });
  const features = Array.from({ length: size }, (_, i) => i);
  const expected = features.flatMap((i) =>
    features.filter((j) => i !== j && allowed(i, j)).map((j) => `${i} by ${j}`),
  );
  if (mustUseAll) expect([...used].sort()).toEqual(expected.sort());
}
