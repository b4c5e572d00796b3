import { type Attributes, type Emitter, FLOAT32, type Operation } from "../operation.ts";
import { broadcastShapes, type Shape, sameShape } from "../shape.ts";
import { scalar, type Tensor } from "../tensor.ts";

type None = Record<string, never>;

/** f(x), one element at a time. `derivative` gives f'(x) from the input and the output, whichever is cheaper. */
function unary(
  name: string,
  onnxType: string,
  derivative: (x: Tensor, y: Tensor) => Tensor,
): Operation<None> {
  return {
    name,
    shape: ([x]) => x.shape,
    gradient: (g, [x], y) => [g.mul(derivative(x, y))],
    emit: (onnx, inputs) => onnx.node(onnxType, inputs),
  };
}

/** Up to this size, copies along a last axis of size 1 are made faster by a product than inside the operation. */
const SHORT_AXIS = 64;

/**
 * Inputs in a form that the runtime broadcasts fast. It cuts an elementwise operation into stretches that need no
 * broadcasting, and each costs about 9 ns besides its arithmetic:
 * - [N, 8] with [N, 1] is N stretches of 8: the product of [N, 1] with ones [1, 8] makes the copies in a fifth of that time.
 * - [N, 1] with a number of shape [] or [1] is N stretches of 1, and with one of shape [1, 1] a single one.
 */
function broadcastInputs(
  onnx: Emitter,
  inputs: readonly string[],
  tensors: readonly Tensor[],
  { shape }: Tensor,
): string[] {
  const size = shape.at(-1);
  const short = typeof size === "number" && size > 1 && size <= SHORT_AXIS;
  return inputs.map((name, i) => {
    const own = tensors[i].shape;
    if (own.every((d) => d === 1)) return broadcastScalar(onnx, name, own, shape);
    const copied = short && own.at(-1) === 1 && own.some((d) => d !== 1);
    if (!copied || tensors[i].type === "bool") return name;
    return onnx.node("MatMul", [name, onnx.node("Expand", [onnx.scalar(1), onnx.integers([1, size])])]);
  });
}

function broadcastScalar(onnx: Emitter, name: string, own: Shape, shape: Shape): string {
  return own.length < shape.length && shape.includes(1)
    ? onnx.node("Reshape", [name, onnx.integers(shape.map(() => 1))])
    : name;
}

