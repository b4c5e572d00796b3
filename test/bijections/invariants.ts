import { expect } from "vitest";
import type { Bijection, Transformed } from "../../src/bijections/index.ts";
import { grad, vjp } from "../../src/graph/grad.ts";
import { concat, type Tensor } from "../../src/graph/tensor.ts";
import { parametersOf, trainableParameters } from "../../src/nn/module.ts";
import { Random } from "../../src/random/index.ts";
import { compile, type Floats } from "../../src/runtime/compile.ts";
import { logAbsDeterminant } from "../mathematics/determinant.ts";

export const ROWS = 24;

/** Rows [ROWS, D] of both sides, and contexts [ROWS, C]: mostly near the origin, some far out. */
export function rowsFor({ features, context }: Pick<Bijection, "features" | "context">, scale = 1) {
  const random = new Random(5);
  const normal = (name: string, size: number) => random.split(name).normal(new Float64Array(ROWS * size));
  const spread = (values: Float64Array) =>
    values.map((x, i) => scale * x * (Math.floor(i / features) % 4 === 0 ? 3 : 1));
  return {
    z: spread(normal("z", features)),
    x: spread(normal("x", features)),
    context: normal("context", context),
  };
}

export type Rows = ReturnType<typeof rowsFor>;

/** Both directions and the ways back from them, in float32. */
export function float32RoundTrips(bijection: Bijection) {
  const run = compile((z, x, context) => bothWays(bijection, z, x, context), shapesOf(bijection));
  return ({ z, x, context }: Rows) => run(z, x, ...(bijection.context > 0 ? [context] : []));
}

/**
 * Everything that can be asked of a bijection in float64, as one graph, which is compiled once: both directions and the
 * ways back, vector-Jacobian products, and gradients with respect to the parameters.
 */
export function everything(bijection: Bijection) {
  const { features: D, context: C } = bijection;
  const parameters = [...trainableParameters(bijection)];
  const build = (z: Tensor, x: Tensor, cotangent: Tensor, context?: Tensor) => {
    const ways = bothWays(bijection, z, x, context);
    const tensors = parameters.map(([, parameter]) => parameter);
    const flat = (gradients: Tensor[]) =>
      concat(
        gradients.map((g, i) => g.reshape([tensors[i].value.length])),
        0,
      );
    // The mean log-density under a standard normal, and a loss on the sampling direction.
    const density = ways.latent.square().sum(1).mul(-0.5).add(ways.inverseLogDet).mean();
    const drawn = ways.data.sin().sum(1).add(ways.forwardLogDet).mean();
    return {
      ...ways,
      forwardProduct: vjp([ways.data], [z], [cotangent])[0],
      inverseProduct: vjp([ways.latent], [x], [cotangent])[0],
      density,
      drawn,
      ...(parameters.length > 0 && {
        densityGradient: flat(grad(density, tensors)),
        drawnGradient: flat(grad(drawn, tensors)),
      }),
    };
  };
  const [z, x, ...context] = shapesOf(bijection);
  const compiled = compile(build, [z, x, ["N", D], ...context], { precision: "float64" });
  type Output = Record<keyof ReturnType<typeof build>, Floats>;

  const run = (rows: Rows, cotangent = new Float64Array(ROWS * D)): Promise<Output> =>
    compiled(rows.z, rows.x, cotangent, ...(C > 0 ? [rows.context] : [])) as Promise<Output>;

  return {
    run,

    /** [ROWS, D, D] in both directions, a row of the matrix from each vector-Jacobian product. */
    async jacobians(rows: Rows) {
      const result = { forward: new Float64Array(ROWS * D * D), inverse: new Float64Array(ROWS * D * D) };
      for (let i = 0; i < D; i++) {
        const unit = new Float64Array(ROWS * D).map((_, k) => (k % D === i ? 1 : 0));
        const { forwardProduct, inverseProduct } = await run(rows, unit);
        for (let r = 0; r < ROWS; r++) {
          result.forward.set(forwardProduct.subarray(r * D, (r + 1) * D), (r * D + i) * D);
          result.inverse.set(inverseProduct.subarray(r * D, (r + 1) * D), (r * D + i) * D);
        }
      }
      return result;
    },

    /** The same by central differences. */
    async differences(rows: Rows) {
      const result = { forward: new Float64Array(ROWS * D * D), inverse: new Float64Array(ROWS * D * D) };
      const h = 1e-6;
      for (let j = 0; j < D; j++) {
        const moved = (step: number) => {
          const move = (values: Float64Array) => values.map((v, k) => (k % D === j ? v + step : v));
          return run({ ...rows, z: move(rows.z), x: move(rows.x) });
        };
        const [above, below] = [await moved(h), await moved(-h)];
        for (let k = 0; k < ROWS * D; k++) {
          result.forward[k * D + j] = (above.data[k] - below.data[k]) / (2 * h);
          result.inverse[k * D + j] = (above.latent[k] - below.latent[k]) / (2 * h);
        }
      }
      return result;
    },

    /** What both losses grow by with a step of all parameters along a direction, by gradients and by central differences. */
    async alongDirection(rows: Rows): Promise<{ gradients: number[]; differences: number[] }> {
      const direction = parameters.map(([name, { value }]) =>
        new Random(7).split(name).normal(new Float64Array(value.length)),
      );
      const { densityGradient, drawnGradient } = await run(rows);
      const flat = direction.flatMap((part) => Array.from(part));
      const gradients = [densityGradient, drawnGradient].map((gradient) =>
        flat.reduce((sum, v, i) => sum + v * gradient[i], 0),
      );
      const before = parameters.map(([, { value }]) => value);
      const h = 1e-6;
      const at = async (step: number) => {
        parameters.forEach(([, parameter], i) => {
          parameter.value = direction[i].map((v, k) => before[i][k] + step * v);
        });
        const { density, drawn } = await run(rows);
        return [density[0], drawn[0]];
      };
      const [above, below] = [await at(h), await at(-h)];
      parameters.forEach(([, parameter], i) => {
        parameter.value = before[i];
      });
      return { gradients, differences: above.map((v, i) => (v - below[i]) / (2 * h)) };
    },

    /** Gradients of both losses by the name of the parameter. */
    async parameterGradients(rows: Rows): Promise<Map<string, Floats[]>> {
      const { densityGradient, drawnGradient } = await run(rows);
      let start = 0;
      return new Map(
        parameters.map(([name, { value }]) => {
          const end = start + value.length;
          const parts = [densityGradient, drawnGradient].map((all) => all.subarray(start, end));
          start = end;
          return [name, parts];
        }),
      );
    },
  };
}

