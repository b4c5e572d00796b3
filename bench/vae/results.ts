import { withError } from "../papers/statistics.ts";
import { table } from "../speed/table.ts";
import { HIDDEN, LATENT, MODEL_NAMES, REFERENCE } from "./models.ts";

export const EPOCHS = 40;
export const WARM_UP = 10;
export const LEARNING_RATE = 2e-3;
/** K of the importance-sampled estimate, and the number of images that it is computed for. */
export const IMPORTANCE_DRAWS = 500;
export const IMPORTANCE_IMAGES = 500;

/** Means over images in nats. */
export interface Estimates {
  /** The evidence lower bound of all images. */
  readonly bound: number;
  /** The evidence lower bound of the first images, and the importance-sampled estimate of log p(x) of the same ones. */
  readonly boundOfFirst: number;
  readonly importance: number;
}

/** The bound minus that of the model without a flow and of the same seed: the mean over images, and its standard error. */
export interface Difference {
  readonly mean: number;
  readonly error: number;
}

/** A trained model. */
export interface Run {
  readonly model: string;
  readonly seed: number;
  readonly epochs: number;
  readonly bestEpoch: number;
  readonly validation: Estimates;
  test?: Estimates & { readonly difference: Difference };
}

/** RESULTS.md, from all runs with test results. */
export function resultsPage(runs: readonly Run[]): string {
  const rows = MODEL_NAMES.flatMap((model) => {
    const ofModel = runs.filter((run) => run.model === model && run.test);
    if (ofModel.length === 0) return [];
    const over = (value: (run: Required<Run>) => number) =>
      withError(ofModel.map((run) => value(run as Required<Run>)));
    const differences = ofModel.map(({ test }) => test!.difference);
    const [{ mean, error }] = differences as [Difference];
    const difference =
      differences.length === 1
        ? `${signed(mean)} ± ${error.toFixed(2)}`
        : `+${withError(differences.map((each) => each.mean))}`.replace("+-", "-");
    return [
      [
        model,
        `${ofModel.length}`,
        over(({ validation }) => validation.bound),
        over(({ test }) => test.bound),
        model === REFERENCE ? "" : difference,
        over(({ test }) => test.boundOfFirst),
        over(({ test }) => test.importance),
        over(({ test }) => test.importance - test.boundOfFirst),
      ],
    ];
  });
  return `# Autoencoders of binarized MNIST

Written by \`npm run bench:vae\` (bench/vae.ts). Means over images in nats. The evidence lower bound is that of 10,000 validation or test
images. The last three columns are of the first ${IMPORTANCE_IMAGES} test images: the bound, the importance-sampled estimate of log p(x) with
${IMPORTANCE_DRAWS} draws of z for each image, and the estimate minus the bound, which is about how much a better posterior of the same model
could gain.

${table(COLUMNS, rows)}

- **Data**: MNIST, each pixel set to 1 with a probability of its gray level / 255, once, with seed 0. These are not the files of the
  published binarization, so results cannot be compared with published ones to the digit. Training has the first 50,000 images, and the last
  10,000 of the training file are validation images. The test images were read once, after all choices had been made.
- **Models**: ${LATENT} latent features; the encoder and the decoder have hidden layers of ${HIDDEN.join(" and ")} units. The posteriors have 16
  planar maps, 4 inverse autoregressive maps, or 4 Sylvester maps of 16 columns, with parameters from the encoder. The flow of the prior
  is a MAF of 3 layers.
- **Training**: ${EPOCHS} epochs of batches of 100 with AdaMax (learning rate ${LEARNING_RATE}, decreasing to 0 along a cosine), KL warm-up over
  ${WARM_UP} epochs; the weights of the epoch with the best validation bound. van den Berg et al. (2018) have 64 latent features, and train until the validation bound has not
  improved for 100 epochs: -86.55 without a flow, -86.06 planar, -84.20 IAF, -83.32 Sylvester. The order of the models can be compared
  with theirs, but not the values.
- **Errors**: with several seeds, values are means ± standard errors over seeds, and the difference is that from the first row with the same
  seed. With one seed, its error is the standard error over images, which does not include the variation of training.
`;
}

const COLUMNS = [
  "posterior",
  "seeds",
  "validation bound",
  "test bound",
  "difference",
  `bound of ${IMPORTANCE_IMAGES}`,
  "log p(x)",
  "gap",
];

const signed = (value: number) => `${value > 0 ? "+" : ""}${value.toFixed(2)}`;
