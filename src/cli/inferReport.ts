import { createColors } from "picocolors";
import { count, counted, withDecimals } from "../check/index.ts";
import type {
  Declarations,
  InferResult,
  InferSimulatorResult,
  ParameterSummary,
  Priors,
} from "../inference/index.ts";
import { alignedRows, escapeControls, singleLine } from "./format.ts";
import { type Io, supportsColor } from "./io.ts";

/** The paths of the files that `pushforward infer` wrote. */
interface InferFiles {
  readonly flow: string;
  readonly draws: string | undefined;
  readonly corner: string | undefined;
}

/** The maximum number of parameters that are printed. --json prints all. */
const MAX_PARAMETERS = 100;

/** The content of the report on a posterior of a model or a simulator. */
export interface Inferred {
  readonly summary: readonly ParameterSummary[];
  readonly verdict: string;
  readonly reasons: readonly string[];
  /** A line about the fit, such as the log-evidence. */
  readonly line: string;
  /** Further values that `--json` prints, by name. */
  readonly details: Readonly<Record<string, unknown>>;
}

/** The result for a model. */
export function inferredModel(result: InferResult<Declarations>): Inferred {
  const { draws: _draws, weighted, flow: _flow, summary, verdict, reasons, ...rest } = result;
  const { logEvidence, logEvidenceError, paretoShape, effectiveSampleSize } = result;
  const weights = hasChains(summary)
    ? ""
    : `, effective sample size ${count(Math.round(effectiveSampleSize))} of the weights`;
  return {
    ...{ summary, verdict, reasons },
    line: `Log-evidence ${withDecimals(logEvidence, decimalsOf(logEvidenceError, 1))} ± ${Number(logEvidenceError.toPrecision(1))} nats, Pareto k-hat ${paretoShape.toFixed(2)}${weights}`,
    details: {
      ...rest,
      weighted: { logEvidence: weighted.logEvidence, logEvidenceError: weighted.logEvidenceError },
    },
  };
}

/** The result for a simulator. */
export function inferredSimulator(result: InferSimulatorResult<Priors>): Inferred {
  const { summary, verdict, reasons, observation, calibration, predictiveRanks, posterior } = result;
  const { simulations, validationLogDensity } = posterior;
  const failed = simulations.invalid > 0 ? `, ${count(simulations.invalid)} without finite values` : "";
  const calibrated = calibration?.columns.filter(({ isOutside }) => !isOutside).length;
  return {
    ...{ summary, verdict, reasons },
    line: `${counted(simulations.count, "simulation")}${failed}; ${
      calibration
        ? `the ranks of ${calibrated} of ${calibration.columns.length} quantities are uniform in ${count(calibration.rows)} new simulations`
        : "calibration is not tested with several rounds"
    }`,
    details: {
      simulations: simulations.count,
      invalidSimulations: simulations.invalid,
      validationLogDensity,
      observation,
      predictiveRanks: Array.from(predictiveRanks),
      ...(calibration && { calibration }),
    },
  };
}

/** Whether the draws are those of chains, and not independent draws of the flow, which may have been resampled by their weights. */
const hasChains = (summary: readonly ParameterSummary[]): boolean =>
  summary.some(({ rHat }) => !Number.isNaN(rHat));

/** The object that `--json` prints. */
export function inferResult(
  { summary, verdict, reasons, details }: Inferred,
  files: InferFiles,
  seconds: number,
) {
  return {
    verdict,
    reasons,
    ...details,
    parameters: summary,
    files,
    seconds: Math.round(seconds * 1000) / 1000,
  };
}

/** The report as text: a table of the parameters, a line about the fit, the verdict, and the files. */
export function inferReport(
  { summary, verdict, reasons, line }: Inferred,
  files: InferFiles,
  { stdout, env }: Io,
): string {
  const { bold, green, yellow } = createColors(supportsColor(stdout, env));
  const shown = summary.slice(0, MAX_PARAMETERS);
  const more = summary.length - shown.length;
  // R-hat and effective sample sizes of parameters are those of chains.
  const columns = hasChains(summary) ? 8 : 6;
  const header = ["", "mean", "sd", "5%", "median", "95%", "ESS", "R-hat"];
  const written = [
    ["Flow", files.flow],
    ["Draws", files.draws],
    ["Picture", files.corner],
  ].filter(([, path]) => path !== undefined && path !== "-");
  return [
    ...alignedRows(
      [header, ...shown.map(cells)].map((row) => row.slice(0, columns)),
      { right: true },
    ),
    ...(more > 0 ? [`... and ${counted(more, "more number")}; --json prints all`] : []),
    "",
    line,
    "",
    `${bold("Verdict")}  ${verdict === "reliable" ? green(verdict) : yellow(verdict)}`,
    ...reasons.map((reason) => `- ${singleLine(reason)}`),
    "",
    ...written.map(([what, path]) => `${what!.padEnd(8)} ${singleLine(path!)}`),
    "",
  ].join("\n");
}

function cells(summary: ParameterSummary): string[] {
  const { name, mean, sd, q5, median, q95, rHat } = summary;
  const decimals = decimalsOf(sd);
  const fewest = Math.min(summary.bulkEffectiveSampleSize, summary.tailEffectiveSampleSize);
  return [
    escapeControls(name),
    ...[mean, sd, q5, median, q95].map((value) => withDecimals(value, decimals)),
    Number.isNaN(fewest) ? "" : count(Math.round(fewest)),
    Number.isNaN(rHat) ? "" : rHat.toFixed(3),
  ];
}

/** The number of decimals with which a number of this size has `digits` significant digits. */
const decimalsOf = (size: number, digits = 3): number =>
  size > 0 && Number.isFinite(size)
    ? Math.max(0, Math.min(12, digits - 1 - Math.floor(Math.log10(size))))
    : digits;
