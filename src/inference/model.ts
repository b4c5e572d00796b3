import { brief, PushforwardError, unknownNamesDetails } from "../check/index.ts";
import {
  constantValues,
  drawForBatch,
  formatShape,
  input,
  isTraining,
  scalar,
  Tensor,
} from "../graph/index.ts";
import type { Constraint } from "./constraint.ts";
import { type DataInput, data } from "./data.ts";

/** The declared parameters of a model by name. A constraint may depend on parameters that are declared before it. */
export type Declarations = Readonly<Record<string, Constraint>>;

/** The values of the parameters as tensors: [N] for a number, [N, K] for a vector, [N, ...shape] in general. */
export type ValuesOf<D extends Declarations> = { readonly [Name in keyof D]: Tensor };

/**
 * Terms of a log-density in nats, up to a constant: a tensor [N], or a list of tensors [N, ...], each of which is summed over all
 * axes but the first.
 */
export type Terms = Tensor | readonly Tensor[];

/** A part of the log-density that is a sum over rows of data. */
export interface RowLikelihood<D extends Declarations> {
  /** The rows: [n, ...]. */
  data: DataInput;
  /** Log-likelihoods [N, B] of a batch of rows [B, ...]. */
  logLikelihood(parameters: ValuesOf<D>, rows: Tensor): Tensor;
  /**
   * Number of rows that are drawn in each training step, with replacement. Their log-likelihoods are multiplied by n / batchSize, so
   * that the gradient is unbiased. Importance weights and Markov chains use all rows. Default all.
   */
  batchSize?: number;
}

/** An unnormalized density of named parameters. */
export interface ProbabilisticModel<D extends Declarations = Declarations> {
  readonly parameters: D;
  /** D, the number of unconstrained coordinates. */
  readonly features: number;
  /** The parameters for unconstrained coordinates u [N, D], and log |det d(parameters)/du|, [N]. */
  constrain(u: Tensor): { readonly values: ValuesOf<D>; readonly logDet: Tensor };
  /** The unnormalized log-density of the unconstrained coordinates, [N, D] -> [N]: that of the parameters plus the log-determinant. */
  logDensity(u: Tensor): Tensor;
  /** The terms of the log-density, each [N] or a scalar, by names for messages. Their sum is `logDensity`. */
  terms(u: Tensor): Readonly<Record<string, Tensor>>;
}

/**
 * Declares a model: named parameters with their constraints, and the logarithm of their joint density with the observed data, up to
 * a constant.
 *
 *     const schools = model({ mu: real(), tau: positive(), theta: vector(8) }, ({ mu, tau, theta }) => [
 *       logProb.normal(mu, 0, 5),
 *       logProb.halfCauchy(tau, 5),
 *       logProb.normal(theta, mu, tau),
 *       logProb.normal(y, theta, sigma),
 *     ]);
 *
 * The density is that of the parameters themselves, not of their unconstrained coordinates: the model adds the log-determinant of the
 * constraints. With `likelihood`, it also adds the log-likelihood of rows of data, which training estimates from a batch.
 *
 * @throws SHAPE when a term has a wrong shape; ARGUMENT when the density reads a parameter that is not declared, or a constraint is
 *   not valid: the message has the name of the parameter.
 */
export function model<const D extends Declarations>(
  parameters: D,
  logDensity: (parameters: ValuesOf<D>) => Terms,
  likelihood?: RowLikelihood<D>,
): ProbabilisticModel<D> {
  const declared = Object.entries(parameters);
  checkDeclarations(declared);
  const sizes = declared.map(([, { size }]) => size);
  const features = sizes.reduce((sum, size) => sum + size, 0);
  const rowTerm = likelihood && rowLikelihood(likelihood);

  const constrain = (u: Tensor) => {
    const values: Record<string, Tensor> = {};
    let logDet = scalar(0);
    u.split(1, sizes).forEach((coordinates, i) => {
      const [name, constraint] = declared[i];
      const earlier = declaredValues(values, name);
      const result = ofParameter(name, () => constraint.constrain(coordinates, earlier));
      values[name] = result.value;
      logDet = logDet.add(result.logDet);
    });
    return { values: values as ValuesOf<D>, logDet: logDet.broadcastTo(["N"]) };
  };

  const result: ProbabilisticModel<D> = {
    parameters,
    features,
    constrain,
    logDensity: (u) => Object.values(result.terms(u)).reduce((sum, term) => sum.add(term)),
    terms(u) {
      const { values, logDet } = constrain(u);
      const checked = declaredValues(values) as ValuesOf<D>;
      return {
        "the log-determinant of the constraints": logDet,
        ...namedTerms(logDensity(checked)),
        ...(rowTerm && { "the log-likelihood of the rows": rowTerm(checked) }),
      };
    },
  };
  result.logDensity(input("u", ["N", features]));
  return result;
}

/** The names of all numbers of the parameters, in the order of draws: `mu`, `theta[0]`, `L[1,0]`. */
export const elementNames = (parameters: Declarations): string[] =>
  Object.entries(parameters).flatMap(([name, { shape }]) =>
    shape
      .reduce<string[]>(
        (prefixes, size) =>
          prefixes.flatMap((prefix) =>
            Array.from({ length: size }, (_, i) => `${prefix}${prefix && ","}${i}`),
          ),
        [""],
      )
      .map((index) => (index ? `${name}[${index}]` : name)),
  );

