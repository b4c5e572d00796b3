import { ElementType, type Emitter, type Operation } from "../operation.ts";
import { broadcastShapes, sameShape } from "../shape.ts";
import { apply, scalar, type Tensor } from "../tensor.ts";
import { broadcastInputs, copiesForPixels, reshapeScalar } from "./broadcasting.ts";
import { scalarValue } from "./source.ts";

type NoAttributes = Record<string, never>;

/**
 * An elementwise function f(x). `emit` is the name of its ONNX operator, or a function that writes its nodes. `derivative` computes f'(x)
 * from the input x or the output y, whichever is cheaper.
 */
function unary(
  name: string,
  emit: string | ((onnx: Emitter, x: string) => string),
  derivative: (x: Tensor, y: Tensor) => Tensor,
  properties: Partial<Operation<NoAttributes>> = {},
): Operation<NoAttributes> {
  return {
    name,
    shape: ([x]) => x.shape,
    gradient: (g, [x], y) => [g.mul(derivative(x, y))],
    emit: (onnx, [x]) => (typeof emit === "string" ? onnx.node(emit, [x]) : emit(onnx, x)),
    ...properties,
  };
}

/** f(a, b), element by element with broadcasting. */
function binary(
  name: string,
  onnxType: string,
  gradient: (g: Tensor, a: Tensor, b: Tensor, y: Tensor) => readonly Tensor[],
  properties: Partial<Operation<NoAttributes>> = {},
): Operation<NoAttributes> {
  return {
    name,
    broadcasts: "elementwise",
    shape: ([a, b]) => broadcastShapes(name, a.shape, b.shape),
    gradient: (g, [a, b], y) => gradient(g, a, b, y),
    emit: (onnx, inputs, _attributes, tensors, output) =>
      onnx.node(onnxType, broadcastInputs(onnx, inputs, tensors, output)),
    expandFixed([a, b], attributes) {
      const copies = copiesForPixels(b, a.shape);
      return copies && apply(this, [a, copies], attributes);
    },
    ...properties,
  };
}

const elementwiseAdd = binary("add", "Add", (g) => [g, g], {
  evaluate: (a, b) => a + b,
  simplify({ inputs: [a, b] }) {
    if (scalarValue(b) === 0) return a;
    if (scalarValue(a) === 0) return b;
    if (b.operation === neg) return a.sub(b.inputs[0]);
    if (a.operation === neg) return b.sub(a.inputs[0]);
    return mergeAdditive(a, b);
  },
});

export const add: typeof elementwiseAdd = {
  ...elementwiseAdd,
  // By default, ONNX Runtime fuses a Sum into the Gemm before it, but never an Add. Sessions of `compile` do not (`NEEDLESS_OPTIMIZERS` of
  // `runtime/engine.ts`), so only other sessions of an exported file gain from it.
  emit(onnx, inputs, attributes, tensors, output) {
    return isSumWithTransposedProduct(output)
      ? onnx.node("Sum", inputs)
      : elementwiseAdd.emit(onnx, inputs, attributes, tensors, output);
  },
};

/** Rewrites f(x) + f(y) as f(x + y) if f is additive. */
function mergeAdditive(a: Tensor, b: Tensor): Tensor | undefined {
  const { operation, attributes } = a;
  if (!operation.additive || b.operation !== operation) return undefined;
  const equal = JSON.stringify(attributes) === JSON.stringify(b.attributes);
  const [x, y] = [a.inputs[0], b.inputs[0]];
  return equal && sameShape(x.shape, y.shape) ? apply(operation, [x.add(y)], attributes) : undefined;
}

/** Whether a node adds a matrix to a product whose second factor is transposed. */
export const isSumWithTransposedProduct = ({ operation, inputs, shape }: Tensor): boolean =>
  operation === add &&
  shape.length === 2 &&
  inputs.every((tensor) => sameShape(tensor.shape, shape)) &&
  inputs.some(
    ({ operation: { product }, inputs: factors, attributes }) =>
      factors.length === 2 && product?.transposes(attributes).transposeB,
  );

