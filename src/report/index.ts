/** Figures as SVG and PNG, and pages of reports. */

export { type AutoencoderFigureOptions, autoencoderFigure } from "./autoencoderFigure.ts";
export type { DataAndSamples } from "./columns.ts";
export type { LogDensity } from "./contours.ts";
export { type CornerFigureOptions, cornerFigure } from "./cornerFigure.ts";
export { type ImageFigureOptions, imageFigure } from "./imageFigure.ts";
export { type ReportPageOptions, reportPage } from "./page/reportPage.ts";
export { densityNodes, type PairFigureOptions, pairFigure } from "./pairFigure.ts";
export { checkDrawingPackages, checkFigurePackages, svgToPng } from "./png.ts";
export { type SamplesFigureOptions, samplesFigure } from "./samplesFigure.ts";
export { type TableFigureOptions, tableFigure } from "./tableFigure.ts";
export { type TrainingFigureOptions, trainingFigure } from "./trainingFigure.ts";
