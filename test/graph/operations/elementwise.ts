import { logGamma, type Tensor } from "../../../src/graph/index.ts";
import { gate } from "../../../src/graph/operations/gate.ts";
import { map } from "../dense.ts";
import * as special from "../special.ts";
import {
  broadcastableShapes,
  type Domain,
  nonzero,
  type OperationRow,
  positive,
  real,
  repeated,
  separated,
  shapes,
  show,
  uniform,
} from "./row.ts";

type Domains = Domain | readonly Domain[];
/** The name of a method, the domain of its inputs, the call, and the formula in plain JavaScript. */
type Unary = [string, Domain, (x: Tensor) => Tensor, (x: number) => number];
type Binary = [string, Domains, (a: Tensor, b: Tensor) => Tensor, (a: number, b: number) => number];
type Ternary = [
  string,
  Domains,
  (a: Tensor, b: Tensor, c: Tensor) => Tensor,
  (a: number, b: number, c: number) => number,
];

const logistic = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

const unary: Unary[] = [
  ["clip", separated, (x) => x.clip(-0.6, 0.9), (x) => Math.min(0.9, Math.max(-0.6, x))],
  ["clip to crossed limits", separated, (x) => x.clip(0.9, -0.6), (x) => Math.max(0.9, Math.min(-0.6, x))],
  ["neg", real, (x) => x.neg(), (x) => -x],
  ["reciprocal", nonzero, (x) => x.reciprocal(), (x) => 1 / x],
  ["square", real, (x) => x.square(), (x) => x * x],
  ["sqrt", positive, (x) => x.sqrt(), Math.sqrt],
  ["power (number)", positive, (x) => x.power(-1.5), (x) => x ** -1.5],
  ["power (integer)", nonzero, (x) => x.power(3), (x) => x ** 3],
  ["abs", separated, (x) => x.abs(), Math.abs],
  ["sign", separated, (x) => x.sign(), Math.sign],
  ["step", separated, (x) => x.step(), (x) => Number(x > 0)],
  ["floor", separated, (x) => x.floor(), Math.floor],
  ["exp", real, (x) => x.exp(), Math.exp],
  ["log", positive, (x) => x.log(), Math.log],
  ["log1p", uniform(-0.8, 3), (x) => x.log1p(), Math.log1p],
  ["expm1", real, (x) => x.expm1(), Math.expm1],
  ["sin", real, (x) => x.sin(), Math.sin],
  ["cos", real, (x) => x.cos(), Math.cos],
  ["erf", real, (x) => x.erf(), special.erf],
  ["tanh", real, (x) => x.tanh(), Math.tanh],
  ["sigmoid", uniform(-8, 8), (x) => x.sigmoid(), logistic],
  ["softplus", uniform(-8, 8), (x) => x.softplus(), softplus],
  ["relu", separated, (x) => x.relu(), (x) => Math.max(x, 0)],
  ["leakyRelu", separated, (x) => x.leakyRelu(0.1), (x) => (x > 0 ? x : 0.1 * x)],
  ["elu", separated, (x) => x.elu(), (x) => (x > 0 ? x : Math.expm1(x))],
  ["gelu", real, (x) => x.gelu(), (x) => (x / 2) * (1 + special.erf(x * Math.SQRT1_2))],
  ["softClamp", separated, (x) => x.softClamp(0.7), (x) => x / (1 + Math.abs(x) / 0.7)],
  ["silu", real, (x) => x.silu(), (x) => x * logistic(x)],
];

const binary: Binary[] = [
  ["add", real, (a, b) => a.add(b), (a, b) => a + b],
  ["sub", real, (a, b) => a.sub(b), (a, b) => a - b],
  ["mul", real, (a, b) => a.mul(b), (a, b) => a * b],
  ["div", [real, nonzero], (a, b) => a.div(b), (a, b) => a / b],
  ["maximum", separated, (a, b) => a.maximum(b), (a, b) => Math.max(a, b)],
  ["minimum", separated, (a, b) => a.minimum(b), (a, b) => Math.min(a, b)],
  ["power", [positive, real], (a, b) => a.power(b), (a, b) => a ** b],
];

const ternary: Ternary[] = [
  ["where", separated, (a, b, c) => a.greater(0).where(b, c), (a, b, c) => (a > 0 ? b : c)],
];

/** Functions that are constant between jumps, which finite differences cannot check. */
const unarySteps: Unary[] = [
  ["not", repeated, (x) => x.greater(0).not(), (x) => +!(x > 0)],
  ["toFloat", repeated, (x) => x.greater(0).toFloat().mul(2), (x) => (x > 0 ? 2 : 0)],
  ["stopGradient", real, (x) => x.stopGradient(), (x) => x],
];
const binarySteps: Binary[] = [
  ["greater", repeated, (a, b) => a.greater(b), (a, b) => +(a > b)],
  ["greaterEqual", repeated, (a, b) => a.greaterEqual(b), (a, b) => +(a >= b)],
  ["less", repeated, (a, b) => a.less(b), (a, b) => +(a < b)],
  ["lessEqual", repeated, (a, b) => a.lessEqual(b), (a, b) => +(a <= b)],
  ["equal", repeated, (a, b) => a.equal(b), (a, b) => +(a === b)],
  ["and", repeated, (a, b) => a.greater(0).and(b.less(1)), (a, b) => +(a > 0 && b < 1)],
  ["or", repeated, (a, b) => a.greater(0).or(b.less(1)), (a, b) => +(a > 0 || b < 1)],
];

/** Differences of large terms, whose rounding limits the precision of the result. */
const cancelling: [...Unary, terms: number][] = [
  ["arithmetic with numbers", real, (x) => x.mul(3).sub(1).div(2).add(0.5), (x) => (x * 3 - 1) / 2 + 0.5, 3],
  ["logGamma", uniform(0.5, 9), logGamma, special.logGamma, 10],
];

function applied(
  [name, domain, build, f]: readonly [
    string,
    Domains,
    (...x: Tensor[]) => Tensor,
    (...x: number[]) => number,
  ],
  inputs: number,
): OperationRow {
  return {
    name,
    domain,
    example: (batched) =>
      (inputs === 1
        ? shapes(batched, 0, 3).map((shape) => [shape])
        : broadcastableShapes(batched, inputs)
      ).map((given) => ({
        shapes: given,
        given: show(...given),
        build,
        evaluate: (...x) => map(f, ...x),
      })),
  };
}

const step = (row: OperationRow): OperationRow => ({ ...row, differentiable: false });

export const elementwise: readonly OperationRow[] = [
  ...unary.map((row) => applied(row, 1)),
  ...binary.map((row) => applied(row, 2)),
  ...ternary.map((row) => applied(row as never, 3)),
  {
    name: "gate",
    domain: real,
    example: (batched) =>
      shapes(batched, 0, 3).map((shape) => ({
        shapes: [shape, shape],
        given: show(shape),
        build: gate,
        evaluate: (...x) => map((a, b) => a / (1 + Math.exp(-b)), ...x),
      })),
  },
  ...unarySteps.map((row) => step(applied(row, 1))),
  ...binarySteps.map((row) => step(applied(row, 2))),
  ...cancelling.map(([name, domain, build, f, terms]) => ({
    ...applied([name, domain, build, f], 1),
    terms,
  })),
];
