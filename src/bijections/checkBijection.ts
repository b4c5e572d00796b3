import { type CustomKind, withCustomKinds } from "../distributions/customKinds.ts";
import { type ErrorCode, PushforwardError } from "../errors.ts";
import type { Floats } from "../graph/operation.ts";
import { formatShape } from "../graph/shape.ts";
import { input } from "../graph/tensor.ts";
import { checkParametersFound } from "../nn/lostParameters.ts";
import { parametersOf, trainableParameters } from "../nn/module.ts";
import { brief } from "../parse.ts";
import { Random } from "../random/index.ts";
import { compile } from "../runtime/compile.ts";
import type { Bijection, Description } from "./bijection.ts";
import { type BothWays, float32Graph, float64Graph, type SideRows } from "./bijectionGraphs.ts";
import { bijectionTypes, buildBijection } from "./build.ts";
import { logAbsDeterminant } from "./determinant.ts";

export interface CheckBijectionOptions {
  /** Latent rows [n, D] to check it on. Default: 24 normal rows, every fourth three times as far out. Give those of its domain. */
  z?: ArrayLike<number>;
  /** Rows [n, D] of data. Default: rows like the latent ones, and with a `support` what it makes of the latent rows. */
  x?: ArrayLike<number>;
  /** Contexts [n, C] of both. Default: normal rows. */
  context?: ArrayLike<number>;
  /** The kinds of your own classes, with which its description has to build the same map. Without its kind that is not checked. */
  kinds?: readonly CustomKind[];
  /** Paths of trainable parameters without which the map is the same, and whose gradient is therefore 0. Default none. */
  unused?: (path: string) => boolean;
}

const ROWS = 24;

/** Round trips, relative above 1, in float64. */
const TOLERANCE = 1e-9;
/** Normal noise that the parameters get, one after the other, and what round trips may be off by in float32 then. */
const NOISE = [
  { scale: 0, tolerance: 1e-4 },
  { scale: 0.15, tolerance: 1e-4 },
  // Float32 comes back from slopes near 1/1000 with few digits.
  { scale: 0.3, tolerance: 1e-2 },
];
/** Errors of central differences of first and second order terms. */
const OF_JACOBIANS = 2e-4;
const OF_GRADIENTS = 1e-4;

/**
 * Checks that a bijection keeps what `Bijection` promises, with the tests that pushforward has for its own, at its parameters as
 * they are and with noise on them, which is taken back afterwards:
 *
 * - both directions give [N, D] and a log-determinant for each row, and use no parameter that is not found by its path
 * - they lead back to where they came from, in float64 within 1e-9 and in float32 within 1e-4, and their log-determinants are opposite
 * - the log-determinants are those of the Jacobians by automatic differentiation, and these agree with central differences
 * - each trainable parameter has a gradient, which agrees with differences
 * - a NaN stays one
 * - `describe()` and the parameters say all, if pushforward or `kinds` can build it
 *
 * Throws `SHAPE` or `ARGUMENT` with the first thing that is not so, and by how much.
 */
export async function checkBijection(
  bijection: Bijection,
  options: CheckBijectionOptions = {},
): Promise<void> {
  const check = new Check(bijection, options);
  check.shapes();
  const parameters = trainableParameters(bijection);
  const before = [...parameters.values()].map((parameter) => ({ parameter, value: parameter.value }));
  try {
    await check.numbers();
  } finally {
    for (const { parameter, value } of before) parameter.value = value;
  }
}

/** JSON whose fields are in the order of their names. */
const canonical = (description: object): string =>
  JSON.stringify(description, (_, value) =>
    typeof value === "object" && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );

class Check {
  private readonly bijection: Bijection;
  private readonly options: CheckBijectionOptions;
  private readonly name: string;

  constructor(bijection: Bijection, options: CheckBijectionOptions) {
    this.bijection = bijection;
    this.options = options;
    this.name = bijection.constructor.name;
  }

  shapes(): void {
    const { bijection } = this;
    const { features, context } = bijection;
    if (!Number.isInteger(features) || features < 1 || !Number.isInteger(context) || context < 0) {
      throw this.error("its sizes are not whole numbers", {
        expected: "features from 1 and context from 0 on",
        received: `features ${features} and context ${context}`,
      });
    }
    const given = context > 0 ? input("context", ["N", context]) : undefined;
    const rows = input("rows", ["N", features]);
    for (const direction of ["forward", "inverse"] as const) {
      const { value, logDet } = bijection[direction](rows, given);
      if (formatShape(value.shape) !== formatShape(["N", features])) {
        const shapes = { expected: formatShape(["N", features]), received: formatShape(value.shape) };
        throw this.error(`${direction} gives rows of another shape`, shapes, "SHAPE");
      }
      if (logDet.rank > 1 || (logDet.rank === 1 && logDet.shape[0] !== "N" && logDet.shape[0] !== 1)) {
        const shapes = { expected: "[N], or a scalar for all rows", received: formatShape(logDet.shape) };
        throw this.error(`${direction} gives log-determinants of another shape`, shapes, "SHAPE");
      }
      checkParametersFound(bijection, [value, logDet], [rows, given]);
    }
    const description = bijection.describe();
    if (typeof description?.type === "string") return;
    throw this.error("describe() gives no type", {
      expected: 'such as { type: "shear", features: 2 }',
      received: brief(description),
    });
  }

