import { range, selectRows } from "../../dataset/index.ts";
import {
  asSubsetDistribution,
  drawEach,
  knownFeatures,
  logUnknownPresent,
  Mixture,
  rowSubsets,
  type Subset,
  type SubsetDistribution,
} from "../../distributions/index.ts";
import { ActiveCalls, arrayInput, BatchRunner, type RowInput, type RunOptions } from "../../flows/index.ts";
import type { Tensor } from "../../graph/index.ts";
import { parametersOf } from "../../nn/index.ts";
import { Random } from "../../random/index.ts";
import { inFloat64 } from "../../runtime/index.ts";
import {
  groupBy,
  noiseInputs,
  noiseOfFeature,
  type PartialRows,
  type Pattern,
  patternsOf,
  type RowStreams,
  rowsInput,
  rowsOf,
} from "./selectedRows.ts";

/** The parameters of conditional distributions that are kept at once: 32 MB. */
const MAX_PARAMETERS = 2 ** 22;

/** Rows [N, D] with the pattern of each row, [N]. */
interface PatternRows {
  readonly values: Float64Array;
  readonly patterns: readonly Pattern[];
}

/**
 * If the patterns have fewer rows than this on average, all rows share one evaluation, with the known features as inputs of each row.
 * Otherwise each pattern has its own evaluation, which is faster per row.
 */
const MIN_ROWS_OF_PATTERN = 32;

/** Computes and draws from the conditional distributions p(unknown features | known features) of rows with any known features. */
export class ConditionalRows {
  private readonly distribution: SubsetDistribution;
  private readonly runner: BatchRunner;
  private readonly calls = new ActiveCalls();

  constructor(distribution: SubsetDistribution) {
    this.distribution = distribution;
    this.runner = new BatchRunner(() => parametersOf(distribution));
  }

  /**
   * Draws the unknown features of each row from their joint distribution given the known ones. With `drawsOnlyPresent`, no drawn value is
   * missing: a mixture conditions the choice of its component on that (`logUnknownPresent`), and a distribution that draws feature by
   * feature draws each feature given that it is present. Row n depends only on `random`, on `start` + n, and on its known features.
   */
  complete(
    { values, known }: PartialRows,
    { random, start, drawsOnlyPresent }: RowStreams & { drawsOnlyPresent: boolean },
    run: RunOptions = {},
  ): Promise<Float64Array> {
    return this.calls.run(async () => {
      const { features: D } = this.distribution;
      const completed = { values: values.slice(), patterns: patternsOf(known, D) };
      const incomplete = Array.from(range(values.length / D)).filter(
        (row) => completed.patterns[row].known < D,
      );
      const draws = { random, start, drawsOnlyPresent, run };
      await this.drawUnknown(this.distribution, completed, incomplete, draws);
      return completed.values;
    });
  }

