import * as z from "zod/mini";
import { valueScaleSchema } from "../../../bijections/index.ts";
import type { Atoms } from "../../../distributions/index.ts";
import { countSchema, sizeSchema } from "../../../parts/index.ts";
import { MAX_CELLS } from "../../options/index.ts";

const finite = z.number().check(z.minimum(-1e30), z.maximum(1e30));
const ascending = z.array(finite).check(
  z.maxLength(1024),
  z.refine((values) => values.every((value, i) => i === 0 || value > values[i - 1]), {
    error: "different numbers in ascending order",
  }),
);

const knotsSchema = z
  .strictObject({
    x: ascending.check(z.minLength(2)),
    z: ascending.check(z.minLength(2)),
    slope: z.array(z.number().check(z.minimum(1e-15), z.maximum(1e15))),
  })
  .check(
    z.refine(({ x, z: values, slope }) => x.length === values.length && x.length === slope.length, {
      error: "`x`, `z` and `slope` of equal length",
    }),
  );

const numeric = {
  /** The map y(x) from the values of the column to all real numbers. */
  scale: z._default(valueScaleSchema, { type: "linear" }),
  /** The knots of z(y). */
  knots: knotsSchema,
  /** K, the number of logistic components. */
  components: z._default(sizeSchema.check(z.maximum(256)), 8),
  /** The number of components that are logistic in y; the others are logistic in z. */
  linearComponents: z._default(countSchema.check(z.maximum(256)), 0),
  /** Single values with a probability of their own. */
  atoms: z._default(ascending, []),
  /** Periods in the units of the column, such as 24 for hours. The network gets the sine and cosine of each phase as inputs. */
  periods: z._default(z.array(z.number().check(z.positive())).check(z.maxLength(16)), []),
  /** Whether values can be missing. */
  gaps: z._default(z.boolean(), false),
  /** Whether a value is missing exactly where that of the numeric column before it is. */
  sharesGap: z._default(z.boolean(), false),
};

const linearComponentsWithinTotal = z.refine<{ components: number; linearComponents: number }>(
  ({ components, linearComponents }) => linearComponents <= components,
  { path: ["linearComponents"], error: "no more than `components`" },
);

const unseenProbability = z._default(z.number().check(z.minimum(0), z.maximum(0.5)), 0);

const isCellOf = (cells: number) => (value: number) => Number.isInteger(value) && value >= 0 && value < cells;

export const columnHeadSchema = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("categorical"),
    categories: sizeSchema.check(z.maximum(100_000)),
    /** The probability of all categories that training did not see, which have the code `categories`. */
    unseen: unseenProbability,
    gaps: z._default(z.boolean(), false),
  }),
  z
    .strictObject({
      type: z.literal("lattice"),
      // Not bounded by the size of the file, in which cells take no space.
      cells: z.int().check(z.positive(), z.maximum(MAX_CELLS)),
      /** A probability that is divided equally among all cells. The components and atoms have the rest. */
      unseen: unseenProbability,
      ...numeric,
    })
    .check(
      linearComponentsWithinTotal,
      z.refine(({ atoms, cells }) => atoms.every(isCellOf(cells)), {
        path: ["atoms"],
        error: "cell numbers from 0 to cells - 1",
      }),
    ),
  z.strictObject({ type: z.literal("continuous"), ...numeric }).check(linearComponentsWithinTotal),
]);

/** The conditional distribution of a column, with all options. */
export type ColumnHead = z.output<typeof columnHeadSchema>;

/** The conditional distributions of all columns of a table. */
export const columnHeadsSchema = z.array(columnHeadSchema).check(
  z.minLength(1),
  z.refine(
    (heads) =>
      heads.every((head, d) => {
        const before = heads[d - 1];
        return !sharesGap(head) || (!head.gaps && before && isNumeric(before) && hasGaps(before));
      }),
    { error: "columns with `sharesGap` without `gaps`, after a numeric column that has one of these" },
  ),
);

