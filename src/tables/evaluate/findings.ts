import { count, percent, withDecimals } from "../../check/index.ts";
import type { CalibrationResult } from "../../numerics/index.ts";
import type { ReportNumbers } from "./report.ts";
import type { ScoreEstimate } from "./usefulness.ts";

/** A conclusion from the numbers of a report, in a sentence. */
export interface Finding {
  readonly kind: "failed" | "uncertain" | "passed";
  readonly about:
    | "privacy"
    | "two-sample test"
    | "dependence"
    | "calibration"
    | "log-density"
    | "usefulness"
    | "rows";
  readonly text: string;
}

type Numbers = Omit<ReportNumbers, "findings">;

/** A difference counts only if it is larger than this many of its standard errors. */
const STANDARD_ERRORS = 3;
/** Generated rows count as copies if the share that equals a training row exceeds that of held-out rows by more than this. */
const MIN_COPIES = 0.01;
/** The two-sample test has failed if the whole interval of the AUROC is above this. */
const CLEAR_AUROC = 0.6;
/** The two-sample test is uncertain if the interval of the AUROC contains both 0.5 and this. */
const UNCERTAIN_AUROC = 0.65;
/**
 * The share of the dependence that generated rows have lost is (g - c) / (s - c), with the mean differences g of generated rows, c of copied
 * rows and s of shuffled columns. Below the first limit dependence counts as kept, and from the second limit on as lost.
 */
const MIN_REPORTED_SHARE = 0.25;
const MIN_FAILED_SHARE = 0.6;
/** If shuffling the columns increases the mean difference by less than this, they hardly depend on each other. */
const MIN_DEPENDENCE = 0.02;
/** The result on usefulness is uncertain if the AUROC or R² may have lost more than this. */
const MAX_SCORE_LOSS = 0.1;
/** With fewer held-out rows than this, the report warns of wide intervals. */
const FEW_ROWS = 200;

/** The findings of a report: first those that failed, then uncertain ones, then those that passed. */
export function findings(numbers: Numbers): Finding[] {
  const all = [
    ...ofPrivacy(numbers),
    ...ofDependence(numbers),
    ofTwoSample(numbers),
    ...ofCalibration(numbers),
    ...ofLogDensity(numbers),
    ...ofUsefulness(numbers),
    ...ofRows(numbers),
  ];
  const order: readonly Finding["kind"][] = ["failed", "uncertain", "passed"];
  return order.flatMap((kind) => all.filter((each) => each.kind === kind));
}

function ofPrivacy({ privacy, rows }: Numbers): Finding[] {
  const about = "privacy";
  if (!privacy) {
    const text =
      "Whether generated rows repeat training rows is not tested, because the training rows are not known.";
    return [{ kind: "uncertain", about, text }];
  }
  const { generated, heldOut, closer, closerStandardError } = privacy.generated;
  const [m, n] = [Math.min(rows.generated, rows.compared), rows.compared];
  const pooled = (m * generated.copies + n * heldOut.copies) / (m + n);
  const standardError = Math.sqrt(pooled * (1 - pooled) * (1 / m + 1 / n));
  if (generated.copies - heldOut.copies > Math.max(MIN_COPIES, STANDARD_ERRORS * standardError)) {
    const text = `Generated rows copy training rows: ${percent(generated.copies)} are equal to a training row, but only ${percent(heldOut.copies)} of the held-out rows are.`;
    return [{ kind: "failed", about, text }];
  }
  const probability = `a generated row is closer to the training rows than a held-out row with probability ${closer.toFixed(2)}`;
  if (closer - STANDARD_ERRORS * closerStandardError > 0.5) {
    const text = `Generated rows are too close to training rows: ${probability}, which would be 0.5 at equal distances.`;
    return [{ kind: "failed", about, text }];
  }
  const text = `Generated rows do not repeat training rows more than held-out rows do: ${probability}.`;
  return [{ kind: "passed", about, text }];
}