  async numbers(): Promise<void> {
    const { bijection } = this;
    const [float64, float32] = [float64Graph(bijection), float32Graph(bijection)];
    try {
      const rows = await this.rows();
      for (const { scale, tolerance } of NOISE) {
        this.perturb(scale);
        this.roundTrips(await float64.run(rows), rows, TOLERANCE, "in float64");
        this.roundTrips(await float32.run(rows), rows, tolerance, "in float32");
      }
      await this.jacobians(float64, rows);
      await this.gradients(float64, rows);
      await this.description(await float32.run(rows), rows);
      await this.notANumber();
    } finally {
      await Promise.all([float64.release(), float32.release()]);
    }
  }

  /** Rows to check it on, as they are given or in its domain. */
  private async rows(): Promise<SideRows> {
    const { bijection, options } = this;
    const { features, context, support } = bijection;
    const count = (options.z ?? options.x) ? (options.z ?? options.x)!.length / features : ROWS;
    const random = new Random(5);
    const normal = (name: string, size: number, scale: number) =>
      random
        .split(name)
        .normal(new Float64Array(count * size))
        .map((v, i) => scale * v * (Math.floor(i / size) % 4 === 0 ? 3 : 1));
    // A map onto a part of space compresses distant points so much that floats cannot distinguish them.
    const scale = support ? 1 / 3 : 1;
    const z = options.z ? Float64Array.from(options.z) : normal("z", features, scale);
    const given = options.context ? Float64Array.from(options.context) : normal("context", context, 1);
    const own = options.x ? Float64Array.from(options.x) : normal("x", features, scale);
    const x = support && !options.x ? await this.mapped(options.z ? z : own, given) : own;
    for (const [what, received, expected] of [
      ["z", z.length, count * features],
      ["x", x.length, count * features],
      ["context", given.length, count * context],
    ] as const) {
      if (received === expected && Number.isInteger(count)) continue;
      const numbers = { expected: `${expected} numbers`, received: `${received}` };
      throw new PushforwardError(
        "SHAPE",
        `${what} has another number of rows than the other arrays`,
        numbers,
      );
    }
    return { z, x, context: given };
  }

  private async mapped(z: Float64Array, context: Float64Array): Promise<Float64Array> {
    const { features, context: size } = this.bijection;
    const map = compile(
      (z, context) => this.bijection.forward(z, context).value,
      [["N", features] as const, ...(size > 0 ? [["N", size] as const] : [])],
      { precision: "float64" },
    );
    const x = await map(z, ...(size > 0 ? [context] : []));
    await map.release();
    return Float64Array.from(x);
  }

  private perturb(scale: number): void {
    const random = new Random(1).split("perturb");
    for (const [name, parameter] of trainableParameters(this.bijection)) {
      const { min, max } = parameter.domain;
      const noise = random.split(name).normal(new Float64Array(parameter.numbers.length));
      parameter.value = noise.map((e, i) => Math.min(max, Math.max(min, parameter.numbers[i] + scale * e)));
    }
  }

  private roundTrips(out: BothWays, rows: SideRows, tolerance: number, where: string): void {
    const opposite = (values: Floats) => values.map((v) => -v);
    this.close(out.z, rows.z, tolerance, `inverse(forward(z)) is not z ${where}`);
    this.close(out.x, rows.x, tolerance, `forward(inverse(x)) is not x ${where}`);
    const what = `the log-determinants of the two directions are not opposite ${where}`;
    this.close(opposite(out.fromDataLogDet), out.forwardLogDet, 10 * tolerance, what);
    this.close(opposite(out.fromLatentLogDet), out.inverseLogDet, 10 * tolerance, what);
  }

  private async jacobians(graph: ReturnType<typeof float64Graph>, rows: SideRows): Promise<void> {
    const { features: D } = this.bijection;
    const { forwardLogDet, inverseLogDet } = await graph.run(rows);
    const jacobians = await graph.jacobians(rows);
    const differences = await graph.differences(rows);
    for (const [direction, logDet] of [
      ["forward", forwardLogDet],
      ["inverse", inverseLogDet],
    ] as const) {
      const determinants = Float64Array.from(logDet, (_, row) =>
        logAbsDeterminant(jacobians[direction].subarray(row * D * D, (row + 1) * D * D), D),
      );
      this.close(
        logDet,
        determinants,
        TOLERANCE,
        `the log-determinants of ${direction} are not those of its Jacobians`,
      );
      const what = `the Jacobians of ${direction} are not those of finite differences`;
      this.close(jacobians[direction], differences[direction], OF_JACOBIANS, what);
    }
  }

