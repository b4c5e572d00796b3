import { PushforwardError } from "../errors.ts";
import { type StreamedRows, split } from "../train/rowStream.ts";
import type { TrainingRows } from "../train/rows.ts";
import type { Settings } from "./fitSettings.ts";

/** So many rows allow some to be kept aside for judging. */
const ENOUGH_FOR_TEST = 200;

/** The rows that a training takes, and those that are kept aside to judge by (none if there are few). */
export interface Parts {
  readonly learned: TrainingRows | StreamedRows;
  readonly test?: TrainingRows;
}

type Shares = Pick<Settings, "seed" | "validationFraction" | "testFraction">;

/** Keeps rows aside at random. */
export function keepAside(rows: TrainingRows | StreamedRows, { seed, testFraction }: Shares): Parts {
  const fraction = testFraction ?? (rows.rows >= ENOUGH_FOR_TEST ? 0.1 : 0);
  if (fraction === 0) return { learned: rows };
  const { training: learned, validation: test } = split(rows, fraction, seed);
  if (learned.rows >= 2) return { learned, test };
  throw new PushforwardError("ARGUMENT", `--test-fraction ${fraction} leaves too little to learn from`, {
    expected: "2 rows or more",
    received: `${learned.rows} of ${rows.rows}`,
    mend: "Leave it out, or give a table with more rows.",
  });
}

/** The rows that `fit` learns from and those that end its training: it shares them out in the same way. */
export const shareOut = ({ learned }: Parts, { seed, validationFraction }: Shares) =>
  split(learned, validationFraction, seed);
