import type { Flow } from "../flows/flow.ts";
import type { Limits } from "../limits.ts";
import { asDataRows, type TrainingRows } from "./rows.ts";

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
  await flow.fitToData?.(asDataRows(data), heldOut && asDataRows(heldOut), limits);
}