function ofDependence({ trend, rows }: Numbers): Finding[] {
  const about = "dependence";
  const [generated, copied, shuffled] = [trend.generated, trend.copied, trend.shuffled].map(
    ({ meanDifference }) => meanDifference,
  );
  const removed = shuffled - copied;
  if (Number.isNaN(generated) || Number.isNaN(removed)) return [];
  if (removed < MIN_DEPENDENCE) {
    const text = "In this table, pairs of columns hardly depend on each other.";
    return [{ kind: "passed", about, text }];
  }
  const missingShare = (generated - copied) / removed;
  const scale = `the mean difference of correlations and associations is ${generated.toFixed(3)}, with copied rows ${copied.toFixed(3)} and with shuffled columns ${shuffled.toFixed(3)}`;
  if (missingShare >= MIN_FAILED_SHARE) {
    const text = `Generated rows have lost the dependence between columns: ${scale}.`;
    return [{ kind: "failed", about, text }];
  }
  if (missingShare >= MIN_REPORTED_SHARE) {
    const text = `Generated rows have only part of the dependence between columns: ${scale}.`;
    return [{ kind: rows.compared < FEW_ROWS ? "uncertain" : "failed", about, text }];
  }
  return [
    { kind: "passed", about, text: `Pairs of columns depend on each other as in real rows: ${scale}.` },
  ];
}

const notComputed = (about: Finding["about"], what: string): Finding => ({
  kind: "uncertain",
  about,
  text: `${what} could not be computed.`,
});

function ofTwoSample({ twoSample }: Numbers): Finding {
  const about = "two-sample test";
  const { auroc, interval, columns } = twoSample.generated;
  const [low, high] = interval;
  if (Number.isNaN(low + high)) return notComputed(about, "The two-sample test");
  if (low === high && auroc === 0.5) {
    // The leaves of trees have at least 20 rows. Without any split, all rows have the same score. Perfect separation has no error either.
    const text = "There are too few rows for a classifier that could tell generated rows from real ones.";
    return { kind: "uncertain", about, text };
  }
  const area = `AUROC ${auroc.toFixed(2)} (${low.toFixed(2)} to ${high.toFixed(2)}), where 0.5 is chance and shuffled columns give ${twoSample.shuffled.auroc.toFixed(2)}`;
  if (low > 0.5) {
    const importantColumns = named(columns.slice(0, 3).filter(({ importance }) => importance > 0));
    const text = `A classifier tells generated rows from real ones, mostly by ${importantColumns}: ${area}.`;
    return { kind: low > CLEAR_AUROC ? "failed" : "uncertain", about, text };
  }
  if (high > UNCERTAIN_AUROC) {
    const text = `Whether a classifier can tell generated rows from real ones is uncertain, because there are few rows: ${area}.`;
    return { kind: "uncertain", about, text };
  }
  return { kind: "passed", about, text: `A classifier cannot tell generated rows from real ones: ${area}.` };
}

function ofCalibration({ calibration, conditionalCalibration }: Numbers): Finding[] {
  const about = "calibration";
  const finding = ({ columns }: CalibrationResult, what: string): Finding => {
    const outside = columns.filter(({ isOutside }) => isOutside);
    if (outside.length === 0) return { kind: "passed", about, text: `${what} is calibrated in all columns.` };
    const text = `${what} is not calibrated in ${count(outside.length)} of ${count(columns.length)} columns: ${named(outside)}.`;
    return { kind: "failed", about, text };
  };
  return [
    finding(calibration.generated, "The marginal distribution"),
    ...(conditionalCalibration
      ? [finding(conditionalCalibration, "The conditional distribution given all other columns")]
      : []),
  ];
}