/** f(a, b) with broadcasting. */
function binary(
  name: string,
  onnxType: string,
  gradient: (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => readonly Tensor[],
): Operation<None> {
  return {
    name,
    broadcasts: true,
    shape: ([a, b]) => broadcastShapes(name, a.shape, b.shape),
    gradient: (g, [a, b], y) => gradient(g, a, b, y),
    emit: (onnx, inputs, _attributes, tensors, output) =>
      onnx.node(onnxType, broadcastInputs(onnx, inputs, tensors, output)),
  };
}

const plainAdd = binary("add", "Add", (g) => [g, g]);
/** To a product with a transposed matrix it adds as a Sum, which the runtime does in the product, as it does others by itself. */
export const add: typeof plainAdd = {
  ...plainAdd,
  emit(onnx, inputs, attributes, tensors, output) {
    return addsToProduct(output)
      ? onnx.node("Sum", inputs)
      : plainAdd.emit(onnx, inputs, attributes, tensors, output);
  },
};

/** Whether a node adds a matrix to the product with a transposed one. */
export const addsToProduct = ({ operation, inputs, shape }: Tensor): boolean =>
  operation.name === "add" &&
  shape.length === 2 &&
  inputs.every((tensor) => sameShape(tensor.shape, shape)) &&
  inputs.some(({ operation, attributes }) => operation.name === "matmul" && attributes.transposeB);
export const sub = binary("sub", "Sub", (g) => [g, g.neg()]);
export const mul = binary("mul", "Mul", (g, a, b) => [g.mul(b), g.mul(a)]);
export const div = binary("div", "Div", (g, _a, b, y) => {
  const ga = g.div(b);
  return [ga, ga.mul(y).neg()];
});
/** a where a >= b, else b; at a tie the whole gradient goes to a. */
export const maximum = binary("maximum", "Max", (g, a, b) => {
  const first = a.greaterEqual(b);
  return [first.where(g, 0), first.where(0, g)];
});
/** a where a <= b, else b; at a tie the whole gradient goes to a. */
export const minimum = binary("minimum", "Min", (g, a, b) => {
  const first = a.lessEqual(b);
  return [first.where(g, 0), first.where(0, g)];
});
/** a^b for a > 0; the gradient with respect to b is 0 where a <= 0. */
export const power = binary("power", "Pow", (g, a, b, y) => {
  const positive = a.greater(0);
  const logA = positive.where(positive.where(a, 1).log(), 0);
  return [g.mul(b).mul(a.power(b.sub(1))), g.mul(y).mul(logA)];
});

export const neg: Operation<None> = {
  name: "neg",
  shape: ([x]) => x.shape,
  gradient: (g) => [g.neg()],
  emit: (onnx, inputs) => onnx.node("Neg", inputs),
};
export const exp = unary("exp", "Exp", (_x, y) => y);
export const log = unary("log", "Log", (x) => x.reciprocal());
export const tanh = unary("tanh", "Tanh", (_x, y) => y.square().neg().add(1));
export const sqrt = unary("sqrt", "Sqrt", (_x, y) => y.reciprocal().mul(0.5));
export const reciprocal = unary("reciprocal", "Reciprocal", (_x, y) => y.square().neg());
export const sin = unary("sin", "Sin", (x) => x.cos());
export const cos = unary("cos", "Cos", (x) => x.sin().neg());
export const abs = unary("abs", "Abs", (x) => x.sign());
/** The output's step, and not the input's: the next operation reads the output too. */
export const relu = unary("relu", "Relu", (_x, y) => y.step());

function stepwise(name: string, onnxType: string): Operation<None> {
  return {
    name,
    shape: ([x]) => x.shape,
    gradient: () => [null],
    emit: (onnx, inputs) => onnx.node(onnxType, inputs),
  };
}
export const sign = stepwise("sign", "Sign");
export const floor = stepwise("floor", "Floor");
/** 1 where x > 0, else 0: in float32 as a steep ramp, which costs a third of a comparison and differs below 1e-38 alone. */
export const step: Operation<None> = {
  name: "step",
  shape: ([x]) => x.shape,
  gradient: () => [null],
  emit: (onnx, [x]) =>
    onnx.floatType === FLOAT32
      ? onnx.node("HardSigmoid", [x], { alpha: { float: 3e38 }, beta: { float: 0 } })
      : onnx.node("Cast", [onnx.node("Greater", [x, onnx.scalar(0)])], { to: onnx.floatType }),
};

/**
 * x / (1 + |x| / b): within +-b, with slope 1 at 0. It falls off slower than tanh, so a clamped number can still learn.
 * The slope is the square of the factor in x (1 / (1 + |x| / b)), which the runtime computes once for both.
 */
export const softClamp: Operation<{ readonly bound: number }> = {
  name: "softClamp",
  shape: ([x]) => x.shape,
  gradient: (g, [x], _y, { bound }) => {
    const factor = scalar(bound).div(x.abs().add(bound));
    return [g.mul(factor.square())];
  },
  emit: (onnx, [x], { bound }, [{ shape }]) => {
    const b = broadcastScalar(onnx, onnx.scalar(bound), [], shape);
    const factor = onnx.node("Div", [b, onnx.node("Add", [onnx.node("Abs", [x]), b])]);
    return onnx.node("Mul", [x, factor]);
  },
};

/** x^2 as one product: exact, and cheaper than Pow. */
export const square: Operation<None> = {
  name: "square",
  shape: ([x]) => x.shape,
  gradient: (g, [x]) => [g.mul(x.mul(2))],
  emit: (onnx, [x]) => onnx.node("Mul", [x, x]),
};

/** 1 / (1 + exp(-x)) as it stands: the runtime's own kernel is 0 below -18 (float32) and -37 (float64). */
export const sigmoid: Operation<None> = {
  name: "sigmoid",
  shape: ([x]) => x.shape,
  gradient: (g, _inputs, y) => [g.mul(y.mul(y.neg().add(1)))],
  emit: (onnx, [x]) => {
    const decay = onnx.node("Exp", [onnx.node("Neg", [x])]);
    return onnx.node("Reciprocal", [onnx.node("Add", [decay, onnx.scalar(1)])]);
  },
};

/** max(x, 0) + log(1 + exp(-|x|)): faster than the runtime's own kernel, and exact below -37 in float64 too. */
export const softplus: Operation<None> = {
  name: "softplus",
  shape: ([x]) => x.shape,
  gradient: (g, [x]) => [g.mul(x.sigmoid())],
  emit: (onnx, [x]) => {
    const decay = onnx.node("Exp", [onnx.node("Neg", [onnx.node("Abs", [x])])]);
    const { log, correction } = compensatedLog1p(onnx, decay);
    const excess = onnx.node("Add", [log, correction]);
    return onnx.node("Add", [onnx.node("Max", [x, onnx.scalar(0)]), excess]);
  },
};

/** log(1 + x) to full precision near 0. */
export const log1p: Operation<None> = {
  name: "log1p",
  shape: ([x]) => x.shape,
  gradient: (g, [x]) => [g.div(x.add(1))],
  emit: (onnx, [x]) => {
    const { log, rounded, correction } = compensatedLog1p(onnx, x);
    // Nothing was lost in 1 + x; this also covers x = -1 and x = Infinity.
    const exact = onnx.node("Equal", [rounded, x]);
    return onnx.node("Add", [log, onnx.node("Where", [exact, onnx.scalar(0), correction])]);
  },
};

/** log(1 + x) = log(u) + (x - (u - 1)) / u to first order in what is lost in rounding u = 1 + x. */
function compensatedLog1p(onnx: Emitter, x: string): { log: string; rounded: string; correction: string } {
  const one = onnx.scalar(1);
  const u = onnx.node("Add", [x, one]);
  const rounded = onnx.node("Sub", [u, one]);
  const correction = onnx.node("Div", [onnx.node("Sub", [x, rounded]), u]);
  return { log: onnx.node("Log", [u]), rounded, correction };
}

/** exp(x) - 1 to full precision near 0: 2 sinh(x/2) exp(x/2), written as tanh(x/2) (exp(x) + 1). */
export const expm1: Operation<None> = {
  name: "expm1",
  shape: ([x]) => x.shape,
  gradient: (g, [x]) => [g.mul(x.exp())],
  emit: (onnx, [x]) => {
    const half = onnx.node("Tanh", [onnx.node("Mul", [x, onnx.scalar(0.5)])]);
    return onnx.node("Mul", [half, onnx.node("Add", [onnx.node("Exp", [x]), onnx.scalar(1)])]);
  },
};

function comparison(name: string, onnxType: string): Operation<None> {
  return {
    name,
    type: "bool",
    shape: ([a, b]) => broadcastShapes(name, a.shape, b.shape),
    emit: (onnx, inputs, _attributes, tensors, output) =>
      onnx.node(onnxType, broadcastInputs(onnx, inputs, tensors, output)),
  };
}
export const greater = comparison("greater", "Greater");
export const greaterEqual = comparison("greaterEqual", "GreaterOrEqual");
export const less = comparison("less", "Less");
export const lessEqual = comparison("lessEqual", "LessOrEqual");
export const equal = comparison("equal", "Equal");
export const and = comparison("and", "And");
export const or = comparison("or", "Or");
export const not: Operation<None> = {
  name: "not",
  type: "bool",
  shape: ([x]) => x.shape,
  emit: (onnx, inputs) => onnx.node("Not", inputs),
};

/** a where the condition holds, else b. The gradient of the branch not taken is exactly 0. */
export const where: Operation<None> = {
  name: "where",
  broadcasts: true,
  shape: ([condition, a, b]) => broadcastShapes("where", condition.shape, a.shape, b.shape),
  gradient: (g, [condition]) => [null, condition.where(g, 0), condition.where(0, g)],
  emit: (onnx, inputs, _attributes, tensors, output) =>
    onnx.node("Where", broadcastInputs(onnx, inputs, tensors, output)),
};

/** 1 where true, 0 where false. */
export const toFloat: Operation<None> = {
  name: "toFloat",
  shape: ([x]) => x.shape,
  gradient: () => [null],
  emit: (onnx, inputs) => onnx.node("Cast", inputs, { to: onnx.floatType }),
};

/** The value, with gradient 0. It costs nothing at run time. */
export const stopGradient: Operation<Attributes> = {
  name: "stopGradient",
  shape: ([x]) => x.shape,
  gradient: () => [null],
  emit: (_onnx, [x]) => x,
};
