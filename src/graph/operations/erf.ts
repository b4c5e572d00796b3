import { ElementType, type Emitter, type Operation } from "../operation.ts";

/** The error function 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x. */
export const erf: Operation<Record<string, never>> = {
  name: "erf",
  shape: ([x]) => x.shape,
  gradient: (g, [x]) => [
    g.mul(
      x
        .square()
        .neg()
        .exp()
        .mul(2 / Math.sqrt(Math.PI)),
    ),
  ],
  emit: (onnx, [x]) => (onnx.floatType === ElementType.DOUBLE ? emitFloat64(onnx, x) : onnx.node("Erf", [x])),
};

/**
 * ONNX Runtime has Erf in float32 only. In float64 it is computed by two rational approximations with an error of 1e-16, one of
 * erf(x) / x near 0 and one of erfc(|x|) exp(x^2) for larger |x|:
 * W. J. Cody, "Rational Chebyshev approximations for the error function", Mathematics of Computation 23, 1969.
 */
function emitFloat64(onnx: Emitter, x: string): string {
  const mul = (a: string, b: string) => onnx.node("Mul", [a, b]);
  const polynomial = (t: string, [highest, ...rest]: readonly number[]) =>
    rest.reduce((sum, c) => onnx.node("Add", [mul(sum, t), onnx.scalar(c)]), onnx.scalar(highest));
  const ratio = (t: string, numerator: readonly number[], denominator: readonly number[]) =>
    onnx.node("Div", [polynomial(t, numerator), polynomial(t, denominator)]);

  // erf(x) is 1 to the last bit for x >= 6. Without the limit the polynomials would overflow.
  const magnitude = onnx.node("Min", [onnx.node("Abs", [x]), onnx.scalar(6)]);
  const square = mul(magnitude, magnitude);
  const inner = mul(x, ratio(square, INNER_NUMERATOR, INNER_DENOMINATOR));
  const decay = onnx.node("Exp", [onnx.node("Neg", [square])]);
  const tail = mul(decay, ratio(magnitude, OUTER_NUMERATOR, OUTER_DENOMINATOR));
  const outer = mul(onnx.node("Sign", [x]), onnx.node("Sub", [onnx.scalar(1), tail]));
  return onnx.node("Where", [onnx.node("Less", [magnitude, onnx.scalar(0.46875)]), inner, outer]);
}

// Coefficients, highest power first: of erf(x) / x in x^2 for |x| <= 0.46875, and of erfc(x) exp(x^2) in x for 0.46875 <= x <= 4.
// For larger x, erfc(x) is below 2e-8, and the relative error of its approximation does not change erf(x).
export const INNER_NUMERATOR = [
  0.18577770618460315, 3.1611237438705655, 113.86415415105016, 377.485237685302, 3209.3775891384694,
];
export const INNER_DENOMINATOR = [
  1, 23.601290952344122, 244.02463793444417, 1282.6165260773723, 2844.236833439171,
];
export const OUTER_NUMERATOR = [
  2.1531153547440383e-8, 0.5641884969886701, 8.883149794388377, 66.11919063714163, 298.6351381974001,
  881.952221241769, 1712.0476126340707, 2051.0783778260716, 1230.3393547979972,
];
export const OUTER_DENOMINATOR = [
  1, 15.744926110709835, 117.6939508913125, 537.1811018620099, 1621.3895745666903, 3290.7992357334597,
  4362.619090143247, 3439.3676741437216, 1230.3393548037495,
];
