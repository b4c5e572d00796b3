/** The integers from `start` to `start + length - 1`. */
export function range(length: number, start = 0): Int32Array {
  const numbers = new Int32Array(length);
  for (let i = 0; i < length; i++) numbers[i] = start + i;
  return numbers;
}
