import type { DataRows } from "../../bijections/index.ts";
import type { Limits } from "../../check/index.ts";
import { selectDataRows, shuffledRows } from "../../distributions/index.ts";
import { logSumExp } from "../../numerics/index.ts";
import { Random } from "../../random/index.ts";
import { atomsOf, type ColumnHeadOptions, isCategorical, MISSING } from "./heads/columnHead.ts";
import { isolatedAtoms } from "./heads/isolatedAtoms.ts";
import { marginalParameters } from "./heads/marginalParameters.ts";
import { fitKernelCovariance, KERNEL_WIDTHS } from "./kernelCovariance.ts";
import { type MixedGaussianGroup, MixedGaussianMixture } from "./mixedGaussianMixture.ts";
import { type PreparedRows, prepareRows } from "./mixedGaussianRows.ts";

/** With this shrinkage a covariance is positive definite even if there are fewer rows than numbers. */
export const FULL_SHRINKAGE = 1;
/** The class of values without a logit of their own, such as numbers with a density. Other classes are the positions of logits. */
const NO_LOGIT = -1;

/**
 * A kernel density with correlated kernels: normal distributions around the training rows x_n that share a full covariance S, so that they
 * follow the correlations of numbers. It is a `MixedGaussianMixture` with a component for each row and each of the widths h_s,
 *
 *     p(x) = sum_n w_n sum_s v_s N(x; mu + a_s (x_n - mu), h_s^2 S) prod_d p_nd(x_d),
 *
 * with the weight w_n of each row and the mean mu of the rows. Wide kernels around the rows themselves would have a larger variance than the
 * rows; the factors a_s between 0 and 1 move their centers towards the mean (West 1993). The last product is over the columns with
 * categories, atoms and missing values. There, p_nd is 1 - m_d at the value of row n, plus m_d times the distribution of the whole column.
 * Where a row has no number, its kernels have that of another row, which matters if a value is drawn given that it is a number.
 *
 * The covariance S, the weights v of the widths, the factors a and the shares m of the columns maximize the leave-one-out likelihood
 * (Habbema, Hermans and Van den Broek 1974; Duin 1976) up to weak priors, see `fitKernelCovariance`. The covariance of M numbers is
 * estimated as if there were `shrinkage` (M + 1) additional rows in which they are independent. The model contains training rows.
 */
export async function fitCorrelatedKernels(
  columns: ColumnHeadOptions[],
  data: DataRows,
  limits: Limits = {},
  shrinkage = FULL_SHRINKAGE,
): Promise<MixedGaussianMixture> {
  const W = KERNEL_WIDTHS.length;
  // The iterations of the fit use some of the rows, which must not be the first rows of a sorted table.
  const order = shuffledRows(data, new Random(0).split("Gaussian kernels"));
  const { weights: rowWeights, ...unweighted } = data;
  const rows = selectDataRows(rowWeights?.some((weight) => weight > 0) ? data : unweighted, order);
  const N = rows.rows;
  const model = new MixedGaussianMixture({ columns, components: W * N, covariance: "shared" });
  const { training } = await prepareRows(model, rows, rows);
  const { means } = training;
  const M = means.length;
  const centers = centersOf(training, N);
  const weights = rows.weights ?? new Float64Array(N).fill(1);
  const classes = classesOf(model.groups, training);
  const varied = classes.flat().filter((ofColumn) => ofColumn.some((each) => each !== ofColumn[0]));
  const { covariance, widthWeights, centerFactors, marginalShares } = await fitKernelCovariance(
    { ...training, rows: N, weights, scores: centers, classes: varied, shrinkage },
    limits,
  );
  // Component s N + n is the kernel of width s around row n.
  const perKernel = (number: (width: number, row: number) => number) =>
    Float32Array.from({ length: W * N }, (_, c) => number(Math.floor(c / N), c % N));
  model.widths!.value = perKernel((s) => KERNEL_WIDTHS[s]);
  model.logWeights.value = perKernel((s, n) => Math.log(widthWeights[s]) + Math.log(weights[n]));
  model.means.value = Float32Array.from({ length: W * N * M }, (_, i) => {
    const [center, mean] = [centers[i % (N * M)], means[i % M]];
    return mean + centerFactors[Math.floor(i / (N * M))] * (center - mean);
  });
  model.covariances.value = Float32Array.from(covariance);
  // The leave-one-out likelihood does not determine the share where all rows have one class.
  const shareOf = (ofColumn: Int32Array) => marginalShares[varied.indexOf(ofColumn)] ?? 1 / (N + 1);
  for (const [g, group] of model.groups.entries()) {
    const ofColumns = classes[g].map((ofColumn, i) => {
      const logits = marginalLogits(group, i, training.codes[g][i], rows.weights);
      return logitsOfKernels(group, ofColumn, logits, shareOf(ofColumn));
    });
    group.logits.value = Float32Array.from(
      ofColumns.flat().flatMap((ofRows) => KERNEL_WIDTHS.flatMap(() => Array.from(ofRows))),
    );
  }
  return model;
}

