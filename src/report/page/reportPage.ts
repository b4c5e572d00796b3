import {
  anyValue,
  checkOptions,
  count,
  counted,
  listOfTexts,
  percent,
  required,
  text,
} from "../../check/index.ts";
import type { TrainingRecord } from "../../model/index.ts";
import type { TableColumn } from "../../tables/columns/index.ts";
import {
  comparedRows,
  expectedText,
  type ReportNumbers,
  type ReportResult,
  valueText,
} from "../../tables/evaluate/index.ts";
import { type Canvas, escapeXml, openCanvas, renumberClips } from "../sheet.ts";
import { calibrationFigure } from "./calibrationFigure.ts";
import { COLORS } from "./canvas.ts";
import { missingText, type PageColumn, pageColumns } from "./column.ts";
import { controlTable, privacyTable } from "./controlTable.ts";
import { DEFINITIONS } from "./definitions.ts";
import { dependenceFigure } from "./dependenceFigure.ts";
import { fixed, htmlFigure, htmlTable, number, withError, words } from "./html.ts";
import { marginalFigure } from "./marginalFigure.ts";
import { STYLE } from "./style.ts";
import { testFigure } from "./testFigure.ts";

/** Options of `reportPage`. */
export interface ReportPageOptions extends ReportResult {
  /** The heading of the report. */
  readonly title: string;
  /** The columns of the model. */
  readonly columns: readonly TableColumn[];
  /** Sentences that say where the rows come from. Default none. */
  readonly about?: readonly string[] | undefined;
  /** The record of the training in the model file. Default none. */
  readonly training?: TrainingRecord | undefined;
}

const MAX_COLUMNS = 24;
const MAX_PAIRS = 6;

/**
 * A report on the model of a table as one HTML document, which needs no other file, no script and no network. Equal inputs give equal
 * documents.
 *
 * @throws DEPENDENCY if a package for figures is not installed.
 */