  /**
   * Replaces the unknown features of `rows` by draws from the distribution at a path within that of the model. A row of a mixture draws one
   * of its distributions, which then draws the features: all of them in one evaluation if it has `sampleUnknown`, or feature by feature,
   * each given those before it.
   */
  private async drawUnknown(
    distribution: SubsetDistribution,
    partial: PatternRows,
    rows: readonly number[],
    draws: Draws,
    path = "",
  ): Promise<void> {
    if (rows.length === 0) return;
    const { drawsOnlyPresent, run } = draws;
    const { values, patterns } = partial;
    const { features: D } = distribution;
    const isUnknown = (row: number, d: number) => patterns[row].order[d] >= patterns[row].known;
    if (distribution instanceof Mixture) {
      const indices = await this.drawDistributions(distribution, partial, rows, draws, path);
      for (const [k, each] of distribution.distributions.entries()) {
        const name = `distributions.${k}`;
        const ofDistribution = rows.filter((_, n) => indices[n] === k);
        const random = draws.random.split(name);
        await this.drawUnknown(
          asSubsetDistribution(each),
          partial,
          ofDistribution,
          { ...draws, random },
          `${path}.${name}`,
        );
      }
    } else if (distribution.sampleUnknown) {
      const drawn = await this.runPartial(
        `draw ${drawsOnlyPresent}${path}`,
        distribution,
        (x, subset, ...noise) => distribution.sampleUnknown!(noise, x, subset, { present: drawsOnlyPresent }),
        { ...partial, rows, count: ({ known }) => known },
        (rows) => noiseInputs(distribution.noise, rows, draws),
        run,
      );
      // Known features stay as they are: those that `drawn` contains are rounded to the precision of the graph.
      for (const [n, row] of rows.entries())
        for (let d = 0; d < D; d++) if (isUnknown(row, d)) values[row * D + d] = drawn[n * D + d];
    } else {
      for (const feature of range(D)) {
        const ofFeature = rows.filter((row) => isUnknown(row, feature));
        const drawn = await this.runPartial(
          `draw ${drawsOnlyPresent}${path}`,
          distribution,
          (x, subset, ...noise) => drawEach(distribution, noise, x, subset, { present: drawsOnlyPresent }),
          // The features before this one are known or drawn.
          { ...partial, rows: ofFeature, count: ({ order }) => order[feature] },
          (rows) => noiseOfFeature(distribution, feature, rows, draws),
          run,
        );
        for (const [n, row] of ofFeature.entries()) values[row * D + feature] = drawn[n * D + feature];
      }
    }
  }

  /** Draws the index of a distribution of a mixture for each row, by the posterior probabilities given the known features. */
  private async drawDistributions(
    mixture: Mixture,
    partial: PatternRows,
    rows: readonly number[],
    draws: Draws,
    path: string,
  ): Promise<Float64Array> {
    const { drawsOnlyPresent, run } = draws;
    const K = mixture.distributions.length;
    const logProbs = new Float64Array(rows.length * K);
    for (const [k, each] of mixture.distributions.entries()) {
      const distribution = asSubsetDistribution(each);
      const ofRows = await this.runPartial(
        `weight ${drawsOnlyPresent}${path}.distributions.${k}`,
        distribution,
        (x, subset) => {
          const logProb = distribution.logProbKnown(x, subset);
          return drawsOnlyPresent ? logProb.add(logUnknownPresent(distribution, x, subset)) : logProb;
        },
        { ...partial, rows, count: ({ known }) => known },
        () => [],
        run,
      );
      for (const [n, logProb] of ofRows.entries()) logProbs[n * K + k] = logProb;
    }
    const { index } = await this.runner.run(
      `index${path}`,
      (logProbs, uniform) => ({ index: mixture.sampleIndex(uniform, logProbs) }),
      [
        arrayInput({ values: logProbs, features: K }),
        ...noiseInputs([{ kind: "uniform", size: 1 }], rows, draws),
      ],
      rows.length,
      run,
    );
    return index;
  }

  /**
   * log p(x_of | x_given) of each row of `values` [N, D], from indices of features. The given features come first in the factorization,
   * as they do when `complete` draws, so that this is the density of its draws, and integrates to 1. The default precision is float64 if
   * there are given features.
   */
  logProb(
    values: Float64Array,
    { of, given }: { of: readonly number[]; given: readonly number[] },
    run: RunOptions = {},
  ): Promise<Float64Array> {
    return this.calls.run(async () => {
      const rows = range(values.length / this.distribution.features);
      const density = (x: Tensor, subset: Subset) => this.distribution.logProbKnown(x, subset);
      // In float32, the difference of two log-densities of a given value that is far from the data has no correct digits.
      const options = given.length > 0 && run.precision === undefined ? inFloat64(run) : run;
      const logProbKnown = (features: readonly number[]) =>
        this.run("density", density, { values, rows, features }, [], options);
      const joint = await logProbKnown([...given, ...of]);
      if (given.length === 0) return joint;
      const ofGiven = await logProbKnown(given);
      return joint.map((value, n) => value - ofGiven[n]);
    });
  }

