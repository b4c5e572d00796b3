import type { Declarations, ProbabilisticModel } from "../../src/inference/index.ts";

/** A posterior of posteriordb, written with our parts. */
export interface Posterior {
  /** The name to show, if it is not the name in posteriordb. */
  readonly title?: string;
  /** The posterior of posteriordb with the reference draws, if its name is not the key. */
  readonly reference?: string;
  /** The model for the data of posteriordb, whose fields the parameter declares. */
  readonly model: (data: never) => ProbabilisticModel<Declarations>;
}