/** [N, M] the centers of the numbers: those of the rows, and where a row has none, that of another row in which the column has a number. */
function centersOf({ scores, isSmooth, means }: PreparedRows, N: number): Float64Array {
  const M = means.length;
  const centers = Float64Array.from(scores);
  for (let d = 0; d < M; d++) {
    const smooth = Array.from({ length: N }, (_, n) => n * M + d).filter((i) => isSmooth[i] > 0);
    // Columns that are missing in the same rows take the numbers of the same other row.
    let next = 0;
    for (let i = d; i < N * M; i += M)
      if (isSmooth[i] === 0)
        centers[i] = smooth.length > 0 ? scores[smooth[next++ % smooth.length]] : means[d];
  }
  return centers;
}

/** For each group and each of its columns, [N] the position of the logit of each value, or `NO_LOGIT`. */
const classesOf = (groups: readonly MixedGaussianGroup[], { codes }: PreparedRows): Int32Array[][] =>
  groups.map((group, g) =>
    group.head.heads.map((head, i) => {
      const atoms = atomsOf(head);
      const isolated = new Set(isolatedAtoms(head));
      const hasLogit = (code: number) => code >= 0 && (isCategorical(head) || isolated.has(atoms[code]));
      const missing = group.head.hasMissingAtom ? firstNormal(group) - 1 : NO_LOGIT;
      return codes[g][i].map((code) => (code === MISSING ? missing : hasLogit(code) ? code : NO_LOGIT));
    }),
  );

/** The position after those of the atoms and the missing value, where the logits of the normal density begin. */
const firstNormal = ({ logits, head }: MixedGaussianGroup): number => logits.sizes[1] - head.componentCount;

/** The logits of column i of a group for the distribution of the whole column. */
const marginalLogits = (
  { head, logits }: MixedGaussianGroup,
  i: number,
  codes: Int32Array,
  weights: DataRows["weights"],
): Float64Array =>
  marginalParameters(head.heads[i], codes, { weights, z: new Float64Array(codes.length) }).subarray(
    0,
    logits.sizes[1],
  );

/** For each logit of a column, its values [N] in the kernels around N rows with these classes. */
function logitsOfKernels(
  group: MixedGaussianGroup,
  classes: Int32Array,
  marginal: Float64Array,
  marginalShare: number,
): Float64Array[] {
  const logTotal = logSumExp(marginal);
  const { componentCount } = group.head;
  return Array.from(marginal, (logit, position) => {
    const ofMarginal = marginalShare * Math.exp(logit - logTotal);
    const isNormal = position >= firstNormal(group);
    const ofRow = (1 - marginalShare) / (isNormal ? componentCount : 1);
    return Float64Array.from(classes, (each) =>
      Math.log(ofMarginal + (each === (isNormal ? NO_LOGIT : position) ? ofRow : 0)),
    );
  });
}