  /**
   * For each row of `values` [N, D]: draws of the features `of` given its features `given`, [N, draws, of], the log-density
   * log p(of | given) of each draw, [N, draws], and that of the row itself, [N].
   *
   * The density of the given features is evaluated once for each row. If `of` has several features, this is repeated for each
   * different draw of the first ones.
   */
  sampleAndLogProb(
    values: Float64Array,
    { of, given, draws }: { of: readonly number[]; given: readonly number[]; draws: number },
    run: RunOptions = {},
  ): Promise<{ drawn: Float64Array; logProbDrawn: Float64Array; logProb: Float64Array }> {
    return this.calls.run(async () => {
      const { distribution } = this;
      const { features: D } = distribution;
      const N = values.length / D;
      // First the draws of each row, and then the rows themselves.
      const firstRow = N * draws;
      const rowOf = (i: number) => (i < firstRow ? Math.floor(i / draws) : i - firstRow);
      const points = Array.from({ length: firstRow + N }, (_, i) => i);
      const rows = selectRows(values, points.map(rowOf), D);
      const logProb = new Float64Array(points.length);
      const features = [...given];
      for (const feature of of) {
        const earlier = features.slice(given.length);
        // Points with equal known features.
        const groups = groupBy(points, (i) =>
          [given.length > 0 ? rowOf(i) : "", ...earlier.map((each) => rows[i * D + each])].join(),
        );
        const groupsAtOnce = Math.max(1, Math.floor(MAX_PARAMETERS / distribution.conditionalSize));
        for (let start = 0; start < groups.length; start += groupsAtOnce) {
          const part = groups.slice(start, start + groupsAtOnce);
          const parameters = await this.run(
            "parameters",
            (x, subset) => distribution.conditionalParameters(x, subset),
            { values: rows, rows: part.map(([first]) => first), features },
            [],
            run,
          );
          const size = distribution.conditionalSize;
          for (const [g, group] of part.entries()) {
            const shared = parameters.subarray(g * size, (g + 1) * size);
            const drawnPoints = group.filter((i) => i < firstRow);
            const drawn = await this.draw(feature, drawnPoints, shared, run);
            drawnPoints.forEach((i, k) => {
              rows[i * D + feature] = drawn[k];
            });
            const values = group.map((i) => rows[i * D + feature]);
            const ofValues = await this.logProbOf(feature, values, shared, run);
            group.forEach((i, k) => {
              logProb[i] += ofValues[k];
            });
          }
        }
        features.push(feature);
      }
      return {
        drawn: Float64Array.from({ length: firstRow * of.length }, (_, i) => {
          const point = Math.floor(i / of.length);
          return rows[point * D + of[i % of.length]];
        }),
        logProbDrawn: logProb.subarray(0, firstRow),
        logProb: logProb.subarray(firstRow),
      };
    });
  }

  /** A draw of a feature for each point, from the conditional distribution with the parameters [S]. */
  private async draw(
    feature: number,
    points: readonly number[],
    parameters: Float64Array,
    run: RunOptions,
  ): Promise<Float64Array> {
    if (points.length === 0) return new Float64Array(0);
    const { drawn } = await this.runner.run(
      `draw ${feature}`,
      (parameters, ...noise) => ({
        drawn: this.distribution.sampleOf(feature, noise, asRow(parameters), { present: false }),
      }),
      [
        { size: parameters.length, shared: parameters },
        ...noiseOfFeature(this.distribution, feature, points, { random: new Random(0), start: 0 }),
      ],
      points.length,
      run,
    );
    return drawn;
  }