const shapesOf = ({ features, context }: Bijection) => [
  ["N", features] as const,
  ["N", features] as const,
  ...(context > 0 ? [["N", context] as const] : []),
];

function bothWays(bijection: Bijection, z: Tensor, x: Tensor, context?: Tensor) {
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

/** Both ways lead back, and the log-determinants of a way and of the way back are opposite. */
export function expectRoundTrips(
  out: Record<"z" | "x" | "forwardLogDet" | "inverseLogDet" | "fromDataLogDet" | "fromLatentLogDet", Floats>,
  rows: Rows,
  tolerance: number,
): void {
  const opposite = (values: Floats) => values.map((v) => -v);
  expectClose(out.z, rows.z, tolerance, "z -> x -> z");
  expectClose(out.x, rows.x, tolerance, "x -> z -> x");
  expectClose(opposite(out.fromDataLogDet), out.forwardLogDet, 10 * tolerance, "log-det from z and back");
  expectClose(opposite(out.fromLatentLogDet), out.inverseLogDet, 10 * tolerance, "log-det from x and back");
}

/** `logDet` [ROWS] is log |det| of each of the matrices [ROWS, size, size]. */
export function expectLogDeterminants(matrices: Floats, logDet: Floats, size: number): void {
  const determinants = Float64Array.from(logDet, (_, row) =>
    logAbsDeterminant(matrices.subarray(row * size * size, (row + 1) * size * size), size),
  );
  expectClose(logDet, determinants, 1e-9, "log-det");
}

/** |a - b| <= tolerance max(1, |b|) for all numbers; a NaN is never close. */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  expect(actual.length, what).toBe(expected.length);
  const error = (i: number) => Math.abs(actual[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
  let worst = 0;
  for (let i = 1; i < expected.length; i++) if (!(error(i) <= error(worst))) worst = i;
  if (expected.length === 0 || error(worst) <= tolerance) return;
  expect.fail(`${what}: number ${worst} is ${actual[worst]}, not ${expected[worst]}: off by ${error(worst)}`);
}

export const allFinite = (values: ArrayLike<number>): boolean => Array.from(values).every(Number.isFinite);

/** Copies parameters of one tree onto those of the same names in another. */
export function copyParameters(from: object, to: object): void {
  const targets = parametersOf(to);
  const sources = parametersOf(from);
  expect([...targets.keys()]).toEqual([...sources.keys()]);
  for (const [name, parameter] of sources) targets.get(name)!.value = parameter.value.slice();
}
