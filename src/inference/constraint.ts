import { Exp, Sigmoid, type Transformed } from "../bijections/index.ts";
import { anyValue, brief, checkOptions, PushforwardError } from "../check/index.ts";
import { concat, scalar, sizeOf, stack, Tensor } from "../graph/index.ts";
import type { Prior } from "./prior.ts";

/** The values, by name, of the parameters that are declared before a parameter. */
export type EarlierValues = Readonly<Record<string, Tensor>>;

/**
 * A declaration of a parameter: the set of its values, which is the image of R^size under a smooth map.
 *
 * A model adds the log-determinant of this map to its log-density, so that a prior is a density of the value itself.
 */
export interface Constraint {
  /** The shape of a value; [] for a single number. */
  readonly shape: readonly number[];
  /** The number of unconstrained coordinates of a value. */
  readonly size: number;
  /** Maps unconstrained rows u [N, size] to values [N, ...shape], with log |det dx/du| [N], or a scalar if all rows have the same. */
  constrain(u: Tensor, earlier: EarlierValues): Transformed;
  /** Set if the map is applied to each coordinate separately, [N, size] -> [N, size]: `vector` then maps all its elements in one call. */
  readonly elementwise?: ElementwiseMap;
}

type ElementwiseMap = (u: Tensor, earlier: EarlierValues) => Transformed;

/**
 * A bound: a number, or a function of the parameters that are declared before, which returns a number for each draw, [N], or for
 * each draw and element, [N, K].
 */
export type Bound<Earlier extends EarlierValues = EarlierValues> = number | ((earlier: Earlier) => Tensor);

/** Options of `real`: x = offset + multiplier u. */
export interface RealOptions<E extends EarlierValues = EarlierValues> {
  /** Default 0. */
  offset?: Bound<E> | undefined;
  /** A positive number, or a function whose values are positive. Default 1. */
  multiplier?: Bound<E> | undefined;
}

/**
 * A real number: [N]. With an offset and a multiplier, which may depend on earlier parameters, the unconstrained coordinate is
 * u = (x - offset) / multiplier: the non-centered parametrization of a hierarchical model, whose density is still written for x. Throws
 * `ARGUMENT` for an unknown option. `model` throws `ARGUMENT` unless the offset is a function or a finite number, and the multiplier a
 * function or a finite positive number.
 */
export function real<E extends EarlierValues>(options: RealOptions<E> = {}): Constraint {
  checkOptions("real", options, { offset: anyValue, multiplier: anyValue });
  const { offset = 0, multiplier = 1 } = options;
  if (offset === 0 && multiplier === 1) return elements([], (u) => ({ value: u, logDet: scalar(0) }));
  return elements([], (u, earlier) => {
    checkTerm("offset", offset, "a finite number", true);
    checkTerm("multiplier", multiplier, "a finite positive number", (multiplier as number) > 0);
    const scale = scalar(0).add(boundValue(multiplier, earlier));
    return {
      value: u.mul(scale).add(boundValue(offset, earlier)),
      logDet: u.mul(0).add(scale.log()).sum(-1),
    };
  });
}

/** Throws `ARGUMENT` unless an offset or a multiplier is a function, or a finite number in its range. */
function checkTerm(name: string, value: unknown, expected: string, isInRange: boolean): void {
  if (typeof value === "function" || (Number.isFinite(value) && isInRange)) return;
  throw new PushforwardError("ARGUMENT", `the ${name} is not valid`, {
    expected: `${expected}, or a function of earlier parameters`,
    received: brief(value),
  });
}

/** A positive number: x = exp(u). */
export const positive = (): Constraint => elements([], exponential);

/** A number above a bound: x = low + exp(u). `model` throws `ARGUMENT` unless the bound is a function or a finite number. */
export function above<E extends EarlierValues>(low: Bound<E>): Constraint {
  return elements([], (u, earlier) => {
    checkBounds(low);
    const { value, logDet } = exponential(u);
    return { value: value.add(boundValue(low, earlier)), logDet };
  });
}

/** A number below a bound: x = high - exp(u). `model` throws `ARGUMENT` unless the bound is a function or a finite number. */
export function below<E extends EarlierValues>(high: Bound<E>): Constraint {
  return elements([], (u, earlier) => {
    checkBounds(high);
    const { value, logDet } = exponential(u);
    return { value: value.neg().add(boundValue(high, earlier)), logDet };
  });
}

/**
 * A number between two bounds: x = low + (high - low) / (1 + exp(-u)). A bound may depend on earlier parameters:
 * `interval(0, (p) => p.alpha.neg().add(1))`.
 * `model` throws `ARGUMENT` unless the bounds are functions or numbers with low < high.
 */