  /** The log-densities of values of a feature under the conditional distribution with the parameters [S]. */
  private async logProbOf(
    feature: number,
    values: readonly number[],
    parameters: Float64Array,
    run: RunOptions,
  ): Promise<number[]> {
    // Draws of labels and integers repeat, and each density takes far longer than a comparison.
    const distinct = [...new Set(values)];
    const { logProb } = await this.runner.run(
      `density of ${feature}`,
      (parameters, x) => ({
        logProb: this.distribution.logProbOf(feature, x.reshape(["N"]), asRow(parameters)),
      }),
      [
        { size: parameters.length, shared: parameters },
        arrayInput({ values: Float64Array.from(distinct), features: 1 }),
      ],
      distinct.length,
      run,
    );
    const byValue = new Map(distinct.map((value, i) => [value, logProb[i]]));
    return values.map((value) => byValue.get(value)!);
  }

  /** Waits for the calls before, and then frees sessions and worker threads. */
  async release(): Promise<void> {
    await this.calls.ended();
    await this.runner.release();
  }

  /**
   * Evaluates `build` for `rows`, and returns its numbers in the order of `rows`. In each row the first `count(pattern)` features of its
   * pattern are known. There is one evaluation for each pattern, unless the distribution accepts several and each has few rows.
   */
  private async runPartial(
    name: string,
    distribution: SubsetDistribution,
    build: BuildGraph,
    {
      values,
      patterns,
      rows,
      count,
    }: PatternRows & { readonly rows: readonly number[]; count(pattern: Pattern): number },
    noiseOf: (rows: readonly number[]) => readonly RowInput[],
    options: RunOptions,
  ): Promise<Float64Array> {
    const { features: D } = distribution;
    const groups = groupBy(rows, (row) => patterns[row]);
    if (
      distribution.acceptsRowSubsets &&
      groups.length > 1 &&
      rows.length < MIN_ROWS_OF_PATTERN * groups.length
    ) {
      const { output } = await this.runner.run(
        `${name} by row`,
        (x, order, count, ...noise) => ({ output: build(x, rowSubsets(order, count), ...noise) }),
        [
          rowsOf(values, rows, D),
          rowsInput(rows, D, (target, row) => target.set(patterns[row].order)),
          rowsInput(rows, 1, (target, row) => target.fill(count(patterns[row]))),
          ...noiseOf(rows),
        ],
        rows.length,
        options,
      );
      return output;
    }
    const indexOf = new Map(rows.map((row, n) => [row, n]));
    let all = new Float64Array(0);
    for (const group of groups) {
      const { order } = patterns[group[0]];
      const features = Array.from(range(count(patterns[group[0]])), (position) => order.indexOf(position));
      const output = await this.run(name, build, { values, rows: group, features }, noiseOf(group), options);
      const size = output.length / group.length;
      if (all.length === 0) all = new Float64Array(rows.length * size);
      for (const [n, row] of group.entries())
        all.set(output.subarray(n * size, (n + 1) * size), indexOf.get(row)! * size);
    }
    return all;
  }

  private async run(
    name: string,
    build: BuildGraph,
    { values, rows, features }: KnownFeatures,
    noise: readonly RowInput[],
    options: RunOptions,
  ): Promise<Float64Array> {
    const D = this.distribution.features;
    const { known, positions } = knownFeatures(D, features);
    const { output } = await this.runner.run(
      name,
      (x, known, positions, ...noise) => ({ output: build(x, { known, positions }, ...noise) }),
      [rowsOf(values, rows, D), { size: D, shared: known }, { size: D, shared: positions }, ...noise],
      rows.length,
      options,
    );
    return output;
  }
}

/** Numbers [S] as [1, S]. */
const asRow = (numbers: Tensor): Tensor => numbers.reshape([1, ...numbers.shape]);

/** Rows of `values` [N, D] with the same known features: indices in the order of their factorization. */
interface KnownFeatures {
  readonly values: Float64Array;
  readonly rows: ArrayLike<number>;
  readonly features: readonly number[];
}

/** A graph of rows with known features. */
type BuildGraph = (x: Tensor, subset: Subset, ...noise: Tensor[]) => Tensor;

/** How the unknown features of rows are drawn. */
interface Draws extends RowStreams {
  readonly drawsOnlyPresent: boolean;
  readonly run: RunOptions;
}
