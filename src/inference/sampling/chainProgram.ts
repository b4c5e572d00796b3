/** A position of a Markov chain, with the log-density and its gradient there. */
export interface Point {
  readonly position: Float64Array;
  readonly logDensity: number;
  readonly gradient: Float64Array;
  /** The log-density of the independence proposals at the position; 0 without such proposals. */
  readonly logProposal: number;
}

/**
 * A computation of one chain as a generator, which yields a position and is resumed with the log-density and its gradient there. So
 * `runChains` can evaluate the positions of all chains in one call, although each chain follows a path of its own.
 */
export type ChainProgram<Result> = Generator<Float64Array, Result, Point>;

/** The fields of `Point` for rows [n, D], [n] and [n, D]. */
export interface EvaluatedRows {
  readonly logDensity: Float64Array;
  readonly gradient: Float64Array;
  readonly logProposal: Float64Array;
}

export type EvaluateRows = (rows: Float64Array) => Promise<EvaluatedRows>;

/** Row i of evaluated rows. */
export function pointAt(rows: Float64Array, evaluated: EvaluatedRows, i: number, features: number): Point {
  const [start, end] = [i * features, (i + 1) * features];
  return {
    position: rows.slice(start, end),
    logDensity: evaluated.logDensity[i],
    gradient: evaluated.gradient.slice(start, end),
    logProposal: evaluated.logProposal[i],
  };
}

/** Runs the programs of all chains, and returns their results in the same order. */
export async function runChains<Result>(
  programs: readonly ChainProgram<Result>[],
  features: number,
  evaluate: EvaluateRows,
): Promise<Result[]> {
  const results: Result[] = new Array(programs.length);
  let pending: { chain: number; position: Float64Array }[] = [];
  const resume = (chain: number, point?: Point) => {
    // The first call of `next` starts a generator, and ignores its argument.
    const step = programs[chain].next(point as Point);
    if (step.done) results[chain] = step.value;
    else pending.push({ chain, position: step.value });
  };
  programs.forEach((_, chain) => {
    resume(chain);
  });
  while (pending.length > 0) {
    const requests = pending;
    pending = [];
    // Always as many rows as chains, because ONNX Runtime prepares its memory for each new number of rows.
    const rows = new Float64Array(programs.length * features);
    for (let i = 0; i < programs.length; i++) rows.set(requests[i % requests.length].position, i * features);
    const evaluated = await evaluate(rows);
    requests.forEach(({ chain }, i) => {
      resume(chain, pointAt(rows, evaluated, i, features));
    });
  }
  return results;
}
