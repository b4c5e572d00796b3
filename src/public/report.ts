/** `pushforward/report`: figures and pages of reports, in Node. */

export {
  type AutoencoderFigureOptions,
  autoencoderFigure,
  type CornerFigureOptions,
  cornerFigure,
  type DataAndSamples,
  densityNodes,
  type ImageFigureOptions,
  imageFigure,
  type LogDensity,
  type PairFigureOptions,
  pairFigure,
  type ReportPageOptions,
  reportPage,
  type SamplesFigureOptions,
  samplesFigure,
  svgToPng,
  type TableFigureOptions,
  type TrainingFigureOptions,
  tableFigure,
  trainingFigure,
} from "../report/index.ts";
