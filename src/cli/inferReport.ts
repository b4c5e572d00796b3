import { createColors } from "picocolors";
import { count, counted } from "../evaluate/numberText.ts";
import type { Declarations, InferResult, ParameterSummary } from "../inference/index.ts";
import { escapeControls, singleLine } from "./format.ts";
import { type Io, supportsColor } from "./io.ts";

/** The paths of the files that `pushforward infer` wrote. */
export interface InferFiles {
  readonly flow: string;
  readonly draws: string | undefined;
  readonly corner: string | undefined;
}

/** The maximum number of parameters that are printed: nobody reads more. */
const MAX_PARAMETERS = 100;

/** The object that `--json` prints. */
export function inferResult(result: InferResult<Declarations>, files: InferFiles, seconds: number) {
  const { draws: _draws, weighted, flow: _flow, summary, ...rest } = result;
  const { logEvidence, logEvidenceError } = weighted;
  return {
    ...rest,
    weighted: { logEvidence, logEvidenceError },
    parameters: summary,
    files,
    seconds: Math.round(seconds * 1000) / 1000,
  };
}

/** The report as text: a table of the parameters, the evidence, the verdict, and the files. */
export function inferReport(
  result: InferResult<Declarations>,
  files: InferFiles,
  { stdout, env }: Io,
): string {
  const { summary, verdict, reasons, logEvidence, logEvidenceError, paretoShape } = result;
  const { bold, green, yellow } = createColors(supportsColor(stdout, env));
  const shown = summary.slice(0, MAX_PARAMETERS);
  const more = summary.length - shown.length;
  const header = ["", "mean", "sd", "5%", "median", "95%", "ESS", "R-hat"];
  const written = [
    ["Flow", files.flow],
    ["Draws", files.draws],
    ["Picture", files.corner],
  ].filter(([, path]) => path !== undefined && path !== "-");
  return [
    ...aligned([header, ...shown.map(cells)]),
    ...(more > 0 ? [`... and ${counted(more, "more number")}; --json prints all`] : []),
    "",
    `Log-evidence ${logEvidence.toFixed(decimalsOf(logEvidenceError, 1))} ± ${Number(logEvidenceError.toPrecision(1))} nats, Pareto k-hat ${paretoShape.toFixed(2)}`,
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
    ...[mean, sd, q5, median, q95].map((value) => value.toFixed(decimals)),
    Number.isNaN(fewest) ? "" : count(Math.round(fewest)),
    Number.isNaN(rHat) ? "" : rHat.toFixed(3),
  ];
}

/** The number of decimals with which a number of this size has `digits` significant digits. */
const decimalsOf = (size: number, digits = 3): number =>
  size > 0 && Number.isFinite(size)
    ? Math.max(0, Math.min(12, digits - 1 - Math.floor(Math.log10(size))))
    : digits;

/** Lines of cells: the first column is aligned to the left, the others to the right. */
function aligned(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
      .join("  ")
      .trimEnd(),
  );
}
