// AssemblyScript with SIMD instructions. `npm run kernels` compiles it to WebAssembly in src/random/randomKernel.ts. Addresses
// are in bytes. A block of the generator has two numbers; four blocks are computed at a time.

/**
 * Writes the uniform numbers of `blocks` blocks to address `to`. A number is (2k + 1) / 2^53, where the 52 bits of k are the
 * upper 26 bits of words 0 and 1 of a block for its first number, and of words 2 and 3 for its second. Block i is Philox4x32-10
 * (src/random/philox.ts) of the counter `low` + i, `high`, `use`, 0.
 */
export function uniform(to: usize, blocks: i32, low: i32, high: i32, use: i32, key0: i32, key1: i32): void {
  for (let block = 0; block < blocks; block += 4, to += 64) {
    const first = i32x4.splat(low + block);
    let c0 = i32x4.add(first, i32x4(0, 1, 2, 3));
    // If the low word overflows, the high word is larger by 1. A SIMD comparison returns -1 for true.
    let c1 = i32x4.splat(high + i32(<u32>(low + block) < <u32>low));
    c1 = i32x4.sub(c1, i32x4.lt_u(c0, first));
    let c2 = i32x4.splat(use);
    let c3 = i32x4.splat(0);
    let k0 = key0;
    let k1 = key1;
    for (let round = 0; round < 10; round++) {
      const m0 = i32x4.splat(0xd2511f53);
      const m1 = i32x4.splat(0xcd9e8d57);
      const a = i64x2.extmul_low_i32x4_u(c0, m0);
      const b = i64x2.extmul_high_i32x4_u(c0, m0);
      const c = i64x2.extmul_low_i32x4_u(c2, m1);
      const d = i64x2.extmul_high_i32x4_u(c2, m1);
      c0 = v128.xor(v128.xor(v128.shuffle<i32>(c, d, 1, 3, 5, 7), c1), i32x4.splat(k0));
      c1 = v128.shuffle<i32>(c, d, 0, 2, 4, 6);
      c2 = v128.xor(v128.xor(v128.shuffle<i32>(a, b, 1, 3, 5, 7), c3), i32x4.splat(k1));
      c3 = v128.shuffle<i32>(a, b, 0, 2, 4, 6);
      k0 += 0x9e3779b9;
      k1 += 0xbb67ae85;
    }
    c0 = i32x4.shr_u(c0, 6);
    c1 = i32x4.shr_u(c1, 6);
    c2 = i32x4.shr_u(c2, 6);
    c3 = i32x4.shr_u(c3, 6);
    storePairs(
      to,
      openInterval(i64x2.extend_low_i32x4_u(c0), i64x2.extend_low_i32x4_u(c1)),
      openInterval(i64x2.extend_low_i32x4_u(c2), i64x2.extend_low_i32x4_u(c3)),
    );
    storePairs(
      to + 32,
      openInterval(i64x2.extend_high_i32x4_u(c0), i64x2.extend_high_i32x4_u(c1)),
      openInterval(i64x2.extend_high_i32x4_u(c2), i64x2.extend_high_i32x4_u(c3)),
    );
  }
}

/**
 * Replaces the uniform numbers u and v of each block by the normal numbers sqrt(-2 log u) cos(2 pi v) and sqrt(-2 log u) sin(2
 * pi v).
 */
export function normal(at: usize, blocks: i32): void {
  for (let block = 0; block < blocks; block += 2, at += 32) {
    const a = v128.load(at);
    const b = v128.load(at, 16);
    const u = v128.shuffle<i64>(a, b, 0, 2);
    const v = v128.shuffle<i64>(a, b, 1, 3);
    const radius = f64x2.sqrt(f64x2.mul(log(u), f64x2.splat(-2)));

    // v = quarter / 4 + rest, exactly, so that the angle of the rest is at most pi / 4.
    const quarter = f64x2.nearest(f64x2.mul(v, f64x2.splat(4)));
    const rest = f64x2.sub(v, f64x2.mul(quarter, f64x2.splat(0.25)));
    const x = f64x2.mul(rest, f64x2.splat(2 * Math.PI));
    const s = sine(x);
    const c = cosine(x);
    // Adding 2^52 moves the quarter, an integer, to the last bits of the number.
    const q = f64x2.add(quarter, f64x2.splat(4503599627370496));
    const odd = i64x2.neg(v128.and(q, i64x2.splat(1)));
    const cosSign = i64x2.shl(v128.and(i64x2.add(q, i64x2.splat(1)), i64x2.splat(2)), 62);
    const sinSign = i64x2.shl(v128.and(q, i64x2.splat(2)), 62);
    storePairs(
      at,
      f64x2.mul(radius, v128.xor(v128.bitselect(s, c, odd), cosSign)),
      f64x2.mul(radius, v128.xor(v128.bitselect(c, s, odd), sinSign)),
    );
  }
}