export async function reportPage(options: ReportPageOptions): Promise<string> {
  checkOptions("reportPage", options, {
    title: required(text),
    columns: required(anyValue),
    numbers: required(anyValue),
    real: required(anyValue),
    generated: required(anyValue),
    about: listOfTexts,
    training: anyValue,
  });
  const { title, numbers: report, real, generated, columns: table, about = [], training } = options;
  const canvas = await openCanvas();
  const columns = pageColumns(table, comparedRows({ real, generated }, { columns: table }));
  const { rows } = report;
  const used = `${counted(rows.heldOut, "held-out row")}${rows.training === undefined ? "" : `, ${counted(rows.training, "training row")}`}, ${counted(rows.generated, "generated row")}.`;
  const sections = [
    section("Log-density of held-out rows", logDensity(report, training)),
    section("Distribution of each column", marginals(canvas, columns)),
    section("Dependence between columns", pairs(canvas, report, columns)),
    section("Calibration", calibration(canvas, report)),
    section("Generated rows against real ones", tests(canvas, report)),
    section("Rare rows", rareRows(report)),
    section("What the numbers mean", definitions()),
  ];
  return renumberClips(
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${escapeXml(title)}</title><style>${STYLE}</style></head><body><main><header><h1>${escapeXml(title)}</h1><p class="about">${[used, ...about].map(escapeXml).join(" ")}</p></header>${findings(report)}${sections.join("")}</main></body></html>\n`,
    "clip",
  );
}

const section = (heading: string, content: string): string =>
  `<section><h2>${escapeXml(heading)}</h2>${content}</section>`;

const paragraph = (text: string): string => `<p>${escapeXml(text)}</p>`;

const SIGNS = { failed: "\u2715 failed", uncertain: "? uncertain", passed: "\u2713 passed" } as const;

const findings = ({ findings }: ReportNumbers): string =>
  `<ul class="findings">${findings.map(({ kind, text }) => `<li class="${kind}"><b>${SIGNS[kind]}</b><span>${escapeXml(text)}</span></li>`).join("")}</ul>`;

const LEGEND = `<p class="legend"><span><i style="background:${COLORS.real}"></i>held-out rows</span><span><i style="background:${COLORS.generated}"></i>generated rows</span></p>`;

function logDensity(
  { logDensity, baselines, columns }: ReportNumbers,
  training: TrainingRecord | undefined,
): string {
  const hasLabels = columns.some(({ kind }) => kind === "categorical" || kind === "boolean");
  const rows = [
    [words("this model"), number(withError(logDensity.mean, logDensity.standardError, 3)), number("")],
    ...baselines.map(({ name, logDensity, gain }) => [
      words(name),
      number(withError(logDensity.mean, logDensity.standardError, 3)),
      number(withError(gain.mean, gain.standardError, 3)),
    ]),
  ];
  const table = htmlTable(
    "Mean log-density in nats, in the units of the data, with standard errors. The other densities are fitted to training rows.",
    ["density", "mean log-density", "gain of the model"],
    rows,
  );
  return table + (hasLabels ? paragraph(NO_GAUSSIAN) : "") + (training ? trainingRecord(training) : "");
}

const NO_GAUSSIAN =
  "There is no Gaussian among the other densities, because labels have no normal distribution.";

function trainingRecord({
  rows,
  seed,
  epochs,
  bestEpoch,
  validationLogDensity,
  members = [],
  learnedValidationRows,
}: TrainingRecord): string {
  const weights =
    members.length === 0
      ? "The model has the weights"
      : "The best of the members that were trained by gradient descent has the weights";
  const text = `The training used ${counted(rows, "row")}, including the validation rows, which decided when it ended, and the seed ${seed}. ${weights} of epoch ${bestEpoch} of ${epochs}. The mean log-density of the validation rows${learnedValidationRows ? ", before the model learned these rows too," : ""} is ${fixed(validationLogDensity, 3)} nats.`;
  if (members.length < 2) return paragraph(text);
  const table = htmlTable(
    "The model is a mixture of these members.",
    ["member", "weight", "validation, nats"],
    members
      .toSorted((a, b) => b.weight - a.weight)
      .map(({ name, weight, validationLogDensity }) => [
        words(name),
        number(percent(weight)),
        number(fixed(validationLogDensity, 3)),
      ]),
  );
  return paragraph(text) + table;
}

function marginals(canvas: Canvas, columns: readonly PageColumn[]): string {
  const shown = columns.slice(0, MAX_COLUMNS);
  const figures = shown.map((column) =>
    htmlFigure(column.name, marginalFigure(canvas, column), missingText(column)),
  );
  const more =
    columns.length > MAX_COLUMNS
      ? paragraph(`These are the first ${MAX_COLUMNS} of ${count(columns.length)} columns.`)
      : "";
  return `${LEGEND}${more}<div class="grid">${figures.join("")}</div>`;
}

/** The pairs of columns with the strongest dependence, and those whose dependence differs most. */
function chosenPairs({ trend }: ReportNumbers): ReportNumbers["trend"]["generated"]["pairs"] {
  const byDifference = trend.generated.pairs;
  const strongest = byDifference
    .toSorted((a, b) => Math.abs(b.real) - Math.abs(a.real))
    .slice(0, MAX_PAIRS / 2);
  const mostDifferent = byDifference
    .filter((pair) => !strongest.includes(pair))
    .slice(0, MAX_PAIRS - strongest.length);
  return [...strongest, ...mostDifferent];
}

const MEASURES = {
  correlation: "correlation of ranks",
  cramersV: "Cramér's V",
  correlationRatio: "correlation ratio",
};

function pairs(canvas: Canvas, report: ReportNumbers, columns: readonly PageColumn[]): string {
  const chosen = chosenPairs(report);
  if (chosen.length === 0) return paragraph("There is no pair of columns.");
  const column = (name: string) => columns.find((each) => each.name === name)!;
  const figures = chosen.map(({ columns: [first, second], measure, real, generated }) => {
    const caption = `${MEASURES[measure]}: ${fixed(real, 2)} in real rows, ${fixed(generated, 2)} in generated ones`;
    return htmlFigure(
      `${first}, ${second}`,
      dependenceFigure(canvas, column(first), column(second)),
      caption,
    );
  });
  const text = `First come the ${count(Math.min(chosen.length, MAX_PAIRS / 2))} pairs with the strongest dependence in real rows, and then the pairs whose dependence differs most. Intervals show the median, the central 50% and the central 90% of the values.`;
  return `${LEGEND}${paragraph(text)}<div class="grid wide">${figures.join("")}</div>`;
}

function calibration(canvas: Canvas, { calibration, conditionalCalibration }: ReportNumbers): string {
  const grid = (result: ReportNumbers["calibration"]["generated"]) => {
    const figures = result.columns.slice(0, MAX_COLUMNS).map((column) => {
      const shares = column.coverage.map(({ share }) => percent(share));
      return htmlFigure(
        column.name,
        calibrationFigure(canvas, column, result),
        `Coverage ${shares.join(", ")}`,
      );
    });
    return `<div class="grid small">${figures.join("")}</div>`;
  };
  const text = `Each histogram shows the ranks of real values among generated ones, from the lowest (0) to the highest (1). The histogram of a calibrated column is flat. If all columns are calibrated, all bars end within the gray band with a probability of 95%. Below each histogram is the coverage: the shares of the real values in the central 50%, 80% and 95% of the generated values.`;
  const conditional = conditionalCalibration
    ? `<h3 class="part">Given all other columns</h3>${paragraph(`The rank of each real value in the distribution of its column given the other values of its row, for ${counted(conditionalCalibration.rows, "row")}. High bars at both ends mean that the model is overconfident.`)}${grid(conditionalCalibration)}`
    : paragraph(
        "Calibration given the other columns is not tested. It needs a model with exact conditional distributions and rows that this model generated.",
      );
  return `${paragraph(text)}${grid(calibration.generated)}${conditional}`;
}

function tests(canvas: Canvas, report: ReportNumbers): string {
  const isKnown = report.rows.training !== undefined;
  const text = isKnown
    ? "Each statistic of generated rows is shown beside its values for two controls. Copied training rows have the distribution of real rows, but reveal all training rows. Training rows with shuffled columns have no dependence between columns."
    : "Each statistic of generated rows is shown beside its values for two controls: reference rows, which are other real rows, and the same rows with shuffled columns, which have no dependence between columns.";
  const worst = report.trend.generated.pairs
    .slice(0, 5)
    .map(({ columns, measure, real, generated }) => [
      words(columns.join(", ")),
      words(MEASURES[measure]),
      number(fixed(real, 2)),
      number(fixed(generated, 2)),
    ]);
  const pairs = htmlTable(
    "The pairs of columns whose dependence differs most.",
    ["columns", "measure", "real", "generated"],
    worst,
  );
  return `${paragraph(text)}<div class="narrow">${htmlFigure("Two-sample test", testFigure(canvas, report.twoSample, isKnown))}</div>${controlTable(report)}${privacyTable(report)}${worst.length > 0 ? pairs : ""}`;
}

const MAX_REASONS = 3;
/** A normally distributed value has this gain if it is 2.6 standard deviations from its conditional mean: z² / 2 - 1/2. */
const MIN_GAIN_NATS = 3;

function rareRows({ rareRows }: ReportNumbers): string {
  const text =
    "The held-out rows with the lowest log-densities. Marked values are improbable given the other values of the row: a random value from their conditional distribution would increase the log-density of the row by 3 nats or more on average. Or they are rarer in the whole table than an average value of their column, by 3 nats or more. Below each row is what the model expects given the other values, or the usual values of the column: the median and the central 90% of numbers, and the most probable labels. A row without a marked value is rare as a combination of values.";
  const items = rareRows.map(({ row, logDensity, reasons }) => {
    const improbable = reasons.filter(({ gain }) => gain >= MIN_GAIN_NATS).slice(0, MAX_REASONS);
    const values = Object.entries(row).map(([name, value]) => {
      const shown = `${escapeXml(name)} ${valueText(value, escapeXml)}`;
      return improbable.some(({ column }) => column === name) ? `<mark>${shown}</mark>` : shown;
    });
    const instead = improbable.map(
      ({ column, conditional, expected }) =>
        `${column}: ${conditional ? "expected" : "usually"} ${expectedText(expected)}`,
    );
    const about = instead.length > 0 ? `<p class="about values">${escapeXml(instead.join("; "))}</p>` : "";
    return `<li><p><b>${fixed(logDensity, 1)} nats</b></p><p class="values">${values.join(", ")}</p>${about}</li>`;
  });
  return `${paragraph(text)}<ol class="rare">${items.join("")}</ol>`;
}

const definitions = (): string =>
  `<dl>${DEFINITIONS.map(([term, text]) => `<dt>${escapeXml(term)}</dt><dd>${escapeXml(text)}</dd>`).join("")}</dl>`;
