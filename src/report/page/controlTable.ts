import { percent } from "../../check/index.ts";
import type { Controlled, ReportNumbers } from "../../tables/evaluate/index.ts";
import { type Cell, fixed, htmlTable, number, withError, words } from "./html.ts";
import { tableNames } from "./testFigure.ts";

/** A table of all statistics, for generated rows and both controls. */
export function controlTable(report: ReportNumbers): string {
  const { twoSample, trend, precisionCoverage, usefulness, calibration } = report;
  const names = tableNames(report.rows.training !== undefined);
  const rows: Cell[][] = [
    row("AUROC of the two-sample test", twoSample, ({ auroc, standardError }) =>
      withError(auroc, standardError, 3),
    ),
    row("detection score", twoSample, ({ detectionScore }) => fixed(detectionScore, 2)),
    row("mean difference of dependence", trend, ({ meanDifference }) => fixed(meanDifference, 3)),
    row("columns that are not calibrated", calibration, ({ columns }) =>
      String(columns.filter(({ isOutside }) => isOutside).length),
    ),
    row("precision", precisionCoverage, ({ precision }) => fixed(precision, 2)),
    row("recall", precisionCoverage, ({ recall }) => fixed(recall, 2)),
    row("density", precisionCoverage, ({ density }) => fixed(density, 2)),
    row("coverage", precisionCoverage, ({ coverage }) => fixed(coverage, 2)),
  ];
  if (usefulness) {
    const { target, measure, real } = usefulness.generated;
    const trained = `${measure} of ${target}, trained on these rows (on real ones: ${withError(real.value, real.standardError, 2)})`;
    rows.push(
      row(trained, usefulness, ({ generated }) => withError(generated.value, generated.standardError, 2)),
    );
  }
  return htmlTable(
    `Generated rows and both controls, compared with ${report.rows.compared} held-out rows.`,
    ["", names.generated, names.copied, names.shuffled],
    rows,
  );
}

/** A table of the distances of generated rows, both controls and held-out rows to training rows; empty if training rows are not known. */
export function privacyTable({ privacy }: ReportNumbers): string {
  if (!privacy) return "";
  const names = tableNames(true);
  const { heldOut } = privacy.generated;
  return htmlTable(
    "Privacy: distances to the closest training row. Held-out rows show how close new rows are.",
    ["", names.generated, names.copied, names.shuffled, "held-out rows"],
    [
      [
        ...row("copies of training rows", privacy, ({ generated }) => percent(generated.copies)),
        number(percent(heldOut.copies)),
      ],
      [
        ...row("median distance", privacy, ({ generated }) => fixed(generated.median, 3)),
        number(fixed(heldOut.median, 3)),
      ],
      [
        ...row("5% quantile of the distance", privacy, ({ generated }) => fixed(generated.low, 3)),
        number(fixed(heldOut.low, 3)),
      ],
      [
        ...row(
          "probability of being closer than a held-out row",
          privacy,
          ({ closer, closerStandardError }) => withError(closer, closerStandardError, 2),
        ),
        number("0.50"),
      ],
    ],
  );
}

const row = <T>(name: string, statistic: Controlled<T>, text: (result: T) => string): Cell[] => [
  words(name),
  ...[statistic.generated, statistic.copied, statistic.shuffled].map((result) => number(text(result))),
];