export const sub = binary("sub", "Sub", (g) => [g, g.neg()], {
  evaluate: (a, b) => a - b,
  simplify({ inputs: [a, b] }) {
    if (scalarValue(b) === 0) return a;
    return b.operation === neg ? a.add(b.inputs[0]) : undefined;
  },
});
export const mul = binary("mul", "Mul", (g, a, b) => [g.mul(b), g.mul(a)], {
  evaluate: (a, b) => a * b,
  simplify({ inputs: [a, b] }) {
    if (scalarValue(b) === 1) return a;
    return scalarValue(a) === 1 ? b : undefined;
  },
});
export const div = binary(
  "div",
  "Div",
  (g, _a, b, y) => {
    const ga = g.div(b);
    return [ga, ga.mul(y).neg()];
  },
  {
    evaluate: (a, b) => a / b,
    simplify: ({ inputs: [a, b] }) => (scalarValue(b) === 1 ? a : undefined),
  },
);
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
/** a^b. Its gradient with respect to b is a^b log(a), and 0 where a <= 0. */
export const power = binary("power", "Pow", (g, a, b, y) => {
  const positive = a.greater(0);
  const logA = positive.where(positive.where(a, 1).log(), 0);
  // For b = 0 the derivative is 0 also at a = 0, where 0 a^-1 would be NaN.
  const exponent = b.equal(0).where(1, b).sub(1);
  return [g.mul(b).mul(a.power(exponent)), g.mul(y).mul(logA)];
});

export const neg: Operation<NoAttributes> = {
  name: "neg",
  shape: ([x]) => x.shape,
  gradient: (g) => [g.neg()],
  emit: (onnx, inputs) => onnx.node("Neg", inputs),
  evaluate: (x) => -x,
  simplify: ({ inputs: [x] }) => (x.operation === neg ? x.inputs[0] : undefined),
};
export const exp = unary("exp", "Exp", (_x, y) => y, { evaluate: Math.exp });
export const log = unary("log", "Log", (x) => x.reciprocal(), { evaluate: Math.log });
export const tanh = unary("tanh", "Tanh", (_x, y) => y.square().neg().add(1));
export const sqrt = unary("sqrt", "Sqrt", (_x, y) => y.reciprocal().mul(0.5), { evaluate: Math.sqrt });
export const reciprocal = unary("reciprocal", "Reciprocal", (_x, y) => y.square().neg(), {
  evaluate: (x) => 1 / x,
});
export const sin = unary("sin", "Sin", (x) => x.cos());
/**
 * Older versions of ONNX Runtime, such as 1.21, have no Cos for float64: there it is sin(pi / 2 - |x|). The error of this difference is at
 * most that of rounding x, or 2e-16 for small x.
 */
export const cos = unary(
  "cos",
  (onnx, x) => {
    if (onnx.floatType === ElementType.FLOAT) return onnx.node("Cos", [x]);
    const angle = onnx.node("Sub", [onnx.scalar(Math.PI / 2), onnx.node("Abs", [x])]);
    return onnx.node("Sin", [angle]);
  },
  (x) => x.sin().neg(),
);
export const abs = unary("abs", "Abs", (x) => x.sign());
/** The derivative is computed from the output, which the next operation reads too, so the input need not stay in memory. */
export const relu = unary("relu", "Relu", (_x, y) => y.step(), { fixesOne: true });

/** A function that is constant between jumps: its gradient is 0. */
function piecewiseConstant(name: string, onnxType: string): Operation<NoAttributes> {
  return {
    name,
    shape: ([x]) => x.shape,
    emit: (onnx, inputs) => onnx.node(onnxType, inputs),
  };
}
export const sign = piecewiseConstant("sign", "Sign");
export const floor = piecewiseConstant("floor", "Floor");
/** 1 where x > 0, else 0. In float32 it is a ramp of slope 3e38, three times faster than a comparison and different only below 1e-38. */
export const step: Operation<NoAttributes> = {
  name: "step",
  shape: ([x]) => x.shape,
  emit: (onnx, [x]) =>
    onnx.floatType === ElementType.FLOAT
      ? onnx.node("HardSigmoid", [x], { alpha: { float: 3e38 }, beta: { float: 0 } })
      : onnx.node("Cast", [onnx.node("Greater", [x, onnx.scalar(0)])], { to: onnx.floatType }),
};

