import type { Declarations, ProbabilisticModel } from "../../src/inference/index.ts";

/** A posterior of posteriordb, written with our parts. */
export interface Posterior {
  /** Shown in place of its name in posteriordb. */
  readonly title?: string;
  /** The posterior whose reference draws it has, if the key is another name. */
  readonly reference?: string;
  /** The model for the data of posteriordb, whose fields the parameter declares. */
  readonly model: (data: never) => ProbabilisticModel<Declarations>;
}