  private async gradients(graph: ReturnType<typeof float64Graph>, rows: SideRows): Promise<void> {
    const { unused = () => false } = this.options;
    const all = await graph.parameterGradients(rows);
    for (const [path, gradients] of all) {
      for (const [k, direction] of ["inverse", "forward"].entries()) {
        const gradient = Array.from(gradients[k]);
        const bad = gradient.find((g) => !Number.isFinite(g));
        if (bad !== undefined)
          throw this.error(`the gradient of ${direction} by its parameter ${path} is ${bad}`);
        if (gradient.some(Boolean) !== unused(path)) continue;
        throw this.error(
          `the gradient of ${direction} by its parameter ${path} is ${unused(path) ? "not 0" : "0"}`,
          {
            hint: "Remove a parameter that has no influence, or name it in `unused`; stopGradient also makes a gradient 0.",
          },
        );
      }
    }
    if (all.size === 0) return;
    const { gradients, differences } = await graph.alongDirection(rows);
    this.close(gradients, differences, OF_GRADIENTS, "its gradients are not those of finite differences");
  }

  private async description(expected: BothWays, rows: SideRows): Promise<void> {
    const { bijection, options } = this;
    const { kinds = [] } = options;
    const description = bijection.describe();
    if (kinds.length === 0 && !bijectionTypes.has(description.type)) return;
    const copy = JSON.parse(JSON.stringify(description));
    const rebuilt = this.built(copy, kinds);
    if (!rebuilt) return;
    if (canonical(rebuilt.describe()) !== canonical(description)) {
      throw this.error("what its description builds describes itself otherwise", {
        expected: brief(description),
        received: brief(rebuilt.describe()),
      });
    }
    const [own, other] = [bijection, rebuilt].map(parametersOf);
    for (const path of new Set([...own.keys(), ...other.keys()])) {
      const [a, b] = [own.get(path)?.sizes.join(", "), other.get(path)?.sizes.join(", ")];
      if (a !== b) {
        throw this.error(`what its description builds has another parameter ${path}`, {
          expected: a === undefined ? "none" : `[${a}]`,
          received: b === undefined ? "none" : `[${b}]`,
        });
      }
      other.get(path)!.value = own.get(path)!.numbers.slice();
    }
    const graph = float32Graph(rebuilt);
    const out = await graph.run(rows);
    await graph.release();
    for (const key of Object.keys(expected) as (keyof BothWays)[])
      this.close(out[key], expected[key], 0, "what its description builds is another map");
  }

  /** What a description builds; nothing if it holds parts whose kinds are not given, and no others are. */
  private built(description: Description, kinds: readonly CustomKind[]): Bijection | undefined {
    try {
      return withCustomKinds(kinds, () => buildBijection(description, new Random(99)));
    } catch (error) {
      const unknown = error instanceof PushforwardError && /does not fit at \S*type:/.test(error.message);
      if (unknown && kinds.length === 0) return undefined;
      throw error;
    }
  }

  private async notANumber(): Promise<void> {
    const { features, context } = this.bijection;
    const run = compile(
      (u, c) => ({
        forward: this.bijection.forward(u, c).value,
        inverse: this.bijection.inverse(u, c).value,
      }),
      [["N", features] as const, ...(context > 0 ? [["N", context] as const] : [])],
    );
    const rows = new Float32Array(features).fill(Number.NaN);
    const out = await run(rows, ...(context > 0 ? [new Float32Array(context)] : []));
    await run.release();
    for (const direction of ["forward", "inverse"] as const) {
      const received = out[direction].find((v) => !Number.isNaN(v));
      if (received === undefined) continue;
      throw this.error(`${direction} hides a NaN`, { expected: "NaN", received: `${received}` });
    }
  }

  /** |a - b| <= tolerance max(1, |b|) for all numbers; a NaN is never close. */
  private close(
    actual: ArrayLike<number>,
    expected: ArrayLike<number>,
    tolerance: number,
    what: string,
  ): void {
    const error = (i: number) =>
      Object.is(actual[i], expected[i])
        ? 0
        : Math.abs(actual[i] - expected[i]) / Math.max(1, Math.abs(expected[i]));
    let worst = 0;
    for (let i = 1; i < expected.length; i++) if (!(error(i) <= error(worst))) worst = i;
    if (expected.length === 0 || error(worst) <= tolerance) return;
    throw this.error(`${what}, off by ${Number(error(worst).toPrecision(3))} at number ${worst}`, {
      expected: `${expected[worst]}`,
      received: `${actual[worst]}`,
    });
  }

  private error(
    what: string,
    details: { expected?: string; received?: string; hint?: string } = {},
    code: ErrorCode = "ARGUMENT",
  ): PushforwardError {
    return new PushforwardError(code, `${this.name} is no bijection: ${what}`, details);
  }
}
