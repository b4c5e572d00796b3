import {
  type Bijection,
  buildBijection,
  type CheckRows,
  compileFloat32Checks,
  compileFloat64Checks,
  type Float32Checks,
  flatten,
  haveEqualGraphs,
  logAbsDeterminant,
  type RoundTrips,
  type Transformed,
} from "../bijections/index.ts";
import {
  anyValue,
  brief,
  callback,
  checkOptions,
  type ErrorCode,
  type ErrorDetails,
  type OptionRule,
  type OptionRules,
  PushforwardError,
} from "../check/index.ts";
import { type CustomKind, withCustomKinds } from "../distributions/index.ts";
import { type Floats, formatShape, input, Tensor } from "../graph/index.ts";
import { checkParametersReachable, parametersOf, trainableParameters } from "../nn/index.ts";
import { type Description, isUnknownType } from "../parts/index.ts";
import { Random } from "../random/index.ts";
import { checkedRows } from "./checkedRows.ts";

/** Options of `checkBijection`. */
export interface CheckBijectionOptions {
  /**
   * Latent rows [n, D] in the bijection's domain. Default: normal rows, every fourth one scaled by 3, and all by 1/3 for a bijection with a
   * `support` or a `domain`, into which they are mapped. There are 24, or as many as `x` or `context` have. A bijection with a domain other
   * than positive numbers or an interval needs them.
   */
  z?: ArrayLike<number> | undefined;
  /** Data rows [n, D]. Default: normal rows too, or for a bijection with a `support` its samples from latent rows. */
  x?: ArrayLike<number> | undefined;
  /** Contexts [n, C] of the rows. Default: normal rows. */
  context?: ArrayLike<number> | undefined;
  /**
   * The custom kinds that build the bijection from its description, as for `decodeModel`. The check then builds a copy from `describe()`,
   * which must compute the same numbers. Without a kind for a custom class, this check is left out. Default none.
   */
  kinds?: readonly CustomKind[] | undefined;
  /**
   * Returns true for the path of a parameter without influence on the map, whose gradient must be 0. By default there is none.
   */
  unused?: ((path: string) => boolean) | undefined;
}

const finiteNumbers: OptionRule = {
  expected: "an array of finite numbers",
  accepts: (value) =>
    (Array.isArray(value) || ArrayBuffer.isView(value)) &&
    Array.from(value as ArrayLike<unknown>).every(Number.isFinite),
};

const checkRules: OptionRules<CheckBijectionOptions> = {
  z: finiteNumbers,
  x: finiteNumbers,
  context: finiteNumbers,
  kinds: anyValue,
  unused: callback,
};

type Float64Checks = ReturnType<typeof compileFloat64Checks>;
type Float64Outputs = Awaited<ReturnType<Float64Checks["run"]>>;

/** The tolerance in float64. All tolerances are absolute for numbers below 1 and relative above. */
const FLOAT64_TOLERANCE = 1e-9;
/**
 * The parameters are checked three times. `scale` is the standard deviation of the noise that is added to them before each check. It is
 * divided by the number of maps of a composition, since otherwise deep flows scale rows so much that rounding hides whether they are inverted.
 * In matrices with more than `FULL_NOISE_INPUTS` inputs it is smaller, in inverse proportion to their number, since the noise of many inputs adds up.
 */
const NOISE = [
  { scale: 0, float32Tolerance: 1e-4 },
  { scale: 0.15, float32Tolerance: 1e-4 },
  // Noise of this size leads to slopes near 1/1000, with which a float32 round trip keeps few digits.
  { scale: 0.3, float32Tolerance: 1e-2 },
];
const FULL_NOISE_INPUTS = 8;
/** Central differences are accurate to this. */
const JACOBIAN_TOLERANCE = 2e-4;
const GRADIENT_TOLERANCE = 1e-4;
/**
 * Distances of the points of central differences. If a unit of a ReLU network has its kink between the points, the difference is wrong, and a
 * smaller distance avoids the kink. The largest one comes first, because rounding disturbs it least.
 */
const GRADIENT_STEPS = [1e-6, 1e-7, 1e-8];

/** The largest of the errors |a - b| / max(1, |b|), and its index. It is infinite where only one of a and b is NaN. */
function largestError(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
): { error: number; index: number } {
  let largest = { error: 0, index: 0 };
  for (let index = 0; index < expected.length; index++) {
    const [a, b] = [actual[index], expected[index]];
    const difference = Object.is(a, b) ? 0 : Math.abs(a - b) / Math.max(1, Math.abs(b));
    const error = Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference;
    if (error > largest.error) largest = { error, index };
  }
  return largest;
}

