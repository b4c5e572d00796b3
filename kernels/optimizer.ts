// AssemblyScript with SIMD instructions for four numbers. `npm run kernels` compiles it to WebAssembly in
// src/train/optimizerKernel.ts. Addresses are in bytes, counts are multiples of four. Threads call it on parts of a shared
// memory.

/**
 * One step of Adam, AdamW or AdaMax (formulas: src/train/optimizer.ts). `scale` multiplies the gradient. `coupledDecay` is the weight
 * decay that is added to the gradient, `decoupledDecay` that of AdamW. `stepSize` and `epsilon` include the bias correction. If
 * `isMaximum`, as in AdaMax, `second` has decaying maxima of absolute gradients instead of means of squares. The new values are also
 * written to `sharedValues`, which the threads read, and `average` moves towards them by the fraction `averageShare`. One pass does
 * all of this, because memory bandwidth limits the speed.
 */
export function adam(
  values: usize,
  gradient: usize,
  first: usize,
  second: usize,
  count: i32,
  scale: f32,
  coupledDecay: f32,
  beta1: f32,
  beta2: f32,
  stepSize: f32,
  epsilon: f32,
  decoupledDecay: f32,
  isMaximum: bool,
  sharedValues: usize,
  average: usize,
  averageShare: f32,
): void {
  const s = f32x4.splat(scale);
  const c = f32x4.splat(coupledDecay);
  const b1 = f32x4.splat(beta1);
  const b2 = f32x4.splat(beta2);
  const rest1 = f32x4.splat(1 - beta1);
  const rest2 = f32x4.splat(1 - beta2);
  const z = f32x4.splat(stepSize);
  const e = f32x4.splat(epsilon);
  const k = f32x4.splat(decoupledDecay);
  for (let i: usize = 0, end = bytes(count); i < end; i += 16) {
    const p = v128.load(values + i);
    const g = f32x4.add(f32x4.mul(v128.load(gradient + i), s), f32x4.mul(p, c));
    const m = f32x4.add(f32x4.mul(v128.load(first + i), b1), f32x4.mul(g, rest1));
    const decayed = f32x4.mul(v128.load(second + i), b2);
    const v = isMaximum
      ? f32x4.max(decayed, f32x4.abs(g))
      : f32x4.add(decayed, f32x4.mul(f32x4.mul(g, g), rest2));
    v128.store(first + i, m);
    v128.store(second + i, v);
    const step = f32x4.div(f32x4.mul(m, z), f32x4.add(isMaximum ? v : f32x4.sqrt(v), e));
    storeValues(
      f32x4.sub(p, f32x4.add(step, f32x4.mul(p, k))),
      values + i,
      sharedValues + i,
      average + i,
      averageShare,
    );
  }
}

/** One step of gradient descent with momentum. The arguments are those of `adam`. */
export function sgd(
  values: usize,
  gradient: usize,
  momentum: usize,
  count: i32,
  scale: f32,
  coupledDecay: f32,
  beta: f32,
  stepSize: f32,
  sharedValues: usize,
  average: usize,
  averageShare: f32,
): void {
  const s = f32x4.splat(scale);
  const c = f32x4.splat(coupledDecay);
  const b = f32x4.splat(beta);
  const z = f32x4.splat(stepSize);
  for (let i: usize = 0, end = bytes(count); i < end; i += 16) {
    const p = v128.load(values + i);
    const g = f32x4.add(f32x4.mul(v128.load(gradient + i), s), f32x4.mul(p, c));
    const m = f32x4.add(f32x4.mul(v128.load(momentum + i), b), g);
    v128.store(momentum + i, m);
    storeValues(f32x4.sub(p, f32x4.mul(m, z)), values + i, sharedValues + i, average + i, averageShare);
  }
}

/** Stores new values, also in `sharedValues` if that is a separate copy, and updates their moving average if there is one. */
// @inline
function storeValues(p: v128, values: usize, sharedValues: usize, average: usize, averageShare: f32): void {
  v128.store(values, p);
  if (sharedValues !== values) v128.store(sharedValues, p);
  if (averageShare > 0) {
    const a = v128.load(average);
    v128.store(average, f32x4.add(a, f32x4.mul(f32x4.splat(averageShare), f32x4.sub(p, a))));
  }
}

/**
 * Writes to `total` the sum of `parts` arrays, which are `stride` bytes apart, in their order, and to `result` the sum of its
 * squares in double precision. A single array may be `total` itself.
 *
 * If there is a mask, it has one byte for every four numbers: the index of a vector at `vectors`, whose bits are 1 for numbers
 * to keep and 0 for numbers to set to 0.
 */
export function sum(
  total: usize,
  first: usize,
  stride: usize,
  parts: i32,
  count: i32,
  result: usize,
  mask: usize,
  vectors: usize,
): void {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let i: usize = 0, end = bytes(count); i < end; i += 16) {
    let part = first + i;
    let x = v128.load(part);
    for (let k = 1; k < parts; k++) {
      part += stride;
      x = f32x4.add(x, v128.load(part));
    }
    if (mask !== 0) x = v128.and(x, v128.load(vectors + ((<usize>load<u8>(mask + (i >> 4))) << 4)));
    if (total !== first || mask !== 0) v128.store(total + i, x);
    const a = f64x2.promote_low_f32x4(x);
    const b = f64x2.promote_low_f32x4(v128.shuffle<i32>(x, x, 2, 3, 2, 3));
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  const squares = f64x2.add(low, high);
  store<f64>(result, f64x2.extract_lane(squares, 0) + f64x2.extract_lane(squares, 1));
}

/** Sets subnormal numbers to 0, which many processors compute with slowly. */
export function flush(values: usize, count: i32): void {
  const least = f32x4.splat(1.1754944e-38);
  for (let i: usize = 0, end = bytes(count); i < end; i += 16) {
    const x = v128.load(values + i);
    v128.store(values + i, v128.and(x, f32x4.ge(f32x4.abs(x), least)));
  }
}

// @inline
function bytes(count: i32): usize {
  return (<usize>count) << 2;
}
