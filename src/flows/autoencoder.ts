import {
  brief,
  checkOptions,
  integerFrom,
  numberFrom,
  type OptionRules,
  PushforwardError,
  seedValue,
} from "../check/index.ts";
import type { RowsInput } from "../dataset/index.ts";
import { TransformedDistribution, VariationalAutoencoder } from "../distributions/index.ts";
import type { Tensor } from "../graph/index.ts";
import { logMeanExp } from "../numerics/index.ts";
import { Random } from "../random/index.ts";
import { runRules } from "../runtime/index.ts";
import { ActiveCalls } from "./activeCalls.ts";
import { arrayInput, BatchRunner, type RowInput, type RunOptions } from "./batchRunner.ts";
import { Flow } from "./flow.ts";
import { checkCount } from "./flowEvaluator.ts";
import { latentLine } from "./latentLine.ts";
import { dataRows } from "./rowInputs.ts";

/** Options of `Autoencoder.encode` and `reconstruct`. */
export interface EncodeOptions extends RunOptions {
  /**
   * T: the noise of the posterior is multiplied by T. With 0, the default, a row has one code: the mean of a Gaussian posterior, or the
   * point to which the maps of a flow move the mean of their Gaussian. With 1, codes are draws from q(z | x).
   */
  temperature?: number | undefined;
  /** Seed of the draws. Default 0. */
  seed?: number | undefined;
}

/** Options of `Autoencoder.sample`. */
export interface AutoencoderSampleOptions extends RunOptions {
  /**
   * T: draws from the prior, or from the base distribution of a prior that is a flow, are multiplied by T. Below 1, samples are more
   * typical and less diverse. Default 1.
   */
  temperature?: number | undefined;
  /** Sample i depends only on the seed and i. Default 0. */
  seed?: number | undefined;
}

/** Options of `Autoencoder.logProb`. */
export interface ImportanceLogProbOptions extends RunOptions {
  /** K, the number of draws of z for each row. Default 100. */
  samples?: number | undefined;
  /** Seed of the draws. Default 0. */
  seed?: number | undefined;
}

const drawRules: OptionRules<EncodeOptions & AutoencoderSampleOptions> = {
  ...runRules,
  temperature: numberFrom(0),
  seed: seedValue,
};

/** A call computes at most this many draws, or all draws of one row, to bound the memory. */
const DRAWS_PER_CALL = 2 ** 17;

/** 1 - MIN_UNIFORM is the largest float32 number below 1. */
const MIN_UNIFORM = 2 ** -24;

/**
 * The methods of a variational autoencoder for numbers: a flow whose base is a `VariationalAutoencoder`, such as `vae` returns. Rows
 * are [n, D], latent rows [n, L], both flat float64 arrays in row-major order. A standardization next to the data is applied in
 * float64, so rows are in data units. `flow.sample` draws rows with the noise of the decoder; `sample` here returns their centers, which
 * is what papers show as samples.
 */
export class Autoencoder implements AsyncDisposable {
  readonly flow: Flow;
  /** L, the number of latent features. */
  readonly latentFeatures: number;
  // #private fields, so that walking the public properties finds only the parts of the flow.
  readonly #model: VariationalAutoencoder;
  readonly #runner: BatchRunner;
  readonly #calls = new ActiveCalls();

  /** Throws `ARGUMENT` unless the base of the flow is a variational autoencoder. */
  constructor(flow: Flow) {
    const model = flow instanceof Flow ? flow.base : undefined;
    if (!(model instanceof VariationalAutoencoder)) {
      throw new PushforwardError("ARGUMENT", "the flow is not a variational autoencoder", {
        expected: "a flow whose base is a VariationalAutoencoder, such as vae(784, { values: 2 })",
        received: model ? `the base ${model.describe().type}` : brief(flow),
      });
    }
    this.flow = flow;
    this.latentFeatures = model.latentFeatures;
    this.#model = model;
    this.#runner = new BatchRunner(() => flow.parameters());
  }