/**
 * The conditional distribution of a column in `MixedMade`, by the type of its values, which are numbers:
 *
 * - `categorical`: each of 0 ... `categories` - 1 has a probability. All categories that training did not see have the value
 *   `categories`, and together the probability `unseen` (default 0).
 * - `lattice`: values are equally spaced, such as integers, and are numbered by cells 0 ... `cells` - 1. The probability of a cell is
 *   the difference of a smooth distribution function at its edges, plus the probability of the atom if the cell is one. Both have the
 *   weight 1 - `unseen`, and the rest is spread evenly over all cells (default 0). So no cell has a probability below `unseen / cells`,
 *   however narrow the components are.
 * - `continuous`: a real number has a density; an atom has a probability instead.
 *
 * `lattice` and `continuous` are mixtures of `components` (default 8) logistic distributions of z = map(y(x)), where y is the `scale`
 * (default linear; `ValueScale`) and `knots` define the map (`quantileKnots`), and of `atoms`, single values in ascending order (default
 * none).
 * The last `linearComponents` (default 0) of the components are logistic in y. They serve columns with separate clusters, whose map
 * z(y) is nearly a step function: in z such a cluster has sharp edges, which logistic components fit poorly.
 * `periods` (default none), such as 24 for hours, let other columns depend on the phase of the value. With `gaps` (default false) a
 * value can be missing, which is written as NaN and has a probability of its own. With `sharesGap` (default false) a numeric value is
 * missing exactly where that of the numeric column before it is, like the parts of a date, and the distribution is that of present values.
 */
export type ColumnHeadOptions = z.input<typeof columnHeadSchema>;

type Categorical = Extract<ColumnHead, { type: "categorical" }>;
export type Lattice = Extract<ColumnHead, { type: "lattice" }>;
export type Numeric = Exclude<ColumnHead, Categorical>;

export const isCategorical = (head: ColumnHead): head is Categorical => head.type === "categorical";
export const isLattice = (head: ColumnHead): head is Lattice => head.type === "lattice";
export const isNumeric = (head: ColumnHead): head is Numeric => !isCategorical(head);

export const sharesGap = (head: ColumnHead): boolean => isNumeric(head) && head.sharesGap;
/** Whether values can be missing. */
export const hasGaps = (head: ColumnHead): boolean => head.gaps || sharesGap(head);

/** The values of a column that have a logit of their own: its atoms or its categories. */
export const atomsOf = (head: ColumnHead): readonly number[] =>
  isNumeric(head) ? head.atoms : Array.from({ length: head.categories }, (_, code) => code);

/**
 * Numbers that the network computes for a column: a logit of each category or atom, of the missing value and of each component, and
 * a location and a log-scale of each component.
 */
export function parameterCount(head: ColumnHead): number {
  const values = isNumeric(head) ? head.atoms.length + 3 * head.components : head.categories;
  return values + (head.gaps ? 1 : 0);
}

/** Heads with equal keys can be one `HeadGroup`. Their scales and their numbers of atoms, categories and knots may differ. */
export function formulaKey(head: ColumnHead): string {
  const { type, gaps } = head;
  const hasUnseen = type !== "continuous" && head.unseen > 0;
  const ofNumbers = isNumeric(head) && [head.components, head.linearComponents, head.periods.length];
  return JSON.stringify([type, gaps, hasUnseen, ofNumbers]);
}

/** Heads with equal keys have parameters and encodings of equal shapes, and scales of one type. */
export const shapeKey = (head: ColumnHead): string =>
  JSON.stringify([
    formulaKey(head),
    ...(isNumeric(head) ? [head.scale.type, head.atoms.length, head.knots.x.length] : [head.categories]),
  ]);

/** The values of a column that have a probability instead of a density. */
export const headAtoms = (head: ColumnHead): Atoms => (head.type === "continuous" ? head.atoms : "all");

/** The codes of a value without a logit of its own, and of a missing value. */
export const NO_ATOM = -2;
export const MISSING = -1;

/** The codes of the values of a column: the index in `atomsOf`, or `NO_ATOM` or `MISSING`. */
export function valueCodes(head: ColumnHead, values: ArrayLike<number>): Int32Array {
  const indices = new Map(atomsOf(head).map((atom, i) => [atom, i]));
  return Int32Array.from(values, (x) => (Number.isNaN(x) ? MISSING : (indices.get(x) ?? NO_ATOM)));
}
