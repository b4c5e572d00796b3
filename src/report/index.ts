export type { DataAndSamples } from "./columns.ts";
export type { LogDensity } from "./contours.ts";
export { densityNodes, type PairFigure, pairFigure } from "./pairFigure.ts";
export { svgToPng } from "./png.ts";
export { type TrainingFigure, trainingFigure } from "./trainingFigure.ts";
