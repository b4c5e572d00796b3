import { join } from "node:path";
import { StreamedDataset } from "../../src/dataset/index.ts";
import { fitGaussianMixture } from "../../src/distributions/index.ts";
import { checkpointFile } from "../../src/files/index.ts";
import { estimateParameters } from "../../src/flows/index.ts";
import { buildGraph, integrate, loop } from "../../src/graph/index.ts";
import * as main from "../../src/index.ts";
import {
  fitLikelihood,
  fitPosterior,
  infer,
  inferSimulator,
  model,
  posteriorPredictive,
  real,
  simulate,
  simulationBasedCalibration,
} from "../../src/inference/index.ts";
import { SimulationPosterior } from "../../src/inference/simulation/posterior.ts";
import { ConvNet, Convolution, Linear, MLP } from "../../src/nn/index.ts";
import { exportOnnx } from "../../src/onnx/index.ts";
import { loadModel, saveModel } from "../../src/open/index.ts";
import * as data from "../../src/public/data.ts";
import * as evaluate from "../../src/public/evaluate.ts";
import * as images from "../../src/public/images.ts";
import * as report from "../../src/public/report.ts";
import { quantileKnots } from "../../src/tables/densities/index.ts";
import { initialize } from "../../src/train/index.ts";
import { ModelOptimizer } from "../../src/train/optimizers.ts";
import { root } from "./packed.ts";

// biome-ignore lint/suspicious/noExplicitAny: the compiler refuses misspelled options.
type Wrong = any;

/** Options that the compiler would refuse. */
const wrong = (options: object): Wrong => options;
/** An argument that is not used before the options are checked. */
const unused: Wrong = undefined;

const random = new main.Random(0);
const flow = main.nsf(2, { transforms: 1, hidden: [4] });
const conditioned = main.nsf(2, { context: 1, transforms: 1, hidden: [4] }).withContext([0]);
const numbers = [1, 2, 3, 4];
const rows = main.dataset(numbers, { features: 2 });
const image = new main.ImageModel({
  flow: main.dequantize(main.glow({ image: [2, 2, 1], levels: 1, steps: 1, width: 4 })),
  shape: [2, 2, 1],
});
const autoencoder = new main.Autoencoder(main.vae(2, { latent: 1 }));
const pixels = new Float64Array(4);
const column = { kind: "continuous", type: "number", low: null, high: null, gaps: false } as const;
const table = new main.TableModel({
  columns: [
    { ...column, name: "a" },
    { ...column, name: "b" },
  ] as Wrong,
  flow,
});
const flowOfPosterior = { features: 1, context: 1 };
const posterior = new SimulationPosterior(
  wrong({ simulator: { prior: { features: 1 } }, flow: flowOfPosterior }),
);
const standardNormal = model({ x: real() }, ({ x }) => x.square().mul(-0.5));
const earthquakes = join(root, "examples/data/earthquakes.csv");
const tensor = new main.Parameter([2, 2], 0);
const first = (iterator: AsyncIterator<unknown>) => iterator.next();

/**
 * For each public function that takes options, a call with a misspelled option, and the name that the error suggests. Not here are recipes
 * and the constructors of bijections and distributions: their schemas are tested for each example.
 */
