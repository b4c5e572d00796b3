import { concat, grad, type Tensor, vjp } from "../graph/index.ts";
import { trainableParameters } from "../nn/index.ts";
import { Random } from "../random/index.ts";
import { compile, type Floats } from "../runtime/index.ts";
import type { Bijection, Transformed } from "./bijection.ts";

/** The rows on which `checkBijection` evaluates a bijection: latent rows z and data rows x, [n, D] each, and contexts [n, C]. */
export interface CheckRows {
  readonly z: Float64Array;
  readonly x: Float64Array;
  readonly context: Float64Array;
}

/**
 * A run computes several columns of the Jacobian at once: it repeats all rows once for each of these columns. It has at most this many rows
 * in total, or all rows once if there are more. Smaller runs waste time on the fixed cost of each node; larger runs of large networks need
 * much memory.
 */
const RUN_ROWS = 256;

/** Repeats the rows `times` times. */
function repeated({ z, x, context }: CheckRows, times: number): CheckRows {
  const repeat = (values: Float64Array) => {
    const result = new Float64Array(values.length * times);
    for (let i = 0; i < times; i++) result.set(values, i * values.length);
    return result;
  };
  return { z: repeat(z), x: repeat(x), context: repeat(context) };
}

/** The outputs of `roundTrips` as numbers. */
export type RoundTrips = Record<keyof ReturnType<typeof roundTrips>, Floats>;

/** Applies both directions to z and x, and then the other direction to each result, which leads back to z and x. */
function roundTrips(bijection: Bijection, z: Tensor, x: Tensor, context?: Tensor) {
  const perRow = ({ value, logDet }: Transformed) => ({ value, logDet: logDet.broadcastTo(["N"]) });
  const data = perRow(bijection.forward(z, context));
  const latent = perRow(bijection.inverse(x, context));
  const fromData = perRow(bijection.inverse(data.value, context));
  const fromLatent = perRow(bijection.forward(latent.value, context));
  return {
    data: data.value,
    latent: latent.value,
    forwardLogDet: data.logDet,
    inverseLogDet: latent.logDet,
    z: fromData.value,
    x: fromLatent.value,
    fromDataLogDet: fromData.logDet,
    fromLatentLogDet: fromLatent.logDet,
  };
}

const shapesOf = ({ features, context }: Bijection) => [
  ["N", features] as const,
  ["N", features] as const,
  ...(context > 0 ? [["N", context] as const] : []),
];

/** `roundTrips`, compiled in float32. */
export function compileFloat32Checks(bijection: Bijection) {
  const compiled = compile((z, x, context) => roundTrips(bijection, z, x, context), shapesOf(bijection));
  return {
    run: ({ z, x, context }: CheckRows): Promise<RoundTrips> =>
      compiled(z, x, ...(bijection.context > 0 ? [context] : [])),
    /** The graph with the values of its parameters, as an ONNX file. */
    file: () => compiled.bytes(),
    release: () => compiled.release(),
  };
}

export type Float32Checks = ReturnType<typeof compileFloat32Checks>;

/** Whether both have equal operations and equal parameters, so that they compute equal numbers. */
export function haveEqualGraphs(a: Float32Checks, b: Float32Checks): boolean {
  const [file, other] = [a.file(), b.file()];
  return file.length === other.length && file.every((byte, i) => byte === other[i]);
}

/** One loss for each direction, from the results of `roundTrips`. */
function losses({ data, forwardLogDet, latent, inverseLogDet }: ReturnType<typeof roundTrips>) {
  return {
    /** The mean log-density of the data rows under a standard normal. */
    logProb: latent.square().sum(1).mul(-0.5).add(inverseLogDet).mean(),
    /** Bounded, because distant samples such as those of `Tails` would make finite differences inaccurate. */
    sampleLoss: data.softClamp(3).sum(1).add(forwardLogDet).mean(),
  };
}

/**
 * All float64 checks of a bijection as two graphs, so that it is compiled only twice: one of round trips and losses, and one of
 * derivatives, which can take ten times as long to run.
 */
