/** Options of one run of a protocol. */
export interface RunOptions {
  /** The directory of the data. */
  readonly data: string;
  readonly seed: number;
  /** Smoke test with few folds, seeds and epochs. */
  readonly quick: boolean;
  /** Runs only the data sets (or models, depending on the protocol) whose names match. */
  readonly only: RegExp;
  /** Time limit of a single training; default: the protocol's. */
  readonly minutes?: number;
  /** Receives lines about the progress. */
  log(line: string): void;
}

export interface ProtocolResult {
  /** Markdown: tables and notes. */
  readonly text: string;
  /** The unrounded numbers. */
  readonly json: unknown;
  /** PNG files by file name. */
  readonly pictures?: Readonly<Record<string, Uint8Array>>;
}

/** The experimental protocol of a paper: data, splits, models and measures. */
export interface Protocol {
  readonly name: string;
  /** One sentence that names the task, the measure and the paper. */
  readonly description: string;
  /** False if the protocol generates its data. */
  readonly needsData: boolean;
  /** The data sets or models that `RunOptions.only` selects from. */
  readonly names: readonly string[];
  run(run: RunOptions): Promise<ProtocolResult>;
}
