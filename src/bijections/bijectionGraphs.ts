import { grad, vjp } from "../graph/grad.ts";
import { concat, type Tensor } from "../graph/tensor.ts";
import { trainableParameters } from "../nn/module.ts";
import { Random } from "../random/index.ts";
import { compile, type Floats } from "../runtime/compile.ts";
import type { Bijection, Transformed } from "./bijection.ts";

/** Rows [n, D] of both sides, and contexts [n, C]. */
export interface SideRows {
  readonly z: Float64Array;
  readonly x: Float64Array;
  readonly context: Float64Array;
}

/** What both directions give for z and x, and for what they gave. */
export type BothWays = Record<keyof ReturnType<typeof bothWays>, Floats>;

/** Both directions, and the ways back from them. */
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

const shapesOf = ({ features, context }: Bijection) => [
  ["N", features] as const,
  ["N", features] as const,
  ...(context > 0 ? [["N", context] as const] : []),
];

/** Both directions and the ways back from them, in float32. */
export function float32Graph(bijection: Bijection) {
  const compiled = compile((z, x, context) => bothWays(bijection, z, x, context), shapesOf(bijection));
  return {
    run: ({ z, x, context }: SideRows): Promise<BothWays> =>
      compiled(z, x, ...(bijection.context > 0 ? [context] : [])),
    release: () => compiled.release(),
  };
}

/**
 * Everything that can be asked of a bijection in float64, as one graph, which is compiled once: both directions and the
 * ways back, vector-Jacobian products, and gradients with respect to the parameters.
 */
export function float64Graph(bijection: Bijection) {
  const { features: D, context: C } = bijection;
  const parameters = [...trainableParameters(bijection)];
  const build = (z: Tensor, x: Tensor, cotangent: Tensor, context?: Tensor) => {
    const ways = bothWays(bijection, z, x, context);
    const tensors = parameters.map(([, parameter]) => parameter);
    const flat = (gradients: Tensor[]) =>
      concat(
        gradients.map((g, i) => g.reshape([tensors[i].numbers.length])),
        0,
      );
    // The mean log-density under a standard normal, and a loss on the sampling direction. That one is bounded: of far rows, such
    // as those that `Tails` makes, differences would be rounding.
    const density = ways.latent.square().sum(1).mul(-0.5).add(ways.inverseLogDet).mean();
    const drawn = ways.data.softClamp(3).sum(1).add(ways.forwardLogDet).mean();
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

  const run = (rows: SideRows, cotangent = new Float64Array(rows.z.length)): Promise<Output> =>
    compiled(rows.z, rows.x, cotangent, ...(C > 0 ? [rows.context] : [])) as Promise<Output>;

  return {
    run,
    release: () => compiled.release(),

    /** [n, D, D] in both directions, a row of the matrix from each vector-Jacobian product. */
    async jacobians(rows: SideRows) {
      const size = rows.z.length;
      const result = { forward: new Float64Array(size * D), inverse: new Float64Array(size * D) };
      for (let i = 0; i < D; i++) {
        const unit = new Float64Array(size).map((_, k) => (k % D === i ? 1 : 0));
        const { forwardProduct, inverseProduct } = await run(rows, unit);
        for (let r = 0; r < size / D; r++) {
          result.forward.set(forwardProduct.subarray(r * D, (r + 1) * D), (r * D + i) * D);
          result.inverse.set(inverseProduct.subarray(r * D, (r + 1) * D), (r * D + i) * D);
        }
      }
      return result;
    },

    /** The same by central differences. */
    async differences(rows: SideRows) {
      const size = rows.z.length;
      const result = { forward: new Float64Array(size * D), inverse: new Float64Array(size * D) };
      const h = 1e-6;
      for (let j = 0; j < D; j++) {
        const moved = (step: number) => {
          const move = (values: Float64Array) => values.map((v, k) => (k % D === j ? v + step : v));
          return run({ ...rows, z: move(rows.z), x: move(rows.x) });
        };
        const [above, below] = [await moved(h), await moved(-h)];
        for (let k = 0; k < size; k++) {
          result.forward[k * D + j] = (above.data[k] - below.data[k]) / (2 * h);
          result.inverse[k * D + j] = (above.latent[k] - below.latent[k]) / (2 * h);
        }
      }
      return result;
    },

    /** What both losses grow by with a step of all parameters along a direction, by gradients and by central differences. */
    async alongDirection(rows: SideRows): Promise<{ gradients: number[]; differences: number[] }> {
      const direction = parameters.map(([name, { numbers }]) =>
        new Random(7).split(name).normal(new Float64Array(numbers.length)),
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
    async parameterGradients(rows: SideRows): Promise<Map<string, Floats[]>> {
      const { densityGradient, drawnGradient } = await run(rows);
      let start = 0;
      return new Map(
        parameters.map(([name, { numbers }]) => {
          const end = start + numbers.length;
          const parts = [densityGradient, drawnGradient].map((all) => all.subarray(start, end));
          start = end;
          return [name, parts];
        }),
      );
    },
  };
}