export function interval<E extends EarlierValues>(low: Bound<E>, high: Bound<E>): Constraint {
  return elements([], (u, earlier) => {
    checkBounds(low, high);
    if (typeof low === "number" && typeof high === "number")
      return new Sigmoid({ features: columns(u), low, high }).forward(u);
    const [bottom, top] = [boundValue(low, earlier), boundValue(high, earlier)];
    const width = scalar(0).add(top).sub(bottom);
    const logDerivative = u.softplus().add(u.neg().softplus()).neg().add(width.log());
    return { value: u.sigmoid().mul(width).add(bottom), logDet: logDerivative.sum(-1) };
  });
}

/**
 * `size` values of a constraint, real numbers by default: `vector(8)` is [N, 8], and `vector(8, simplex(3))` is [N, 8, 3]. Throws
 * `ARGUMENT` if the size is not a positive integer.
 */
export function vector(size: number, element: Prior): Prior<Float64Array>;
export function vector(size: number, element?: Constraint): Constraint;
export function vector(size: number, element: Constraint | Prior = real()): Constraint {
  checkSize("vector", size);
  const shape = [size, ...element.shape];
  const ofPrior = "toValue" in element && vectorPrior(size, element);
  if (element.elementwise) return { ...elements(shape, element.elementwise), ...ofPrior };
  return {
    ...ofPrior,
    shape,
    size: size * element.size,
    constrain(u, earlier) {
      const parts = u
        .split(1, new Array(size).fill(element.size))
        .map((part) => element.constrain(part, earlier));
      return {
        value: stack(
          parts.map(({ value }) => value),
          1,
        ),
        logDet: parts.map(({ logDet }) => logDet).reduce((sum, logDet) => sum.add(logDet)),
      };
    },
  };
}

/** What `vector(size, element)` has besides a constraint if the element is a prior. */
const vectorPrior = (size: number, element: Prior): Omit<Prior<Float64Array>, keyof Constraint> => ({
  toValue: (numbers) => numbers,
  coordinates(value, earlier) {
    // The map of the element is applied to all elements in one call, so that a bound of an earlier vector has one number for each.
    if (element.elementwise) return element.coordinates(value, earlier);
    const parts = value
      .split(1, new Array(size).fill(1))
      .map((part) => part.reshape(["N", ...element.shape]));
    return concat(
      parts.map((part) => element.coordinates(part, earlier)),
      1,
    );
  },
});

/**
 * Rows and columns of values of a constraint, real numbers by default: `matrix(2, 3)` is [N, 2, 3]. Throws `ARGUMENT` if a size is not a
 * positive integer.
 */
export function matrix(rows: number, columns: number, element: Prior): Prior<Float64Array>;
export function matrix(rows: number, columns: number, element?: Constraint): Constraint;
export function matrix(rows: number, columns: number, element: Constraint = real()): Constraint {
  return vector(rows, vector(columns, element));
}

/** Throws `ARGUMENT` unless a size is a positive integer. */
export function checkSize(name: string, size: unknown, smallest = 1): void {
  if (Number.isInteger(size) && (size as number) >= smallest) return;
  throw new PushforwardError("ARGUMENT", `the size of ${name} is not valid`, {
    expected: `an integer of at least ${smallest}`,
    received: brief(size),
  });
}

/** A constraint of numbers that are mapped separately. */
export function elements(shape: readonly number[], map: ElementwiseMap): Constraint {
  return {
    shape,
    size: sizeOf(shape),
    constrain(u, earlier) {
      const { value, logDet } = map(u, earlier);
      return { value: value.reshape(["N", ...shape]), logDet };
    },
    elementwise: map,
  };
}

const columns = (u: Tensor): number => u.shape[1] as number;

const exponential = (u: Tensor): Transformed => new Exp({ features: columns(u) }).forward(u);

/** Throws `ARGUMENT` unless one or two bounds are finite numbers in ascending order, or functions. */
export function checkBounds(...bounds: readonly unknown[]): void {
  const [low, high] = bounds;
  const areValid = bounds.every((bound) => typeof bound === "function" || Number.isFinite(bound));
  const areOrdered = typeof low !== "number" || typeof high !== "number" || low < high;
  if (areValid && areOrdered) return;
  throw new PushforwardError("ARGUMENT", "the bounds are not valid", {
    expected:
      bounds.length === 2
        ? "two finite numbers with low < high, or functions of earlier parameters"
        : "a finite number, or a function of earlier parameters",
    received: bounds.map(brief).join(" and "),
  });
}

/** The value of a bound as an operand for u [N, K]: a function of earlier parameters returns [N] or [N, K]. */
export function boundValue<E extends EarlierValues>(
  bound: Bound<E>,
  earlier: EarlierValues,
): Tensor | number {
  if (typeof bound === "number") return bound;
  const value: unknown = bound(earlier as E);
  if (typeof value === "number" || (value instanceof Tensor && value.type === "float")) return value;
  throw new PushforwardError("SHAPE", "a function of earlier parameters does not return a tensor", {
    expected: "a tensor [N], or [N, K] for a vector of K values",
    received: brief(value),
  });
}