/**
 * x / (1 + |x| / b): within +-b, with slope 1 at 0. The slope decreases more slowly than that of tanh, so a parameter near the
 * bound still learns. The slope is the square of 1 / (1 + |x| / b), which the runtime computes once for value and gradient.
 */
export const softClamp: Operation<{ readonly bound: number }> = {
  name: "softClamp",
  shape: ([x]) => x.shape,
  gradient: (g, [x], _y, { bound }) => {
    const factor = scalar(bound).div(x.abs().add(bound));
    return [g.mul(factor.square())];
  },
  emit: (onnx, [x], { bound }, [{ shape }]) => {
    const b = reshapeScalar(onnx, onnx.scalar(bound), [], shape);
    const factor = onnx.node("Div", [b, onnx.node("Add", [onnx.node("Abs", [x]), b])]);
    return onnx.node("Mul", [x, factor]);
  },
};

/** The distribution function Phi of the standard normal distribution. */
const normalCdf = (x: Tensor): Tensor => x.mul(Math.SQRT1_2).erf().add(1).mul(0.5);

/**
 * x Phi(x) (Hendrycks and Gimpel 2016). The runtime's own operator, which float32 graphs with fixed parameters use, takes one node in place of
 * five.
 */
export const gelu = unary(
  "gelu",
  "Gelu",
  (x) =>
    x
      .square()
      .mul(-0.5)
      .exp()
      .mul(1 / Math.sqrt(2 * Math.PI))
      .mul(x)
      .add(normalCdf(x)),
  { expand: ([x]) => x.mul(normalCdf(x)) },
);

/** x^2 as one product: exact, and cheaper than Pow. */
export const square = unary(
  "square",
  (onnx, x) => onnx.node("Mul", [x, x]),
  (x) => x.mul(2),
  { evaluate: (x) => x * x },
);

/** 1 / (1 + exp(-x)), composed of other operators: the runtime's Sigmoid is 0 below -18 (float32) and -37 (float64). */
export const sigmoid = unary(
  "sigmoid",
  (onnx, x) => {
    const decay = onnx.node("Exp", [onnx.node("Neg", [x])]);
    return onnx.node("Reciprocal", [onnx.node("Add", [decay, onnx.scalar(1)])]);
  },
  (_x, y) => y.mul(y.neg().add(1)),
);

/** max(x, 0) + log(1 + exp(-|x|)): faster than the runtime's Softplus, and precise below -37 in float64 too. */
export const softplus = unary(
  "softplus",
  (onnx, x) => {
    const decay = onnx.node("Exp", [onnx.node("Neg", [onnx.node("Abs", [x])])]);
    const { log, correction } = compensatedLog1p(onnx, decay);
    const excess = onnx.node("Add", [log, correction]);
    return onnx.node("Add", [onnx.node("Max", [x, onnx.scalar(0)]), excess]);
  },
  (x) => x.sigmoid(),
);

/** log(1 + x) to full precision near 0. */
export const log1p: Operation<NoAttributes> = {
  name: "log1p",
  shape: ([x]) => x.shape,
  gradient: (g, [x]) => [g.div(x.add(1))],
  emit: (onnx, [x]) => {
    const { log, rounded, correction } = compensatedLog1p(onnx, x);
    // If 1 + x was not rounded, the correction is 0; at x = -1 and x = Infinity computing it would give NaN.
    const exact = onnx.node("Equal", [rounded, x]);
    return onnx.node("Add", [log, onnx.node("Where", [exact, onnx.scalar(0), correction])]);
  },
};

/** log(1 + x) = log(u) + (x - (u - 1)) / u, to first order in the rounding error of u = 1 + x. */
function compensatedLog1p(onnx: Emitter, x: string): { log: string; rounded: string; correction: string } {
  const one = onnx.scalar(1);
  const u = onnx.node("Add", [x, one]);
  const rounded = onnx.node("Sub", [u, one]);
  const correction = onnx.node("Div", [onnx.node("Sub", [x, rounded]), u]);
  return { log: onnx.node("Log", [u]), rounded, correction };
}

