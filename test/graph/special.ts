// Reference values of functions that JavaScript does not have, by methods other than those in src.

/** The error function by its Taylor series in fixed point with 400 bits: precise to the last bit. */
export function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  const one = 1n << 400n;
  const exact = fixedPoint(x, one);
  const square = (exact * exact) / one;
  let term = exact;
  let sum = exact;
  for (let n = 1n; term !== 0n; n++) {
    term = (-term * square) / one / n;
    sum += term / (2n * n + 1n);
  }
  return (Number(sum) / 2 ** 400) * (2 / Math.sqrt(Math.PI));
}

function fixedPoint(x: number, one: bigint): bigint {
  const exponent = Math.max(-1000, Math.floor(Math.log2(Math.abs(x) || 1)));
  return (BigInt(x * 2 ** (52 - exponent)) * one) / 2n ** BigInt(52 - exponent);
}

/** log Gamma by the approximation of Lanczos with g = 607/128 and 15 terms (Godfrey 2001), with an error of 1e-15. */
export function logGamma(x: number): number {
  const coefficients = [
    0.9999999999999971, 57.15623566586292, -59.59796035547549, 14.136097974741746, -0.4919138160976202,
    3.399464998481189e-5, 4.652362892704858e-5, -9.837447530487956e-5, 0.0001580887032249125,
    -0.00021026444172410488, 0.00021743961811521265, -0.0001643181065367639, 8.441822398385275e-5,
    -2.6190838401581408e-5, 3.6899182659531625e-6,
  ];
  const sum = coefficients.reduce((total, c, k) => total + (k === 0 ? c : c / (x + k)));
  const shifted = x + 607 / 128 + 0.5;
  return (x + 0.5) * Math.log(shifted) - shifted + Math.log((Math.sqrt(2 * Math.PI) * sum) / x);
}
