import * as z from "zod/mini";
import { sizeSchema } from "../../description.ts";
import type { Knots } from "./quantileMap.ts";

/** Columns with more cells are treated as continuous: float32 holds the middle of a cell only up to here. */
export const MAX_CELLS = 2 ** 17;

const finite = z.number().check(z.minimum(-1e30), z.maximum(1e30));
const ascending = z.array(finite).check(
  z.minLength(2),
  z.maxLength(1024),
  z.refine((values) => values.every((value, i) => i === 0 || value > values[i - 1]), {
    error: "numbers in ascending order",
  }),
);

const knotsSchema = z
  .strictObject({
    x: ascending,
    z: ascending,
    slope: z.array(z.number().check(z.minimum(1e-15), z.maximum(1e15))),
  })
  .check(
    z.refine(({ x, z: values, slope }) => x.length === values.length && x.length === slope.length, {
      error: "as many values and slopes as points",
    }),
  );

const numeric = {
  knots: knotsSchema,
  /** K, the number of logistic components. */
  components: z._default(sizeSchema.check(z.maximum(256)), 8),
  /** Single values with a probability of their own. */
  atoms: z._default(z.array(finite).check(z.maxLength(1024)), []),
  /** Periods in the units of the column, such as 24 for a time in hours: other columns see the phases. */
  periods: z._default(z.array(z.number().check(z.positive())).check(z.maxLength(16)), []),
  gaps: z._default(z.boolean(), false),
};

/** The head of a column: how its conditional distribution is written. */
export const columnHeadSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("categorical"),
    categories: sizeSchema.check(z.maximum(100_000)),
    /** The probability of all categories that training did not see, which have the code `categories`. */
    unseen: z._default(z.number().check(z.minimum(0), z.maximum(0.5)), 0),
    gaps: z._default(z.boolean(), false),
  }),
  z.strictObject({ type: z.literal("lattice"), cells: sizeSchema.check(z.maximum(MAX_CELLS)), ...numeric }),
  z.strictObject({ type: z.literal("continuous"), ...numeric }),
]);

export type ColumnHead = z.output<typeof columnHeadSchema>;

/**
 * What `MixedMade` takes for a column. The value of a column is a number; NaN means a missing value.
 *
 * - `categorical`: 0 ... categories - 1, with a probability each
 * - `lattice`: 0 ... cells - 1, ordered; the probability of a cell is the difference of a smooth distribution function at its
 *   edges, plus that of an atom
 * - `continuous`: a real number with a density; a value that is an atom has a probability instead
 */
export type ColumnHeadOptions = z.input<typeof columnHeadSchema>;

export type { Knots };