export const misspelledOptions: Readonly<Record<string, readonly [call: () => unknown, suggestion: string]>> =
  {
    "Autoencoder.encode": [() => autoencoder.encode(numbers, wrong({ sed: 1 })), "seed"],
    "Autoencoder.decode": [() => autoencoder.decode([1], wrong({ thread: 1 })), "threads"],
    "Autoencoder.reconstruct": [() => autoencoder.reconstruct(numbers, wrong({ sed: 1 })), "seed"],
    "Autoencoder.sample": [() => autoencoder.sample(1, wrong({ temprature: 1 })), "temperature"],
    "Autoencoder.interpolate": [
      () => autoencoder.interpolate([1, 2], [3, 4], 2, wrong({ thread: 1 })),
      "threads",
    ],
    "Autoencoder.logProb": [() => autoencoder.logProb(numbers, wrong({ sample: 1 })), "samples"],
    "ConditionedFlow.logProb": [() => conditioned.logProb(numbers, wrong({ thread: 1 })), "threads"],
    "ConditionedFlow.sample": [() => conditioned.sample(1, wrong({ sed: 1 })), "seed"],
    "ConditionedFlow.sampleAndLogProb": [() => conditioned.sampleAndLogProb(1, wrong({ sed: 1 })), "seed"],
    "ConditionedFlow.toData": [() => conditioned.toData(numbers, wrong({ thread: 1 })), "threads"],
    "ConditionedFlow.toLatent": [() => conditioned.toLatent(numbers, wrong({ thread: 1 })), "threads"],
    "Flow.exportOnnx": [() => flow.exportOnnx(wrong({ precison: "float64" })), "precision"],
    "Flow.logProb": [() => flow.logProb(numbers, undefined, wrong({ thread: 1 })), "threads"],
    "Flow.sample": [() => flow.sample(1, wrong({ sed: 1 })), "seed"],
    "Flow.sampleAndLogProb": [() => flow.sampleAndLogProb(1, wrong({ sed: 1 })), "seed"],
    "Flow.toData": [() => flow.toData(numbers, undefined, wrong({ thread: 1 })), "threads"],
    "Flow.toLatent": [() => flow.toLatent(numbers, undefined, wrong({ thread: 1 })), "threads"],
    "ImageModel.classify": [() => image.classify(pixels, wrong({ thread: 1 })), "threads"],
    "ImageModel.interpolate": [() => image.interpolate(pixels, pixels, 2, wrong({ clases: [0] })), "classes"],
    "ImageModel.logProb": [() => image.logProb(pixels, wrong({ clases: [0] })), "classes"],
    "ImageModel.sample": [() => image.sample(1, wrong({ temprature: 1 })), "temperature"],
    "ImageModel.toLatent": [() => image.toLatent(pixels, wrong({ clases: [0] })), "classes"],
    "ImageModel.toPixels": [() => image.toPixels(pixels, wrong({ clases: [0] })), "classes"],
    "InMemoryDataset.batches": [() => rows.batches(wrong({ batchSize: 1, seed: 1, sed: 1 })), "seed"],
    "ModelOptimizer.step": [() => takeStep(wrong({ scal: 1 })), "scale"],
    "Random.normal": [() => random.normal(pixels, wrong({ ofset: 1 })), "offset"],
    "Random.uniform": [() => random.uniform(pixels, wrong({ ofset: 1 })), "offset"],
    "Resampled.totalMass": [
      () => new main.Resampled({ features: 1 }, random).totalMass(wrong({ draw: 1 })),
      "draws",
    ],
    "SimulationPosterior.logProb": [() => posterior.logProb([1], {}, wrong({ thread: 1 })), "threads"],
    "SimulationPosterior.sample": [() => posterior.sample([1], 1, wrong({ sed: 1 })), "seed"],
    "StreamedDataset.batches": [
      async () => (await StreamedDataset.of(() => [rows])).batches(wrong({ batchSize: 1, seed: 1, sed: 1 })),
      "seed",
    ],
    "StreamedDataset.of": [() => StreamedDataset.of(() => [numbers], wrong({ feature: 2 })), "features"],
    "TableModel.anomalies": [() => table.anomalies([], wrong({ cuont: 1 })), "count"],
    "TableModel.exportOnnx": [() => table.exportOnnx(wrong({ precison: "float64" })), "precision"],
    "TableModel.impute": [() => table.impute([], wrong({ sed: 1 })), "seed"],
    "TableModel.sample": [() => table.sample(1, wrong({ sed: 1 })), "seed"],
    "TableModel.sampleFeatures": [() => table.sampleFeatures(1, wrong({ sed: 1 })), "seed"],
    "TableModel.score": [() => table.score([], wrong({ thread: 1 })), "threads"],
    "Tensor.cumsum": [() => tensor.cumsum(0, wrong({ revers: true })), "reverse"],
    "Tensor.logsumexp": [() => tensor.logsumexp(0, wrong({ keepAxis: true })), "keepAxes"],
    "Tensor.matmul": [() => tensor.matmul(tensor, wrong({ transposeb: true })), "transposeB"],
    "Tensor.max": [() => tensor.max(0, wrong({ keepAxis: true })), "keepAxes"],
    "Tensor.mean": [() => tensor.mean(0, wrong({ keepAxis: true })), "keepAxes"],
    "Tensor.sum": [() => tensor.sum(0, wrong({ keepAxis: true })), "keepAxes"],
    adam: [() => main.adam(flow, wrong({ learningrate: 1 })), "learningRate"],
    adamW: [() => main.adamW(flow, wrong({ learningrate: 1 })), "learningRate"],
    autoencoderFigure: [
      () =>
        report.autoencoderFigure(autoencoder, wrong({ heldOut: rows, shape: [1, 2, 1], values: 2, sed: 1 })),
      "seed",
    ],
    buildFlow: [() => main.buildFlow(flow.describe(), wrong({ sed: 1 })), "seed"],
    calibration: [() => evaluate.calibration([], [], wrong({ bin: 1 })), "bins"],
    buildGraph: [() => buildGraph([], {}, wrong({ parameterName: new Map() })), "parameterNames"],
    checkBijection: [() => main.checkBijection(flow.bijection, wrong({ kind: [] })), "kinds"],
    checkpointFile: [() => checkpointFile("", wrong({ resum: true })), "resume"],
    columnNotes: [() => main.columnNotes(unused, wrong({ givn: unused })), "given"],
    compile: [() => main.compile((x) => x, [["N", 2]], wrong({ thread: 1 })), "threads"],
    conditionalCalibration: [() => evaluate.conditionalCalibration(table, [], wrong({ draw: 1 })), "draws"],
    controlTables: [() => evaluate.controlTables([], wrong({ sed: 1 })), "seed"],
    cornerFigure: [() => report.cornerFigure(wrong({ columns: ["a"], draws: pixels, tilte: "" })), "title"],
    dataset: [() => main.dataset(numbers, wrong({ features: 2, weight: [1, 2] })), "weights"],
    decodeModel: [() => main.decodeModel(main.encodeModel({ flow }), wrong({ kind: [] })), "kinds"],
    dequantize: [() => main.dequantize(flow, wrong({ value: 3 })), "values"],
    describeTable: [() => data.describeTable(unused, wrong({ column: [] })), "columns"],
    encodeModel: [() => main.encodeModel({ flow }, wrong({ kind: [] })), "kinds"],
    estimateParameters: [() => estimateParameters(main.nsf, 2, wrong({ transform: 1 })), "transforms"],
    evaluate: [() => evaluate.evaluate(flow, numbers, wrong({ trainig: numbers })), "training"],
    exportOnnx: [() => exportOnnx(unused, wrong({ precison: "float64" })), "precision"],
    fit: [() => main.fit(flow, rows, wrong({ epoch: 1 })), "epochs"],
    fitDensity: [() => main.fitDensity(flow, unused, wrong({ step: 1 })), "steps"],
    fitFlows: [() => main.fitFlows(rows, wrong({ epoch: 1 })), "epochs"],
    fitGaussianMixture: [() => fitGaussianMixture(unused, 1, wrong({ sed: 1 })), "seed"],
    fitLikelihood: [() => fitLikelihood(unused, wrong({ member: 1 })), "members"],
    fitPosterior: [() => fitPosterior(unused, wrong({ member: 1 })), "members"],
    fitTable: [() => main.fitTable([{ a: 1 }], wrong({ epoch: 1 })), "epochs"],
    gaussianBaseline: [() => evaluate.gaussianBaseline(rows, wrong({ constant: 1 })), "constants"],
    imageFigure: [() => report.imageFigure(image, wrong({ training: rows, heldOut: rows, sed: 1 })), "seed"],
    imageGrid: [() => images.imageGrid(new Uint8Array(4), [2, 2, 1], wrong({ column: 1 })), "columns"],
    imageRows: [() => images.imageRows(unused, wrong({ clases: true })), "classes"],
    imageTransformer: [() => main.imageTransformer(wrong({ image: [4, 4, 1], radus: 2 })), "radius"],
    importance: [() => main.importance(flow, unused, 1, wrong({ sed: 1 })), "seed"],
    independentBaseline: [() => evaluate.independentBaseline([], rows, wrong({ atom: [] })), "atoms"],
    infer: [() => infer(standardNormal, wrong({ draw: 100 })), "draws"],
    inferSimulator: [() => inferSimulator(unused, [1], wrong({ draw: 9 })), "draws"],
    initialize: [() => initialize(flow, rows, undefined, wrong({ signl: 1 })), "signal"],
    integrate: [() => integrate(unused, tensor, wrong({ from: 0, to: 1, tolerence: 1 })), "tolerance"],
    loadModel: [() => loadModel("", wrong({ kind: [] })), "kinds"],
    logDensities: [() => evaluate.logDensities(flow, rows, wrong({ sources: "" })), "source"],
    logitPixels: [() => main.logitPixels(wrong({ features: 2, value: 3 })), "values"],
    loop: [() => loop(unused, unused, wrong({ maxIteration: 2 })), "maxIterations"],
    minimize: [() => main.minimize(() => main.scalar(0), flow, rows, wrong({ epoch: 1 })), "epochs"],
    mixtureFlow: [() => main.mixtureFlow([flow, flow], wrong({ weight: [1, 1] })), "weights"],
    withReflections: [() => images.withReflections(unused, [2, 1, 1], wrong({ sed: 1 })), "seed"],
    "new Convolution": [() => new Convolution(1, 1, 1, random, wrong({ zeroinit: true })), "zeroInit"],
    "new ImageModel": [
      () => new main.ImageModel(wrong({ flow: image.flow, shape: image.shape, clases: [] })),
      "classes",
    ],
    "new InMemoryDataset": [() => rows.with(wrong({ weight: pixels })), "weights"],
    "new Linear": [() => new Linear(1, 1, random, wrong({ zeroinit: true })), "zeroInit"],
    "new ConvNet": [() => new ConvNet(1, 1, wrong({ widht: 4 }), random), "width"],
    "new MLP": [() => new MLP(1, 1, wrong({ hiden: [4] }), random), "hidden"],
    "new ModelScorer": [() => new evaluate.ModelScorer(unused, wrong({ thread: 1 })), "threads"],
    "new ModelOptimizer": [() => new ModelOptimizer(flow, wrong({ type: "adam", beta: 1 })), "beta1"],
    "new Parameter": [() => new main.Parameter([1], 0, wrong({ trainble: false })), "trainable"],
    "new TableModel": [
      () => new main.TableModel(wrong({ columns: table.columns, flow, anomalie: 1 })),
      "anomalies",
    ],
    openImages: [() => images.openImages("", wrong({ shap: [1, 1, 1] })), "shape"],
    openTable: [() => data.openTable(earthquakes, wrong({ delimeter: ";" })), "delimiter"],
    pairFigure: [
      () => report.pairFigure(wrong({ columns: ["a"], data: pixels, samples: pixels, tilte: "" })),
      "title",
    ],
    posteriorPredictive: [() => posteriorPredictive(wrong({}), [1], wrong({ draw: 9 })), "draws"],
    precisionCoverage: [() => evaluate.precisionCoverage([], [], wrong({ neighbor: 1 })), "neighbors"],
    privacy: [() => evaluate.privacy([], [], [], wrong({ column: [] })), "columns"],
    quantileKnots: [() => quantileKnots([1, 2], wrong({ widht: 1 })), "width"],
    readObjects: [() => data.readObjects(earthquakes, wrong({ column: [] })), "columns"],
    readRows: [() => data.readRows(unused, [], wrong({ give: [] })), "given"],
    readTrainingTable: [() => data.readTrainingTable(earthquakes, wrong({ column: [] })), "columns"],
    real: [() => real(wrong({ ofset: 1 })), "offset"],
    report: [() => evaluate.report(table, { heldOut: [] }, wrong({ maxRow: 1 })), "maxRows"],
    reportPage: [
      () =>
        report.reportPage(wrong({ title: "", columns: [], numbers: {}, real: [], generated: [], abuot: [] })),
      "about",
    ],
    sampleBlocks: [() => first(data.sampleBlocks(unused, wrong({ rows: 1, sed: 1 }))), "seed"],
    samplesFigure: [() => report.samplesFigure(flow, rows, wrong({ sed: 1 })), "seed"],
    saveModel: [() => saveModel("", { flow }, wrong({ kind: [] })), "kinds"],
    scoreTable: [() => first(data.scoreTable(unused, unused, wrong({ column: [] }))), "columns"],
    sgd: [() => main.sgd(flow, wrong({ learningrate: 1 })), "learningRate"],
    simulate: [() => simulate(unused, 1, wrong({ sed: 1 })), "seed"],
    simulationBasedCalibration: [() => simulationBasedCalibration(wrong({}), wrong({ draw: 9 })), "draws"],
    streamRows: [() => data.streamRows(unused, [], wrong({ give: [] })), "given"],
    tarflow: [() => main.tarflow(wrong({ image: [4, 4, 1], pach: 2 })), "patch"],
    tableBaselines: [() => evaluate.tableBaselines([], rows, wrong({ thread: 1 })), "threads"],
    tableFigure: [() => report.tableFigure([], flow, rows, wrong({ sed: 1 })), "seed"],
    trainingFigure: [() => report.trainingFigure(wrong({ epochs: [], bestEpoch: 0, tilte: "" })), "title"],
    "toys.checkerboard": [() => main.toys.checkerboard(1, wrong({ sed: 1 })), "seed"],
    trend: [() => evaluate.trend([], [], wrong({ column: [] })), "columns"],
    twoSample: [() => evaluate.twoSample([], [], wrong({ fold: 5 })), "folds"],
    usefulness: [() => evaluate.usefulness([], [], [], wrong({ traget: "a" })), "target"],
    vae: [() => main.vae(2, wrong({ laten: 1 })), "latent"],
    writeRows: [() => data.writeRows([], unused, unused, wrong({ label: 1 })), "labels"],
    writeScored: [() => data.writeScored(unused, unused, unused, wrong({ numeri: [] })), "numeric"],
  };

async function takeStep(options: Wrong): Promise<void> {
  const optimizer = main.adam(flow);
  try {
    await optimizer.step(
      optimizer.parameters.map(({ numbers }) => numbers),
      options,
    );
  } finally {
    optimizer.release();
  }
}
