import type { Case } from "../speed/cases.ts";

/** The size that varies along a curve. */
export type Axis = "dimension" | "width" | "depth" | "rows";

/** The quantity that a curve shows as a function of the size. */
export type Quantity = "time" | "memory";

/** Measurements of one job of one flow, along one axis. */
export interface Curve {
  readonly name: string;
  readonly axis: Axis;
  readonly flow: string;
  readonly job: Case["job"];
  /** In ascending order of x. */
  readonly cases: readonly { readonly x: number; readonly case: Case }[];
}

/** Rows of a training step; and rows to score or draw, a whole chunk of 1,024 for each of two threads. */
export const BATCH_ROWS = 512;
export const SCORED_ROWS = 2048;

/** Sizes of a case. Along an axis one of them varies and the others are as in `STANDARD`. */
interface Size {
  readonly dim: number;
  readonly width: number;
  readonly transforms: number;
  readonly rows: number;
}

export const STANDARD: Size = { dim: 6, width: 128, transforms: 2, rows: SCORED_ROWS };

const powersOfTwo = (from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, i) => 2 ** (from + i));

const JOBS = ["train", "logProb", "sample"] as const;

export const AXES: Readonly<
  Record<
    Axis,
    {
      readonly title: string;
      readonly values: readonly number[];
      readonly changes: keyof Size;
      readonly flows: readonly string[];
      readonly jobs: readonly Case["job"][];
    }
  >
> = {
  dimension: {
    title: "Dimension",
    values: powersOfTwo(1, 9),
    changes: "dim",
    flows: ["maf", "realnvp"],
    jobs: JOBS,
  },
  width: { title: "Width", values: powersOfTwo(5, 10), changes: "width", flows: ["maf"], jobs: JOBS },
  depth: { title: "Depth", values: powersOfTwo(0, 4), changes: "transforms", flows: ["maf"], jobs: JOBS },
  rows: {
    title: "Rows",
    values: [1e3, 3e3, 1e4, 3e4, 1e5, 3e5, 1e6],
    changes: "rows",
    flows: ["maf"],
    jobs: ["logProb"],
  },
};

export const curves: readonly Curve[] = Object.entries(AXES).flatMap(
  ([axis, { values, changes, flows, jobs }]) =>
    flows.flatMap((flow) =>
      jobs.map((job) => {
        const name = `${axis} ${flow} ${job}`;
        const cases = values.map((x) => ({
          x,
          case: caseOf(`${name} ${x}`, flow, job, { ...STANDARD, [changes]: x }),
        }));
        return { name, axis: axis as Axis, flow, job, cases };
      }),
    ),
);

function caseOf(name: string, flow: string, job: Case["job"], { dim, width, transforms, rows }: Size): Case {
  const common = { name, flow, dim, transforms, hidden: [width, width] };
  return job === "train" ? { ...common, job, batch: BATCH_ROWS } : { ...common, job, rows };
}

/** Number of rows that one run of a case processes. */
export const rowsOf = (benchCase: Case): number =>
  benchCase.job === "train" ? benchCase.batch : benchCase.rows;