/** The names of the unconstrained coordinates: `unconstrained mu`, `unconstrained theta[0]`. */
export const coordinateNames = (parameters: Declarations): string[] =>
  Object.entries(parameters).flatMap(([name, { shape, size }]) =>
    Array.from({ length: size }, (_, i) => `unconstrained ${name}${shape.length > 0 ? `[${i}]` : ""}`),
  );

function checkDeclarations(declared: readonly [string, Constraint][]): void {
  for (const [name, constraint] of declared) {
    if (typeof constraint?.constrain === "function") continue;
    throw new PushforwardError("ARGUMENT", `parameter ${name} is not declared by a constraint`, {
      expected: "real(), positive(), vector(8) or the like",
      received: brief(constraint),
    });
  }
  if (declared.length === 0) throw new PushforwardError("ARGUMENT", "the model has no parameters");
}

/** Adds the name of a parameter to errors of its constraint. */
function ofParameter<T>(name: string, compute: () => T): T {
  try {
    return compute();
  } catch (cause) {
    if (!(cause instanceof PushforwardError)) throw cause;
    throw new PushforwardError(cause.code, `parameter ${name}: ${cause.summary}`, { ...cause, cause });
  }
}

/**
 * Wraps values so that reading another name throws: `undefined` would fail later, in an unrelated place. `reader` is the parameter whose
 * declaration reads the values; without it, the log-density does.
 */
function declaredValues(
  values: Readonly<Record<string, Tensor>>,
  reader?: string,
): Readonly<Record<string, Tensor>> {
  return new Proxy(values, {
    get(target, name) {
      if (typeof name !== "string" || Object.hasOwn(target, name)) return Reflect.get(target, name);
      const what = reader === undefined ? "the log-density reads" : "its declaration reads";
      const when = reader === undefined ? "is not declared" : "is not declared before it";
      throw new PushforwardError(
        "ARGUMENT",
        `${what} a parameter that ${when}`,
        unknownNamesDetails([name], Object.keys(target)),
      );
    },
  });
}

/** The sum of each term over all axes but the first, [N] or a scalar. */
function namedTerms(terms: Terms): Record<string, Tensor> {
  const isList = Array.isArray(terms);
  const list: readonly unknown[] = isList ? terms : [terms];
  const sums = list.map((term, i): [string, Tensor] => {
    const what = isList ? `term ${i} of the log-density` : "the log-density";
    if (!(term instanceof Tensor) || term.type !== "float") {
      throw new PushforwardError("SHAPE", `${what} is not a tensor of numbers`, {
        expected: isList ? "a tensor [N, ...]" : "a tensor [N], or a list of tensors",
        received: term instanceof Tensor ? `${formatShape(term.shape)} (${term.type})` : brief(term),
      });
    }
    if (isList ? term.shape.indexOf("N") > 0 : term.rank !== 1 || term.shape[0] !== "N") {
      throw new PushforwardError("SHAPE", `${what} has a wrong shape`, {
        expected: isList ? "[N, ...]" : "[N], a number for each draw",
        received: formatShape(term.shape),
        hint: isList
          ? "The axis N of the draws must be the first axis of a term. Transpose the term."
          : "Return a list of terms, as in [logProb.normal(y, mu, 1)], to sum each over all axes but the first.",
      });
    }
    const isPerDraw = term.shape[0] === "N";
    return [what, term.sum(term.shape.map((_, axis) => axis).slice(isPerDraw ? 1 : 0))];
  });
  return Object.fromEntries(sums);
}

/** The log-likelihood of all rows of data, or in training its estimate from a batch. */
function rowLikelihood<D extends Declarations>({ data: rows, logLikelihood, batchSize }: RowLikelihood<D>) {
  const allRows = data(rows);
  const [count, ...width] = allRows.shape as number[];
  const numbers = constantValues(allRows);
  if (
    count === undefined ||
    !numbers ||
    (batchSize !== undefined && !(Number.isInteger(batchSize) && batchSize > 0))
  ) {
    throw new PushforwardError("ARGUMENT", "the likelihood of a model is not valid", {
      expected: "rows of data [n, ...], and a batchSize that is a positive integer",
      received: numbers
        ? `rows ${formatShape(allRows.shape)}, batchSize ${brief(batchSize)}`
        : "a tensor that is not constant",
    });
  }
  const values = Float64Array.from(numbers);
  const rowSize = values.length / count;
  const drawRows = (size: number) =>
    drawForBatch([size, ...width], ({ random }) => {
      const drawn = new Float64Array(size * rowSize);
      random
        .split("rows")
        .uniform(new Float64Array(size))
        .forEach((u, i) => {
          const start = Math.floor(u * count) * rowSize;
          drawn.set(values.subarray(start, start + rowSize), i * rowSize);
        });
      return drawn;
    });
  return (parameters: ValuesOf<D>): Tensor => {
    const usesBatch = isTraining() && batchSize !== undefined && batchSize < count;
    const size = usesBatch ? batchSize : count;
    const result: unknown = logLikelihood(parameters, usesBatch ? drawRows(size) : allRows);
    if (result instanceof Tensor && result.rank === 2 && result.shape[0] === "N" && result.shape[1] === size)
      return result.sum(1).mul(count / size);
    throw new PushforwardError("SHAPE", "the log-likelihood has a wrong shape", {
      expected: `[N, ${size}], a number for each draw and row`,
      received: result instanceof Tensor ? formatShape(result.shape) : brief(result),
    });
  };
}