/**
 * Checks that a bijection has the invariants of `Bijection`. The tests of pushforward run it on each of its bijections. The
 * parameters are checked as they are and with noise, and restored afterwards.
 *
 * - Both directions return rows [N, D] and a log-determinant per row, and use only parameters that are found by their path.
 * - Each direction inverts the other, and their log-determinants sum to 0. The tolerance for rows is 1e-9 in float64. In float32 it is 1e-4, or
 *   1e-2 with the largest noise. Those for log-determinants are ten times as large.
 * - The log-determinants are those of the Jacobians by automatic differentiation, which agree with central differences.
 * - Each trainable parameter has a gradient, and gradients agree with central differences.
 * - A NaN in the input gives NaN.
 * - The map that is built from `describe()` and the parameters is the same, if its type is registered or in `kinds`.
 *
 * Throws `SHAPE` or `ARGUMENT` with the first invariant that does not hold, and the size of the error.
 */
export async function checkBijection(
  bijection: Bijection,
  options: CheckBijectionOptions = {},
): Promise<void> {
  checkOptions("checkBijection", options, checkRules);
  if (typeof bijection !== "object" || bijection === null) {
    throw new PushforwardError("ARGUMENT", "the argument of checkBijection is not a bijection", {
      received: brief(bijection),
    });
  }
  const check = new Check(bijection, options);
  check.checkShapes();
  const parameters = trainableParameters(bijection);
  const original = [...parameters.values()].map((parameter) => ({ parameter, value: parameter.value }));
  try {
    await check.checkNumbers();
  } finally {
    for (const { parameter, value } of original) parameter.value = value;
  }
}