export function compileFloat64Checks(bijection: Bijection) {
  const { features: D, context: C } = bijection;
  const parameters = [...trainableParameters(bijection)];
  const buildValues = (z: Tensor, x: Tensor, context?: Tensor) => {
    const trips = roundTrips(bijection, z, x, context);
    return { ...trips, ...losses(trips) };
  };
  /** Vector-Jacobian products, and gradients of the losses with respect to the parameters. */
  const buildDerivatives = (z: Tensor, x: Tensor, cotangent: Tensor, context?: Tensor) => {
    const trips = roundTrips(bijection, z, x, context);
    const { logProb, sampleLoss } = losses(trips);
    const tensors = parameters.map(([, parameter]) => parameter);
    const flat = (gradients: Tensor[]) =>
      concat(
        gradients.map((g, i) => g.reshape([tensors[i].numbers.length])),
        0,
      );
    return {
      forwardProduct: vjp([trips.data], [z], [cotangent])[0],
      inverseProduct: vjp([trips.latent], [x], [cotangent])[0],
      ...(parameters.length > 0 && {
        logProbGradient: flat(grad(logProb, tensors)),
        sampleLossGradient: flat(grad(sampleLoss, tensors)),
      }),
    };
  };
  const [z, x, ...context] = shapesOf(bijection);
  const values = compile(buildValues, [z, x, ...context], { precision: "float64" });
  // Traced when it is needed: some tests check values only.
  let derivatives: ReturnType<typeof compileDerivatives> | undefined;
  const compileDerivatives = () =>
    compile(buildDerivatives, [z, x, ["N", D], ...context], { precision: "float64" });

  const contextOf = (rows: CheckRows) => (C > 0 ? [rows.context] : []);
  const run = (rows: CheckRows): Promise<Record<keyof ReturnType<typeof buildValues>, Floats>> =>
    values(rows.z, rows.x, ...contextOf(rows));
  type Derivatives = Record<keyof ReturnType<typeof buildDerivatives>, Floats>;
  const runDerivatives = (
    rows: CheckRows,
    cotangent = new Float64Array(rows.z.length),
  ): Promise<Derivatives> => {
    derivatives ??= compileDerivatives();
    return derivatives(rows.z, rows.x, cotangent, ...contextOf(rows)) as Promise<Derivatives>;
  };

  /**
   * Divides the features into groups. A run repeats the rows once for each feature of its group, so groups are as large as `RUN_ROWS` allows, but
   * contain at least one feature.
   */
  const featureGroups = (count: number): number[][] => {
    const groupSize = Math.max(1, Math.floor(RUN_ROWS / count));
    return Array.from({ length: Math.ceil(D / groupSize) }, (_, group) =>
      Array.from({ length: Math.min(groupSize, D - group * groupSize) }, (_, i) => group * groupSize + i),
    );
  };

  return {
    run,
    async release(): Promise<void> {
      await Promise.all([values.release(), derivatives?.release()]);
    },

    /** Jacobians [n, D, D] of both directions; each vector-Jacobian product computes one row of them. */
    async jacobians(rows: CheckRows) {
      const size = rows.z.length;
      const result = { forward: new Float64Array(size * D), inverse: new Float64Array(size * D) };
      for (const features of featureGroups(size / D)) {
        const units = features.flatMap((i) => Array.from(rows.z, (_, k) => (k % D === i ? 1 : 0)));
        const { forwardProduct, inverseProduct } = await runDerivatives(
          repeated(rows, features.length),
          Float64Array.from(units),
        );
        features.forEach((i, group) => {
          for (let r = 0; r < size / D; r++) {
            const start = group * size + r * D;
            result.forward.set(forwardProduct.subarray(start, start + D), (r * D + i) * D);
            result.inverse.set(inverseProduct.subarray(start, start + D), (r * D + i) * D);
          }
        });
      }
      return result;
    },

    /** Jacobians [n, D, D] of both directions by central differences. */
    async finiteDifferences(rows: CheckRows) {
      const size = rows.z.length;
      const result = { forward: new Float64Array(size * D), inverse: new Float64Array(size * D) };
      // With a larger step, a ReLU network of images often has a unit whose kink is between the two points.
      const h = 1e-7;
      for (const features of featureGroups(size / D)) {
        const all = repeated(rows, features.length);
        const runShifted = (step: number) => {
          const shift = (values: Float64Array) =>
            values.map((v, k) => (k % D === features[Math.floor(k / size)] ? v + step : v));
          return run({ ...all, z: shift(all.z), x: shift(all.x) });
        };
        const [above, below] = [await runShifted(h), await runShifted(-h)];
        features.forEach((j, group) => {
          for (let k = 0; k < size; k++) {
            const at = group * size + k;
            result.forward[k * D + j] = (above.data[at] - below.data[at]) / (2 * h);
            result.inverse[k * D + j] = (above.latent[at] - below.latent[at]) / (2 * h);
          }
        });
      }
      return result;
    },

    /**
     * Derivatives of both losses along a random direction in parameter space, by `parameterGradients` and by central differences of points at
     * the distance h.
     */
    async directionalDerivatives(
      rows: CheckRows,
      byName: ReadonlyMap<string, Floats[]>,
      h: number,
    ): Promise<{ gradients: number[]; differences: number[] }> {
      const direction = parameters.map(([name, { numbers }]) =>
        new Random(7).split(name).normal(new Float64Array(numbers.length)),
      );
      const gradients = [0, 1].map((loss) => {
        const products = parameters.flatMap(([name], i) =>
          Array.from(byName.get(name)![loss], (g, k) => g * direction[i][k]),
        );
        return products.reduce((sum, product) => sum + product, 0);
      });
      const before = parameters.map(([, { value }]) => value);
      const lossesAfterStep = async (step: number) => {
        parameters.forEach(([, parameter], i) => {
          parameter.value = direction[i].map((v, k) => before[i][k] + step * v);
        });
        const { logProb, sampleLoss } = await run(rows);
        return [logProb[0], sampleLoss[0]];
      };
      const [above, below] = [await lossesAfterStep(h), await lossesAfterStep(-h)];
      parameters.forEach(([, parameter], i) => {
        parameter.value = before[i];
      });
      return { gradients, differences: above.map((v, i) => (v - below[i]) / (2 * h)) };
    },

    /** For each parameter name the gradients of both losses. */
    async parameterGradients(rows: CheckRows): Promise<Map<string, Floats[]>> {
      if (parameters.length === 0) return new Map();
      const { logProbGradient, sampleLossGradient } = await runDerivatives(rows);
      let start = 0;
      return new Map(
        parameters.map(([name, { numbers }]) => {
          const end = start + numbers.length;
          const parts = [logProbGradient, sampleLossGradient].map((gradient) =>
            gradient.subarray(start, end),
          );
          start = end;
          return [name, parts];
        }),
      );
    },
  };
}
