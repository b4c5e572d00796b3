import type { DataRows } from "../bijections/index.ts";
import { concat, constant, logOneMinusExp, Parameter, type Tensor } from "../graph/index.ts";
import { chooseComponent } from "./chooseComponent.ts";
import { logisticQuantile } from "./logistic.ts";

/** Log-scales are clamped smoothly to +-8: the narrowest component fits into one of 256 cells, and no exponential overflows. */
const LOG_SCALE_BOUND = 8;
/** Replaces the logit of an atom at other values, so that its exponential is 0. */
const IMPOSSIBLE = -1e4;
/** Logits are divided by at least this, so that they do not overflow. */
const MIN_TEMPERATURE = 1e-6;

/** Options of a `DiscretizedMixture`. */
interface DiscretizedMixtureOptions {
  /** V: features have the values 0, 1, ... V - 1. */
  readonly values: number;
  /** K, the number of logistic components. */
  readonly components: number;
  /** A, the number of atoms. */
  readonly atoms: number;
}

/**
 * The conditional distribution of a feature with the integers 0 ... V - 1, such as a pixel, whose parameters a network computes
 * (Salimans et al. 2017, "PixelCNN++"): a mixture of A atoms, single values that data have often, and of K logistic distributions,
 * discretized to the cells of the numbers. With u = x / (V - 1), h = 1 / (2 (V - 1)) and F the logistic function, a component with location
 * m and scale s has the probability
 *
 *     p(x) = F((u + h - m) / s) - F((u - h - m) / s),
 *
 * where the first cell reaches to -infinity and the last one to infinity.
 *
 * The P = A + 3 K parameters are the logits of the atoms and of the components, the locations, and the log-scales. If they are 0, the
 * locations are equally spaced.
 */
export class DiscretizedMixture {
  /** P */
  readonly parameters: number;
  /** [A], the values of the atoms. */
  readonly atoms: Parameter;
  private readonly options: DiscretizedMixtureOptions;
  private readonly temperature: number = 1;

  constructor(options: DiscretizedMixtureOptions) {
    const { values, components, atoms } = options;
    this.options = options;
    this.parameters = atoms + 3 * components;
    this.atoms = new Parameter([atoms], () => Array.from({ length: atoms }, (_, i) => i), {
      trainable: false,
      domain: { min: 0, max: values - 1 },
    });
  }

  /** Makes the most frequent values the atoms. */
  fitToData({ values, features, weights }: DataRows): void {
    const counts = new Float64Array(this.options.values);
    for (let i = 0; i < values.length; i++) counts[values[i]!]! += weights?.[Math.floor(i / features)] ?? 1;
    const byFrequency = Array.from(counts.keys()).sort((a, b) => counts[b]! - counts[a]! || a - b);
    this.atoms.value = Float32Array.from(byFrequency.slice(0, this.options.atoms)).sort();
  }

  /** The distribution at a temperature T: for samples, logits are divided by T, and scales are multiplied by T. */
  atTemperature(temperature: number): DiscretizedMixture {
    return Object.assign(Object.create(DiscretizedMixture.prototype), this, {
      temperature: Math.max(MIN_TEMPERATURE, temperature),
    });
  }

  /** E = 1 + A, the number of numbers that encode a feature for a network. */
  get encodedSize(): number {
    return 1 + this.options.atoms;
  }

  /** Encodes integers x [...] for a network: u, and whether x is each of the atoms, [..., E]. */
  encode(x: Tensor): Tensor {
    const value = x.reshape([...x.shape, 1]);
    return concat([value.mul(1 / (this.options.values - 1)), value.equal(this.atomValues()).toFloat()], -1);
  }

  /** log P of integers x [...] in nats for their parameters [..., P]: [...]. */
  logProb(x: Tensor, parameters: Tensor): Tensor {
    const { values, components: K, atoms: A } = this.options;
    const { logits, locations, logScales } = this.split(parameters);
    const value = x.reshape([...x.shape, 1]);
    const inverse = logScales.neg().exp();
    const last = values - 1;
    const center = value.mul(1 / last).sub(locations);
    // A cell from a to b has log(F(b) - F(a)) = log F(b) + log F(-a) + log(1 - exp(a - b)), the first cell log F(b), and the last one log
    // F(-a).
    const logBelowUpper = center
      .add(0.5 / last)
      .mul(inverse)
      .neg()
      .softplus()
      .neg();
    const logAboveLower = center
      .sub(0.5 / last)
      .mul(inverse)
      .softplus()
      .neg();
    const inner = logOneMinusExp(inverse.mul(1 / last))
      .add(logBelowUpper)
      .add(logAboveLower);
    const logCell = value.equal(0).where(logBelowUpper, value.equal(last).where(logAboveLower, inner));
    const [atomLogits, componentLogits] = logits.split(-1, [A, K]);
    const isAtom = value.equal(this.atomValues());
    const joint = concat([isAtom.where(atomLogits, IMPOSSIBLE), logCell.add(componentLogits)], -1);
    return joint.logsumexp(-1).sub(logits.logsumexp(-1));
  }

  /**
   * Draws a number for each row, [N, 1], from its parameters [N, P] and two uniform numbers [N, 1]: the first chooses an atom or a
   * component, and the second is mapped by the quantile function of the component.
   */
  sample([choice, quantile]: readonly Tensor[], parameters: Tensor): Tensor {
    const { values, components: K, atoms: A } = this.options;
    const { logits, locations, logScales } = this.split(parameters);
    const [atom, component] = chooseComponent(logits.mul(1 / this.temperature), choice).split(-1, [A, K]);
    const sum = (chosen: Tensor) => chosen.sum(-1, { keepAxes: true });
    const scale = sum(component.mul(logScales)).exp().mul(this.temperature);
    const u = sum(component.mul(locations)).add(scale.mul(logisticQuantile(quantile)));
    const last = values - 1;
    const cell = u.mul(last).add(0.5).floor().clip(0, last);
    return sum(atom)
      .greater(0)
      .where(sum(atom.mul(this.atomValues())), cell);
  }

  /** The values of the atoms. They are integers even if a hostile model file has others. */
  private atomValues(): Tensor {
    return this.atoms.floor();
  }

  /** Logits [..., A + K], locations and log-scales [..., K]. */
  private split(parameters: Tensor) {
    const { components: K, atoms: A } = this.options;
    const [logits, locations, logScales] = parameters.split(-1, [A + K, K, K]);
    const centers = constant(
      Array.from({ length: K }, (_, k) => (k + 0.5) / K),
      [K],
    );
    return {
      logits,
      locations: locations.add(centers),
      logScales: logScales.sub(Math.log(4 * K)).softClamp(LOG_SCALE_BOUND),
    };
  }
}