function ofLogDensity({ baselines, logDensity }: Numbers): Finding[] {
  const about = "log-density";
  const [independent] = baselines;
  const better = baselines.filter(({ gain }) => gain.mean + STANDARD_ERRORS * gain.standardError < 0);
  const best = better.toSorted((a, b) => a.gain.mean - b.gain.mean)[0];
  if (best) {
    const text = `A simpler density describes held-out rows better: the ${best.name}, by ${natsWithError({ mean: -best.gain.mean, standardError: best.gain.standardError })} per row.`;
    return [{ kind: "failed", about, text }];
  }
  const { mean, standardError } = independent.gain;
  if (Number.isNaN(mean)) return [notComputed(about, "The gain over independent columns")];
  if (mean === Number.POSITIVE_INFINITY) {
    const text = `Held-out rows have a mean log-density of ${natsWithError(logDensity)}, while independent columns consider some of them impossible.`;
    return [{ kind: "passed", about, text }];
  }
  const gain = `${natsWithError(independent.gain)} per row over independent columns`;
  const isClear = mean > STANDARD_ERRORS * standardError;
  const text = isClear
    ? `Held-out rows have a mean log-density of ${natsWithError(logDensity)}, a gain of ${gain}.`
    : `The model is hardly better than independent columns on held-out rows: the gain is ${natsWithError(independent.gain)} per row.`;
  return [{ kind: isClear ? "passed" : "uncertain", about, text }];
}

function ofUsefulness({ usefulness }: Numbers): Finding[] {
  const about = "usefulness";
  if (!usefulness) return [];
  const { target, measure, real, generated, difference } = usefulness.generated;
  if (Number.isNaN(difference.value + difference.standardError))
    return [notComputed(about, `How well ${target} is predicted after training on generated rows`)];
  const predictor = `${measure === "AUROC" ? "classifier" : "regression"} of ${target}`;
  const scores = `${measure} ${score(generated)} instead of ${score(real)} on held-out rows`;
  const isWorse = difference.value + STANDARD_ERRORS * difference.standardError < 0;
  const isUncertain = difference.value - STANDARD_ERRORS * difference.standardError < -MAX_SCORE_LOSS;
  if (isWorse) {
    const text = `A ${predictor} learns less from generated rows than from real ones: ${scores}.`;
    return [{ kind: "failed", about, text }];
  }
  const text = isUncertain
    ? `Whether a ${predictor} learns as much from generated rows as from real ones is uncertain: ${scores}.`
    : `A ${predictor} learns about as much from generated rows as from real ones: ${scores}.`;
  return [{ kind: isUncertain ? "uncertain" : "passed", about, text }];
}

function ofRows({ rows }: Numbers): Finding[] {
  const about = "rows";
  const all = count(rows.heldOut + rows.impossible + rows.incomplete);
  return [
    ...(rows.impossible > 0
      ? [
          {
            kind: "failed",
            about,
            text: `The model considers ${count(rows.impossible)} of ${all} held-out rows impossible.`,
          } as const,
        ]
      : []),
    ...(rows.incomplete > 0
      ? [
          {
            kind: "uncertain",
            about,
            text: `${count(rows.incomplete)} of ${all} held-out rows have no log-density, because they lack a value in a column that had no missing values in training.`,
          } as const,
        ]
      : []),
    ...(rows.heldOut < FEW_ROWS
      ? [
          {
            kind: "uncertain",
            about,
            text: `There are only ${count(rows.heldOut)} held-out rows: small differences cannot be detected, and intervals are wide.`,
          } as const,
        ]
      : []),
  ];
}

const named = (columns: readonly { readonly name: string }[]): string =>
  columns.map(({ name }) => name).join(", ");

const natsWithError = ({ mean, standardError }: { mean: number; standardError: number }): string =>
  `${withDecimals(mean, 2)} ± ${standardError.toFixed(2)} nats`;

const score = ({ value, standardError }: ScoreEstimate): string =>
  `${withDecimals(value, 2)} ± ${standardError.toFixed(2)}`;
