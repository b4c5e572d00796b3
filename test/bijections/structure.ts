import { expect } from "vitest";
import type { Description } from "../../src/description.ts";
import type { Floats } from "../../src/runtime/compile.ts";

/**
 * The zeros of Jacobians [ROWS, D, D] are exact where an autoregressive bijection looks at features that come later in
 * its order, or a coupling at anything but what it keeps; and all other features are used. Other kinds are not checked.
 */
export function expectStructure(
  description: Description,
  { forward, inverse }: { forward: Floats; inverse: Floats },
): void {
  if (description.type === "autoregressive") {
    const order = description.order as number[];
    const { hidden } = description.network as { hidden: number[] };
    const before = (i: number, j: number) => order.indexOf(j) < order.indexOf(i);
    // With fewer hidden units than features some features are not seen by all that follow.
    const all = Math.min(...hidden) >= order.length;
    for (const matrices of [forward, inverse]) expectPattern(matrices, order.length, before, all);
  }
  if (description.type === "coupling" || description.type === "realNVPCoupling") {
    const mask = description.mask as boolean[];
    const coupled = (i: number, j: number) => mask[j] && !mask[i];
    for (const matrices of [forward, inverse]) expectPattern(matrices, mask.length, coupled, true);
  }
}

/** Beside a positive diagonal, output i depends on inputs j where `allowed`, with `all` on each of these in some row. */
function expectPattern(
  matrices: Floats,
  size: number,
  allowed: (i: number, j: number) => boolean,
  all: boolean,
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
  if (all) expect([...used].sort()).toEqual(expected.sort());
}
