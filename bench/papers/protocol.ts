/** What a run is given. */
export interface Run {
  /** The directory of the data. */
  readonly data: string;
  readonly seed: number;
  /** A smoke run: few folds, seeds, epochs. */
  readonly quick: boolean;
  /** Data sets (or what else the protocol goes over) that it is limited to. */
  readonly only: RegExp;
  /** Most minutes of a single training, in place of the protocol's own. */
  readonly minutes?: number;
  /** Tells how far the run is. */
  log(line: string): void;
}

export interface Outcome {
  /** Markdown: tables, and what to know of them. */
  readonly text: string;
  /** The numbers behind it. */
  readonly json: unknown;
  /** Pictures by the name of their file. */
  readonly pictures?: Readonly<Record<string, Uint8Array>>;
}

/** The protocol of a paper: how its data are split, what is fitted, what is measured. */
export interface Protocol {
  readonly name: string;
  /** What it is, in one sentence, with the paper. */
  readonly about: string;
  /** False if it makes its own data. */
  readonly readsData: boolean;
  run(run: Run): Promise<Outcome>;
}
