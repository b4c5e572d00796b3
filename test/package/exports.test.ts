import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { entryFile, entryPoints, root } from "./packed.ts";

/** The names that a module exports, types included. */
function namesOf(file: string): string[] {
  const text = readFileSync(file, "utf8");
  const listed = Array.from(text.matchAll(/^export (?:type )?\{([^}]*)\}/gm), ([, list]) =>
    list.split(",").map((name) =>
      name
        .trim()
        .replace(/^type /, "")
        .replace(/^.* as /, ""),
    ),
  );
  const all = Array.from(text.matchAll(/^export \* from "(.*)";$/gm), ([, path]) =>
    namesOf(join(dirname(file), path)),
  );
  return [...listed, ...all].flat().filter((name) => name !== "");
}

/** What an entry point exports, in alphabetical order. */
const exportsOf = (entryPoint: string): string[] => namesOf(join(root, "src", entryFile(entryPoint))).sort();

// An addition here is deliberate: users will rely on it.
test("each entry point exports what users need, and nothing else", () => {
  const all = Object.fromEntries(entryPoints.map((name) => [name, exportsOf(name).join(" ")]));
  expect(all).toMatchInlineSnapshot(`
    {
      "pushforward": "Actnorm AdditiveOptions AffineOptions Anomaly AnomalyReason Atoms Autoencoder AutoencoderSampleOptions Autoregressive AutoregressiveOptions BNAFOptions BatchNorm BatchNormOptions Bernoulli BernoulliOptions BernsteinOptions Bijection BijectionDescription BlockAutoregressive BlockAutoregressiveOptions BuildFlowOptions Builders Cauchy Chain CheckBijectionOptions CheckpointStore CircularSplineOptions ColumnHeadOptions ColumnKind ColumnNote ColumnOptions ColumnScales Communicator ConditionedFlow ConstantFeatures ContextEmbedding ContextEmbeddingOptions ContextInput Continuous ContinuousOptions Coupling CouplingOptions CustomDescription CustomKind DataRows Dataset DatasetOptions DeepSigmoidalOptions DensityObjective DequantizeOptions Dequantized DequantizedOptions Description DiagonalNormal DiagonalScaling DiscretizedLogistic DiscretizedLogisticOptions Distribution DistributionDescription Elementwise ElementwiseOptions EncodeOptions Ensemble ErrorCode Exp ExpectedValue ExportFlowOptions ExportTableOptions FactorOut FactorOutOptions FitDensityOptions FitDensityResult FitDistribution FitEpoch FitFlowsOptions FitFlowsResult FitGaussianMixtureOptions FitGaussianMixtureResult FitOptions FitResult FitTableOptions FitTableResult FitToRows Flow FlowDescription GaussianMixture GaussianizationOptions GaussianizationTransformOptions GeneralizedNormal GlowImageOptions Householder HouseholderOptions Identity ImageClassification ImageCoupling ImageCouplingOptions ImageCouplingRecipeOptions ImageFlowRecipeOptions ImageModel ImageOptions ImageRecipeOptions ImageSampleOptions ImageTransformerOptions ImportanceLogProbOptions ImportanceResult Invert KernelDensity KernelDensityOptions KindOptions Knots LULinear LULinearOptions Laplace LatentClasses LatentClassesOptions LoadedModel Logistic Loss LossBatch MAFOptions Made MadeFlowOptions MadeOptions MatrixExponential Member MinimizeEpoch MinimizeOptions MinimizeResult MixedGaussianMixture MixedGaussianMixtureOptions MixedMade MixedMadeOptions Mixture MixtureOptions ModelOptimizer ModelToSave MonotonicNetworkOptions MonotonicSplineOptions NAFOptions NSFOptions NamedRecipe NiceImageOptions Noise Ordered OuterStandardization Parameter Part PatchAutoregressive PatchAutoregressiveOptions PerPixel PerPixelOptions Permutation PixelAutoregressive Planar PlanarFlowOptions PlanarOptions PolynomialFlowOptions Power PushforwardError QRLinear QRLinearOptions Radial RadialOptions RadialRecipeOptions Random RandomStream RealNVPCoupling RealNVPCouplingOptions RealNVPImageOptions RealNVPOptions RecipeOptions Resampled ResampledOptions Residual ResidualFlowOptions ResidualOptions ReturnedRow RowBlock RowOptions RowStream RowsInput SampleOptions ScalarTransform ScalarTransformOptions ScalarTransformed Sigmoid SinhArcsinh Softplus Softsign Squeeze SqueezeOptions StandardNormal Standardize StandardizeContext StickBreaking StudentT Subset SubsetDistribution SumOfSquaresOptions Support Sylvester SylvesterFlowOptions SylvesterOptions TableAnomalies TableAnomaliesOptions TableColumn TableImputeOptions TableInput TableModel TableRow TableSampleOptions TableScoreOptions TableValue Tails Tanh TarflowOptions TargetDensity Tensor Toy TrainingData Transformed TransformedDistribution UMNNOptions Uniform VAEOptions VariationalAutoencoder VariationalAutoencoderOptions VelocityField VonMises adam adamW alternatingMask bnaf bpf buildBijection buildDistribution buildFlow checkBijection cnf columnNotes compile concat constant dataset decodeModel dequantize embedContext encodeModel fit fitDensity fitFlows fitGaussianMixture fitTable forTables gaussianization glow grad iaf identityOrder imageTransformer importance input isSubsetDistribution jacobian knownFeatures loadParameters logitPixels madeFlow maf minimize mixtureFlow naf ncsf nice nsf planarFlow quantileKnots radialFlow randomMask randomOrder realNVP residualFlow reverseOrder saveParameters scalar sgd sospf stack sylvesterFlow tarflow toys umnn vae valueAndGrad valuesRepeat vjp withConstants",
      "pushforward/bijections": "Actnorm AdditiveOptions AffineOptions Autoregressive AutoregressiveOptions BatchNorm BatchNormOptions BernsteinOptions Bijection BijectionDescription BlockAutoregressive BlockAutoregressiveOptions Chain CheckBijectionOptions CircularSplineOptions ColumnScales Continuous ContinuousOptions Coupling CouplingOptions DataRows DeepSigmoidalOptions Description DiagonalScaling Elementwise ElementwiseOptions Exp FactorOut FactorOutOptions FitToRows GaussianizationTransformOptions Householder HouseholderOptions Identity ImageCoupling ImageCouplingOptions Invert LULinear LULinearOptions MatrixExponential MonotonicNetworkOptions MonotonicSplineOptions Ordered OuterStandardization Part PatchAutoregressive PatchAutoregressiveOptions PerPixel PerPixelOptions Permutation Planar PlanarOptions Power QRLinear QRLinearOptions Radial RadialOptions RealNVPCoupling RealNVPCouplingOptions Residual ResidualOptions ScalarTransform ScalarTransformOptions ScalarTransformed Sigmoid SinhArcsinh Softplus Softsign Squeeze SqueezeOptions Standardize StandardizeContext StickBreaking SumOfSquaresOptions Support Sylvester SylvesterOptions Tails Tanh Transformed VelocityField alternatingMask buildBijection checkBijection identityOrder randomMask randomOrder reverseOrder",
      "pushforward/columns": "ColumnFindings ColumnNote ColumnNoteOptions ColumnSummary ColumnValues FarValues MissingCode columnNotes columnSummary valuesRepeat",
      "pushforward/data": "Column ColumnSummary DescribeTableOptions DescribedColumn Labels NamedRows ReadObjectsOptions SampleBlocksOptions ScoreTableOptions Table TableBlock TableOptions TableRowsOptions TrainingTable TrainingTableOptions columnSummary describeTable openTable readObjects readRows readTrainingTable sampleBlocks scoreTable streamRows tableForModel writeRows writeScored",
      "pushforward/dataset": "Batch BatchOptions Batches Columns Constants Dataset DatasetOptions InMemoryDataset RowBlock RowForms RowStream RowsInput Split StreamOptions StreamedDataset dataset",
      "pushforward/distributions": "Atoms Bernoulli BernoulliOptions Builders Cauchy ColumnHeadOptions ConstantFeatures ContextEmbedding ContextEmbeddingOptions CustomDescription CustomKind Dequantized DequantizedOptions DiagonalNormal DiscretizedLogistic DiscretizedLogisticOptions Distribution DistributionDescription Ensemble FitDistribution FitGaussianMixtureOptions FitGaussianMixtureResult GaussianMixture GeneralizedNormal KernelDensity KernelDensityOptions Knots Laplace LatentClasses LatentClassesOptions Logistic Made MadeOptions MixedGaussianMixture MixedGaussianMixtureOptions MixedMade MixedMadeOptions Mixture MixtureOptions Noise PixelAutoregressive Resampled ResampledOptions StandardNormal StudentT Subset SubsetDistribution TransformedDistribution Uniform VariationalAutoencoder VariationalAutoencoderOptions VonMises buildDistribution fitGaussianMixture isSubsetDistribution knownFeatures quantileKnots",
      "pushforward/evaluate": "Baseline CalibrationOptions CalibrationResult ClosestRows ColumnCalibration CompareOptions ComparedDensity Comparison ConditionalCalibrationOptions ContextCheck ControlOptions Controlled DifferentAtoms EvaluateOptions EvaluateResult Finding GaussianBaselineOptions IndependentBaselineOptions LogDensitiesOptions MeanEstimate ModelScorer ModelScorerOptions NamedBaseline PairTrend PrecisionCoverageOptions PrecisionCoverageResult PrivacyResult RareRow ReportNumbers ReportOptions ReportResult ReportRows RunningMean ScoreEstimate TableBaselinesOptions TrendOptions TrendResult TwoSampleOptions TwoSampleResult UsefulnessOptions UsefulnessResult bitsPerDimension calibration checkComparable compareLogDensities conditionalCalibration controlTables evaluate gaussianBaseline independentBaseline inferredColumns logDensities lowDensityThreshold precisionCoverage privacy report summarizeContext tableBaselines trend twoSample usefulness withControls",
      "pushforward/files": "CheckpointFileOptions checkpointFile loadModel saveModel writeFileAtomically",
      "pushforward/flows": "Anomaly AnomalyReason Autoencoder AutoencoderSampleOptions BNAFOptions BuildFlowOptions CNFOptions ColumnLabels ConditionedFlow ContextInput DequantizeOptions EncodeOptions ExpectedValue ExportFlowOptions ExportTableOptions Flow FlowDescription GaussianizationOptions GivenRecord GlowImageOptions ImageClassification ImageCouplingRecipeOptions ImageFlowRecipeOptions ImageModel ImageOptions ImageRecipeOptions ImageSampleOptions ImageTransformerOptions ImportanceLogProbOptions KindOptions LoadedModel MAFOptions MadeFlowOptions ModelToSave NAFOptions NSFOptions NiceImageOptions PlanarFlowOptions PolynomialFlowOptions RadialRecipeOptions RealNVPImageOptions RealNVPOptions RecipeOptions ResidualFlowOptions RowOptions RunOptions SampleOptions SylvesterFlowOptions TableAnomalies TableAnomaliesOptions TableImputeOptions TableModel TableSampleOptions TableScoreOptions TarflowOptions TrainingRecord UMNNOptions VAEOptions bnaf bpf buildFlow cnf decodeModel dequantize embedContext encodeModel estimateParameters flowSummary forTables gaussianization glow iaf imageTransformer loadParameters logitPixels madeFlow maf mixtureFlow modelLabels naf ncsf nice nsf parameterCount planarFlow radialFlow realNVP residualFlow saveParameters sospf sylvesterFlow tarflow umnn vae withConstants",
      "pushforward/graph": "Attributes Dimension Emitter Gradients Graph GraphOptions OnnxAttribute Operand Operation Parameter RandomInput Shape Tensor batchSize buildGraph concat constant conv2d drawForBatch drawForRows epsilon filled grad input isTraining jacobian loop printGraph scalar stack valueAndGrad vjp withGradient",
      "pushforward/images": "ImageClasses ImageGridOptions ImageRowsOptions ImageSet OpenImagesOptions Picture encodePng grayLevels imageGrid imageRows openImages withReflections",
      "pushforward/inference": "Argument Bound ConditionalDensityOptions Constraint DataInput Declarations Draws EarlierValues FitLikelihoodOptions FitPosteriorOptions InferOptions InferProgress InferResult InferSimulatorOptions InferSimulatorResult ObservationCheck ParameterSummary ParameterValues PredictiveCheck PredictiveOptions Prior Priors ProbabilisticModel RealOptions RowLikelihood SimulatedParameters SimulationCalibrationOptions SimulationLikelihood SimulationPosterior SimulationVerdict Simulations Simulator Terms ValuesOf Verdict above below checkObservation choleskyCorrelation data deterministic fitLikelihood fitPosterior infer inferSimulator interval logProb matrix model ordered positive positiveOrdered posteriorPredictive prior real simplex simulate simulationBasedCalibration simulator vector",
      "pushforward/mpi": "MpiCommunicator mpiCommunicator",
      "pushforward/nn": "Activation Autoregression BlockLinear CausalAttention CausalTransformer ConvNet ConvNetOptions Convolution ImageContext ImageShape IncrementalMaskedMLP IncrementalNetwork IncrementalTransformer KeyValueCache LayerNorm Linear MLP MaskedMLP NetworkDescription NetworkOptions SeparateMLPs TransformerOptions parametersOf trainableParameters",
      "pushforward/numerics": "IntegrateOptions VectorField cholesky integrate logGamma solveIncreasing solveLower",
      "pushforward/onnx": "ExportOptions Precision exportOnnx",
      "pushforward/report": "AutoencoderFigureOptions CornerFigureOptions DataAndSamples ImageFigureOptions LogDensity PairFigureOptions ReportPageOptions SamplesFigureOptions TableFigureOptions TrainingFigureOptions autoencoderFigure cornerFigure densityNodes imageFigure pairFigure reportPage samplesFigure svgToPng tableFigure trainingFigure",
      "pushforward/runtime": "CompileOptions Compiled EngineOptions Floats InputShapes compile useOnnxRuntime",
      "pushforward/train": "AnnealingOptions CheckpointStore Communicator DensityObjective FitDensityOptions FitDensityProgress FitDensityRecord FitDensityResult FitEpoch FitFlowsOptions FitFlowsResult FitOptions FitProgress FitResult FitSettings FitTableOptions FitTableResult ImportanceOptions ImportanceResult Loss LossBatch Member MinimizeEpoch MinimizeOptions MinimizeProgress MinimizeResult ModelOptimizer NamedRecipe OptimizerOptions ScheduleOptions TargetDensity TrainingData adam adamW fit fitDensity fitFlows fitTable importance initialize minimize sgd",
    }
  `);
});

describe("names", () => {
  const all = [...new Set(entryPoints.flatMap(exportsOf))];

  test("never differ by case only, but for a function and the type of what it makes", () => {
    const same = all.filter((name) =>
      all.some((other) => other !== name && other.toLowerCase() === name.toLowerCase()),
    );
    // A constraint has the name of its bijection.
    expect(same.sort()).toEqual([
      "ColumnSummary",
      "Dataset",
      "MpiCommunicator",
      "Ordered",
      "Prior",
      "Simulator",
      "columnSummary",
      "dataset",
      "mpiCommunicator",
      "ordered",
      "prior",
      "simulator",
    ]);
  });

  test("of results belong to a function", () => {
    const results = all.filter((name) => name.endsWith("Result"));
    expect(results.length).toBeGreaterThan(4);
    for (const result of results)
      expect(all).toContain(result[0].toLowerCase() + result.slice(1, -"Result".length));
  });
});