/** exp(x) - 1 to full precision near 0: 2 sinh(x/2) exp(x/2), written as tanh(x/2) (exp(x) + 1). */
export const expm1 = unary(
  "expm1",
  (onnx, x) => {
    const half = onnx.node("Tanh", [onnx.node("Mul", [x, onnx.scalar(0.5)])]);
    return onnx.node("Mul", [half, onnx.node("Add", [onnx.node("Exp", [x]), onnx.scalar(1)])]);
  },
  (x) => x.exp(),
);

/**
 * x where x > 0, else exp(x) - 1, computed as max(x, exp(min(x, 0)) - 1), because the runtime's Elu and its Where take longer than all of
 * these operators together. The error is at most the rounding error of 1, unlike that of `expm1`, which would take more operators.
 * The derivative is exp(min(x, 0)) = 1 + min(y, 0).
 */
export const elu = unary(
  "elu",
  (onnx, x) => {
    const exponential = onnx.node("Exp", [onnx.node("Min", [x, onnx.scalar(0)])]);
    return onnx.node("Max", [x, onnx.node("Sub", [exponential, onnx.scalar(1)])]);
  },
  (_x, y) => apply(slopeOfElu, [y], {}),
);

/** 1 + min(y, 0) for the values y > -1 of `elu`: in float32 one operator, in which the runtime takes half of the time. */
const slopeOfElu = unary(
  "slopeOfElu",
  (onnx, y) =>
    onnx.floatType === ElementType.FLOAT
      ? onnx.node("HardSigmoid", [y], { alpha: { float: 1 }, beta: { float: 1 } })
      : onnx.node("Add", [onnx.node("Min", [y, onnx.scalar(0)]), onnx.scalar(1)]),
  (y) => y.neg().step(),
);

function comparison(
  name: string,
  onnxType: string,
  inputTypes: Operation["inputTypes"] = ["float"],
): Operation<NoAttributes> {
  return {
    name,
    type: "bool",
    inputTypes,
    broadcasts: "elementwise",
    shape: ([a, b]) => broadcastShapes(name, a.shape, b.shape),
    emit: (onnx, inputs, _attributes, tensors, output) =>
      onnx.node(onnxType, broadcastInputs(onnx, inputs, tensors, output)),
  };
}
export const greater = comparison("greater", "Greater");
export const greaterEqual = comparison("greaterEqual", "GreaterOrEqual");
export const less = comparison("less", "Less");
export const lessEqual = comparison("lessEqual", "LessOrEqual");
export const equal = comparison("equal", "Equal", ["sameAsFirst"]);
export const and = comparison("and", "And", ["bool"]);
export const or = comparison("or", "Or", ["bool"]);
export const not: Operation<NoAttributes> = {
  name: "not",
  type: "bool",
  inputTypes: ["bool"],
  shape: ([x]) => x.shape,
  emit: (onnx, inputs) => onnx.node("Not", inputs),
};

/** a where the condition holds, else b. The gradient of the branch not taken is exactly 0. */
export const where: Operation<NoAttributes> = {
  name: "where",
  inputTypes: ["bool", "float"],
  broadcasts: "elementwise",
  shape: ([condition, a, b]) => broadcastShapes("where", condition.shape, a.shape, b.shape),
  gradient: (g, [condition]) => [null, condition.where(g, 0), condition.where(0, g)],
  emit: (onnx, inputs, _attributes, tensors, output) =>
    onnx.node("Where", broadcastInputs(onnx, inputs, tensors, output)),
};

/** 1 where true, 0 where false. */
export const toFloat: Operation<NoAttributes> = {
  name: "toFloat",
  inputTypes: ["any"],
  shape: ([x]) => x.shape,
  emit: (onnx, inputs) => onnx.node("Cast", inputs, { to: onnx.floatType }),
};

/** The value, with gradient 0. It costs nothing at run time. */
export const stopGradient: Operation<NoAttributes> = {
  name: "stopGradient",
  type: "sameAsInput",
  shape: ([x]) => x.shape,
  emit: (_onnx, [x]) => x,
  simplify: ({ inputs: [x] }) => x,
};