  /** D, the number of features. */
  get features(): number {
    return this.flow.features;
  }

  /**
   * Latent rows of rows of data, [n, D] -> [n, L].
   *
   * @throws SHAPE for rows that do not have D numbers; DATA for text, NaN and infinite numbers; ARGUMENT for options that are not valid.
   */
  async encode<Row extends object>(rows: RowsInput<Row>, options: EncodeOptions = {}): Promise<Float64Array> {
    checkOptions("encode", options, drawRules);
    const { temperature = 0, seed = 0, ...run } = options;
    const { inner, standardize } = this.flow.unstandardized();
    const flatRows = dataRows("the rows", rows, this.flow);
    const build = (x: Tensor, ...noise: Tensor[]) => ({
      z: this.#model.encode(inner.bijection.inverse(x).value, noise).samples,
    });
    const inputs = [
      arrayInput(flatRows, standardize),
      ...this.#scaledNoise(this.#model.posterior.noise, flatRows.rows, temperature, seed),
    ];
    return (await this.#runner.run("encode", build, inputs, flatRows.rows, run)).z!;
  }

  /**
   * The centers of rows given their latent rows, [n, L] -> [n, D]: probabilities of ones, means or locations. Throws `ARGUMENT` for a
   * decoder without centers.
   */
  async decode<Row extends object>(latent: RowsInput<Row>, options: RunOptions = {}): Promise<Float64Array> {
    checkOptions("decode", options, runRules);
    const { inner, standardize } = this.flow.unstandardized();
    const { decoder, prior } = this.#model;
    if (!decoder.center) {
      throw new PushforwardError("ARGUMENT", "the decoder has no centers to return", {
        received: `the decoder ${decoder.describe().type}`,
        hint: "Draw rows with flow.sample(n).",
      });
    }
    const flatRows = dataRows("the latent rows", latent, new Flow(prior));
    const build = (z: Tensor) => ({ x: inner.bijection.forward(decoder.center!(z)).value });
    const { x } = await this.#runner.run("decode", build, [arrayInput(flatRows)], flatRows.rows, options);
    return standardize?.toData(x!, x) ?? x!;
  }

  /** Encodes rows and decodes their latent rows, [n, D] -> [n, D]. Throws the errors of `encode` and `decode`. */
  reconstruct<Row extends object>(rows: RowsInput<Row>, options: EncodeOptions = {}): Promise<Float64Array> {
    return this.#calls.run(async () => {
      checkOptions("reconstruct", options, drawRules);
      const { temperature: _, seed: __, ...run } = options;
      return this.decode(await this.encode(rows, options), run);
    });
  }

  /**
   * The centers of n rows whose latent rows are drawn from the prior, [n, D]. Throws `ARGUMENT` if n is not an integer from 0, if the
   * options are not valid, and for a decoder without centers.
   */
  sample(n: number, options: AutoencoderSampleOptions = {}): Promise<Float64Array> {
    return this.#calls.run(async () => {
      checkOptions("sample", options, drawRules);
      checkCount("the number of samples", n);
      const { temperature = 1, seed = 0, ...run } = options;
      const { prior } = this.#model;
      const { base, bijection } =
        prior instanceof TransformedDistribution ? prior : { base: prior, bijection: undefined };
      const build = (factor: Tensor, ...noise: Tensor[]) => {
        const draws = base.sample(noise).mul(factor);
        return { z: bijection ? bijection.forward(draws).value : draws };
      };
      const factor = arrayInput({ features: 1, values: new Float64Array(n).fill(temperature) });
      const inputs = [factor, ...this.#scaledNoise(prior.noise, n, 1, seed)];
      const { z } = await this.#runner.run("samplePrior", build, inputs, n, run);
      return this.decode(z!, run);
    });
  }

  /**
   * Decoded latent rows on the straight line between the codes of two rows, with both ends: [steps, D]. Throws `ARGUMENT` for fewer than
   * two steps.
   */
  interpolate(
    from: ArrayLike<number>,
    to: ArrayLike<number>,
    steps: number,
    options: RunOptions = {},
  ): Promise<Float64Array> {
    return this.#calls.run(async () => {
      checkOptions("interpolate", options, runRules);
      checkCount("the number of steps of interpolate", steps, 2);
      const codes = await this.encode([from, to], options);
      const L = this.latentFeatures;
      return this.decode(latentLine(codes.subarray(0, L), codes.subarray(L), steps), options);
    });
  }

  /**
   * The importance-sampled estimate of log p(x) of each row in nats, [n], from K draws of z (Burda et al. 2016):
   *
   *     log 1/K sum_k p(x | z_k) p(z_k) / q(z_k | x).
   *
   * In expectation it is a lower bound of log p(x), which increases with K; for K = 1 it is the evidence lower bound.
   *
   * @throws SHAPE for rows that do not have D numbers; DATA for text, NaN and infinite numbers; ARGUMENT for options that are not valid.
   */
  logProb<Row extends object>(
    rows: RowsInput<Row>,
    options: ImportanceLogProbOptions = {},
  ): Promise<Float64Array> {
    return this.#calls.run(async () => {
      checkOptions("logProb", options, { ...runRules, samples: integerFrom(1), seed: seedValue });
      const { samples = 100, seed = 0, ...run } = options;
      const { inner, standardize } = this.flow.unstandardized();
      const model = this.#model;
      const flatRows = dataRows("the rows", rows, this.flow);
      const D = this.features;
      const random = new Random(seed).split("importance");
      const build = (x: Tensor, ...noise: Tensor[]) => {
        const { value, logDet } = inner.bijection.inverse(x);
        const { logLikelihood, divergence } = model.boundTerms(value, noise);
        return { logWeight: logLikelihood.sub(divergence).add(logDet) };
      };
      const result = new Float64Array(flatRows.rows);
      const rowsPerCall = Math.max(1, Math.floor(DRAWS_PER_CALL / samples));
      for (let start = 0; start < flatRows.rows; start += rowsPerCall) {
        const end = Math.min(flatRows.rows, start + rowsPerCall);
        const part = { features: D, values: flatRows.values.subarray(start * D, end * D) };
        const inputs = [
          arrayInput(part, standardize, (draw) => Math.floor(draw / samples)),
          ...model.posterior.noise.map(
            (each, i): RowInput => ({ ...each, random: random.split(i), first: start * samples }),
          ),
        ];
        const draws = (end - start) * samples;
        const { logWeight } = await this.#runner.run("logProb", build, inputs, draws, run);
        for (let n = start; n < end; n++) {
          const from = (n - start) * samples;
          result[n] = logMeanExp(logWeight!.subarray(from, from + samples)) - (standardize?.logScale() ?? 0);
        }
      }
      return result;
    });
  }

  /** Waits for earlier calls, and then frees what the methods keep for their next call. */
  async release(): Promise<void> {
    await this.#calls.ended();
    await this.#runner.release();
    await this.flow.release();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  /**
   * Noise of rows as inputs of a graph: normal numbers u become T u at the temperature T, and uniform ones 1/2 + T (u - 1/2), clipped to
   * the numbers of float32 between 0 and 1.
   */
  #scaledNoise(
    noise: VariationalAutoencoder["noise"],
    rows: number,
    temperature: number,
    seed: number,
  ): RowInput[] {
    const random = new Random(seed).split("latent");
    return noise.map(({ kind, size }, i) => {
      const numbers = random.split(i)[kind](new Float64Array(rows * size));
      // A uniform number of float64 that is nearly 1 would be rounded to 1 in float32, so it is clipped at any temperature.
      const isUnchanged = temperature === 1 && kind === "normal";
      const scaled = (u: number) =>
        kind === "normal"
          ? temperature * u
          : Math.min(1 - MIN_UNIFORM, Math.max(MIN_UNIFORM, 0.5 + temperature * (u - 0.5)));
      return arrayInput({ features: size, values: isUnchanged ? numbers : numbers.map(scaled) });
    });
  }
}