/** JSON with sorted keys, so that equal descriptions have equal text. */
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
    const { name } = bijection.constructor;
    this.name = name === "Object" ? "the bijection" : name;
  }

  checkShapes(): void {
    const { bijection } = this;
    const { features, context } = bijection;
    if (!Number.isInteger(features) || features < 1 || !Number.isInteger(context) || context < 0) {
      throw this.error("features and context are not valid sizes", {
        expected: "integers, features at least 1 and context at least 0",
        received: `features ${features} and context ${context}`,
      });
    }
    const contextInput = context > 0 ? input("context", ["N", context]) : undefined;
    const rows = input("rows", ["N", features]);
    for (const direction of ["forward", "inverse"] as const) {
      const { value, logDet } = this.transformed(direction, rows, contextInput);
      if (formatShape(value.shape) !== formatShape(["N", features])) {
        const shapes = { expected: formatShape(["N", features]), received: formatShape(value.shape) };
        throw this.error(`${direction} returns a value of the wrong shape`, shapes, "SHAPE");
      }
      if (logDet.rank > 1 || (logDet.rank === 1 && logDet.shape[0] !== "N" && logDet.shape[0] !== 1)) {
        const shapes = {
          expected: "[N], or a scalar if all rows have the same",
          received: formatShape(logDet.shape),
        };
        throw this.error(`${direction} returns log-determinants of the wrong shape`, shapes, "SHAPE");
      }
      checkParametersReachable(bijection, [value, logDet], [rows, contextInput]);
    }
    if (typeof bijection.describe !== "function")
      throw this.error("describe is not a method", {
        expected: "describe()",
        received: brief(bijection.describe),
      });
    const description = bijection.describe();
    if (typeof description?.type === "string") return;
    throw this.error("describe() returns no type", {
      expected: 'such as { type: "shear", features: 2 }',
      received: brief(description),
    });
  }

  /** The result of a map. Throws `ARGUMENT` unless it is `{ value, logDet }`. */
  private transformed(
    direction: "forward" | "inverse",
    rows: Tensor,
    context: Tensor | undefined,
  ): Transformed {
    const map: unknown = this.bijection[direction];
    if (typeof map !== "function") {
      throw this.error(`${direction} is not a method`, {
        expected: "forward(z, context) and inverse(x, context)",
        received: brief(map),
      });
    }
    const result = this.bijection[direction](rows, context) as Partial<Transformed> | undefined;
    if (result?.value instanceof Tensor && result.logDet instanceof Tensor) return result as Transformed;
    const received = Object.entries({ value: result?.value, logDet: result?.logDet }).map(
      ([name, part]) => `${name}: ${part instanceof Tensor ? "a tensor" : brief(part)}`,
    );
    throw this.error(`${direction} does not return { value, logDet }`, {
      expected: "two tensors, as in { value: z.exp(), logDet: z.sum(-1) }",
      received: result instanceof Tensor ? "a tensor" : received.join(", "),
    });
  }

  async checkNumbers(): Promise<void> {
    const { bijection } = this;
    const [float64, float32] = [compileFloat64Checks(bijection), compileFloat32Checks(bijection)];
    try {
      const rows = await checkedRows(bijection, this.options);
      let outputs!: { float64: Float64Outputs; float32: RoundTrips };
      for (const { scale, float32Tolerance } of NOISE) {
        this.perturb(scale);
        outputs = { float64: await float64.run(rows), float32: await float32.run(rows) };
        this.checkRoundTrips(outputs.float64, rows, FLOAT64_TOLERANCE, "in float64");
        this.checkRoundTrips(outputs.float32, rows, float32Tolerance, "in float32");
      }
      await this.checkJacobians(float64, outputs.float64, rows);
      await this.checkGradients(float64, rows);
      await this.checkDescription(float32, outputs.float32, rows);
      await this.checkNaN(float32);
    } finally {
      await Promise.all([float64.release(), float32.release()]);
    }
  }

  /** Adds normal noise to the trainable parameters, within their domains. */
  private perturb(scale: number): void {
    const random = new Random(1).split("perturb");
    const maps = flatten(this.bijection).length;
    for (const [name, parameter] of trainableParameters(this.bijection)) {
      const { min, max } = parameter.domain;
      const noise = random.split(name).normal(new Float64Array(parameter.numbers.length));
      // The last axis of a matrix, or of the weights of a convolution, is that of its outputs.
      const inputs = parameter.rank < 2 ? 1 : parameter.numbers.length / parameter.sizes.at(-1)!;
      const deviation = (scale / maps) * Math.min(1, FULL_NOISE_INPUTS / inputs);
      parameter.value = noise.map((e, i) =>
        Math.min(max, Math.max(min, parameter.numbers[i] + deviation * e)),
      );
    }
  }

  private checkRoundTrips(out: RoundTrips, rows: CheckRows, tolerance: number, precision: string): void {
    const negated = (values: Floats) => values.map((v) => -v);
    const hint =
      "Rounding can be the cause if the parameters, to which the check adds noise, scale rows by a large factor or map them next to a bound: give z and x in a smaller range.";
    this.requireClose(out.z, rows.z, tolerance, `inverse(forward(z)) is not z ${precision}`, hint);
    this.requireClose(out.x, rows.x, tolerance, `forward(inverse(x)) is not x ${precision}`, hint);
    const what = `the log-determinants of forward and inverse do not sum to 0 ${precision}`;
    this.requireClose(negated(out.fromDataLogDet), out.forwardLogDet, 10 * tolerance, what);
    this.requireClose(negated(out.fromLatentLogDet), out.inverseLogDet, 10 * tolerance, what);
  }

  private async checkJacobians(
    graph: Float64Checks,
    outputs: Float64Outputs,
    rows: CheckRows,
  ): Promise<void> {
    const { features: D } = this.bijection;
    const { forwardLogDet, inverseLogDet } = outputs;
    const jacobians = await graph.jacobians(rows);
    const differences = await graph.finiteDifferences(rows);
    for (const [direction, logDet] of [
      ["forward", forwardLogDet],
      ["inverse", inverseLogDet],
    ] as const) {
      const determinants = Float64Array.from(logDet, (_, row) =>
        logAbsDeterminant(jacobians[direction].subarray(row * D * D, (row + 1) * D * D), D),
      );
      this.requireClose(
        logDet,
        determinants,
        FLOAT64_TOLERANCE,
        `the log-determinant of ${direction} differs from that of its Jacobian`,
      );
      const what = `the Jacobian of ${direction} differs from finite differences`;
      this.requireClose(jacobians[direction], differences[direction], JACOBIAN_TOLERANCE, what);
    }
  }

  private async checkGradients(graph: Float64Checks, rows: CheckRows): Promise<void> {
    const { unused = () => false } = this.options;
    const byPath = await graph.parameterGradients(rows);
    for (const [path, gradients] of byPath) {
      for (const [k, direction] of ["inverse", "forward"].entries()) {
        const gradient = Array.from(gradients[k]);
        const nonFinite = gradient.find((g) => !Number.isFinite(g));
        if (nonFinite !== undefined)
          throw this.error(`the gradient of ${direction} by its parameter ${path} is ${nonFinite}`);
        if (gradient.some(Boolean) !== unused(path)) continue;
        throw this.error(
          `the gradient of ${direction} by its parameter ${path} is ${unused(path) ? "not 0" : "0"}`,
          {
            hint: "Remove a parameter without influence, or name it in `unused`. stopGradient also makes a gradient 0.",
          },
        );
      }
    }
    if (byPath.size === 0) return;
    let derivatives = await graph.directionalDerivatives(rows, byPath, GRADIENT_STEPS[0]);
    for (const h of GRADIENT_STEPS.slice(1)) {
      if (largestError(derivatives.gradients, derivatives.differences).error <= GRADIENT_TOLERANCE) return;
      derivatives = await graph.directionalDerivatives(rows, byPath, h);
    }
    const { gradients, differences } = derivatives;
    const what = "the gradients differ from finite differences";
    this.requireClose(gradients, differences, GRADIENT_TOLERANCE, what);
  }

  private async checkDescription(
    float32: Float32Checks,
    outputs: RoundTrips,
    rows: CheckRows,
  ): Promise<void> {
    const { bijection, options } = this;
    const { kinds = [] } = options;
    const description = bijection.describe();
    const copy = JSON.parse(JSON.stringify(description));
    const rebuilt = this.rebuild(copy, kinds);
    if (!rebuilt) return;
    if (canonical(rebuilt.describe()) !== canonical(description)) {
      throw this.error("the bijection that its description builds has another description", {
        expected: brief(description),
        received: brief(rebuilt.describe()),
      });
    }
    const [original, copies] = [bijection, rebuilt].map(parametersOf);
    for (const path of new Set([...original.keys(), ...copies.keys()])) {
      const [expected, received] = [original, copies].map((parameters) => {
        const sizes = parameters.get(path)?.sizes;
        return sizes ? `[${sizes.join(", ")}]` : "none";
      });
      if (expected !== received) {
        throw this.error(`the bijection that its description builds has another parameter ${path}`, {
          expected,
          received,
        });
      }
      copies.get(path)!.value = original.get(path)!.numbers.slice();
    }
    const graph = compileFloat32Checks(rebuilt);
    // Equal graphs need no session, whose creation takes up to half a second.
    if (haveEqualGraphs(graph, float32)) return;
    try {
      const copyOutputs = await graph.run(rows);
      const what = "the bijection that its description builds is another map";
      for (const key of Object.keys(outputs) as (keyof RoundTrips)[])
        this.requireClose(copyOutputs[key], outputs[key], 0, what);
    } finally {
      await graph.release();
    }
  }

  /** The bijection that a description builds; undefined if a part of it has an unregistered type and there are no `kinds`. */
  private rebuild(description: Description, kinds: readonly CustomKind[]): Bijection | undefined {
    try {
      return withCustomKinds(kinds, () => buildBijection(description, new Random(99)));
    } catch (error) {
      if (isUnknownType(error) && kinds.length === 0) return undefined;
      if (!(error instanceof PushforwardError)) throw error;
      const { code, summary, expected, received, hint } = error;
      const details = { expected, received, hint, cause: error };
      throw this.error(`its description cannot be built: ${summary}`, details, code);
    }
  }

  private async checkNaN(graph: Float32Checks): Promise<void> {
    const { features, context } = this.bijection;
    const row = new Float64Array(features).fill(Number.NaN);
    const { data, latent } = await graph.run({ z: row, x: row, context: new Float64Array(context) });
    for (const [direction, values] of [
      ["forward", data],
      ["inverse", latent],
    ] as const) {
      const received = values.find((v) => !Number.isNaN(v));
      if (received === undefined) continue;
      throw this.error(`${direction} returns a number where the input is NaN`, {
        expected: "NaN",
        received: `${received}`,
      });
    }
  }

  /** Throws unless |a - b| <= tolerance max(1, |b|) for all numbers; a NaN is never close to a number. */
  private requireClose(
    actual: ArrayLike<number>,
    expected: ArrayLike<number>,
    tolerance: number,
    what: string,
    hint?: string,
  ): void {
    const { error, index } = largestError(actual, expected);
    if (error <= tolerance) return;
    throw this.error(`${what}, off by ${Number(error.toPrecision(3))} at index ${index}`, {
      expected: `${expected[index]}`,
      received: `${actual[index]}`,
      ...(hint && { hint }),
    });
  }

  private error(what: string, details: ErrorDetails = {}, code: ErrorCode = "ARGUMENT"): PushforwardError {
    return new PushforwardError(code, `${this.name} is not a valid bijection: ${what}`, details);
  }
}
