import type { Bijection } from "../bijections/bijection.ts";
import { Chain } from "../bijections/chain.ts";
import type { Flow } from "../flows/flow.ts";
import { Random } from "../random/index.ts";
import { compile } from "../runtime/compile.ts";
import { asDataRows, selectRows, type TrainingRows } from "./rows.ts";

/** Rows that are enough for a start. */
const ENOUGH = 20_000;

/**
 * Sets what a flow takes from data (scales, actnorm, mixture components), from the data side to the base: each part sees
 * the rows as the parts before it leave them. Held-out rows, as they arrive at the base, may judge choices made there.
 */
export async function initialize(flow: Flow, data: TrainingRows, heldOut?: TrainingRows): Promise<void> {
  const parts = flow.bijection instanceof Chain ? [...flow.bijection.bijections].reverse() : [flow.bijection];
  const last = flow.base.fitToData ? parts.length : parts.findLastIndex((part) => part.fitToData);
  let rows = data;
  let judges = heldOut;
  for (const [i, part] of parts.entries()) {
    part.fitToData?.(asDataRows(rows));
    if (i >= last) return;
    if (rows.rows > ENOUGH) {
      const chosen = new Random(0).split("initialize").permutation(rows.rows).slice(0, ENOUGH).sort();
      rows = selectRows(rows, chosen);
    }
    rows = await through(part, rows);
    judges &&= await through(part, judges);
  }
  flow.base.fitToData?.(asDataRows(rows), judges && asDataRows(judges));
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