/** (2k + 1) / 2^53 for the integer k of 52 bits whose upper and lower 26 bits are given. */
function openInterval(high: v128, low: v128): v128 {
  // As the mantissa of a number in [2^52, 2^53), k is converted to a float without rounding.
  const k = v128.or(v128.or(i64x2.shl(high, 26), low), i64x2.splat(0x4330000000000000));
  return f64x2.mul(
    f64x2.add(f64x2.sub(k, f64x2.splat(4503599627370496)), f64x2.splat(0.5)),
    f64x2.splat(2.220446049250313e-16),
  );
}

/** log u = k log 2 + log m with m between sqrt(1/2) and sqrt(2), and log m = 2 artanh((m - 1) / (m + 1)) by its Taylor series. */
function log(u: v128): v128 {
  const k = i64x2.shr_s(i64x2.sub(u, f64x2.splat(Math.SQRT1_2)), 52);
  const m = i64x2.sub(u, i64x2.shl(k, 52));
  const exponent = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(k, k, 0, 2, 0, 2));
  const one = f64x2.splat(1);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  let sum = f64x2.splat(2.0 / 23);
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2.0 / 21));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2.0 / 19));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2.0 / 17));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2.0 / 15));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2.0 / 13));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2.0 / 11));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2.0 / 9));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2.0 / 7));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2.0 / 5));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(2.0 / 3));
  const logM = f64x2.add(f64x2.mul(f64x2.mul(sum, z), s), f64x2.add(s, s));
  return f64x2.add(f64x2.mul(exponent, f64x2.splat(Math.LN2)), logM);
}

/** sin x by its Taylor series, which is precise to rounding for |x| up to pi / 4. */
function sine(x: v128): v128 {
  const z = f64x2.mul(x, x);
  let sum = f64x2.splat(1.0 / 355687428096000);
  sum = f64x2.sub(f64x2.mul(sum, z), f64x2.splat(1.0 / 1307674368000));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 6227020800));
  sum = f64x2.sub(f64x2.mul(sum, z), f64x2.splat(1.0 / 39916800));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 362880));
  sum = f64x2.sub(f64x2.mul(sum, z), f64x2.splat(1.0 / 5040));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 120));
  sum = f64x2.sub(f64x2.mul(sum, z), f64x2.splat(1.0 / 6));
  return f64x2.add(f64x2.mul(f64x2.mul(sum, z), x), x);
}

/** cos x, likewise for |x| up to pi / 4. */
function cosine(x: v128): v128 {
  const z = f64x2.mul(x, x);
  let sum = f64x2.splat(1.0 / 20922789888000);
  sum = f64x2.sub(f64x2.mul(sum, z), f64x2.splat(1.0 / 87178291200));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 479001600));
  sum = f64x2.sub(f64x2.mul(sum, z), f64x2.splat(1.0 / 3628800));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 40320));
  sum = f64x2.sub(f64x2.mul(sum, z), f64x2.splat(1.0 / 720));
  sum = f64x2.add(f64x2.mul(sum, z), f64x2.splat(1.0 / 24));
  sum = f64x2.sub(f64x2.mul(sum, z), f64x2.splat(0.5));
  return f64x2.add(f64x2.mul(sum, z), f64x2.splat(1));
}

/** Stores the first numbers of two blocks and the second numbers of two blocks in the order of the blocks. */
function storePairs(to: usize, first: v128, second: v128): void {
  v128.store(to, v128.shuffle<i64>(first, second, 0, 2));
  v128.store(to, v128.shuffle<i64>(first, second, 1, 3), 16);
}
