import { PushforwardError } from "../../check/index.ts";

/** Where numbers come from that should be pixels, for error messages. */
export interface PixelSource {
  /** The name of an image in messages; see `ImageSet.nameOf`. */
  nameOf(image: number): string;
  /** The column of a pixel, if the images are rows of a table. */
  columnOf?(pixel: number): string;
  /** How to leave out the images without this pixel. */
  withoutMissing(pixel: number): string;
  /** The code that rounds `formula(x)` for all numbers x, in the language of the source. */
  rounded(formula: (x: string) => string): string;
}

/**
 * Numbers as pixels. `firstImage` is the index of the first image, for the error, and `size` the number of pixels of an image.
 *
 * @throws DATA unless the numbers are whole and from 0 to 255.
 */
export function pixelsOf(
  numbers: ArrayLike<number>,
  source: PixelSource,
  firstImage: number,
  size: number,
): Uint8Array {
  if (numbers instanceof Uint8Array) return numbers;
  const pixels = Uint8Array.from(numbers);
  for (let i = 0; i < pixels.length; i++) {
    if (pixels[i] === numbers[i]) continue;
    const image = source.nameOf(firstImage + Math.floor(i / size));
    const column = source.columnOf?.(i % size);
    const isMissing = Number.isNaN(numbers[i]);
    const value = isMissing && column !== undefined ? "no value" : `the value ${numbers[i]}`;
    throw new PushforwardError(
      "DATA",
      `${image} has ${value}${column === undefined ? "" : ` in the column ${column}`}`,
      {
        expected: "integers from 0 to 255",
        hint: isMissing ? source.withoutMissing(i % size) : conversionHint(numbers, source),
      },
    );
  }
  return pixels;
}

/**
 * The hint for numbers that are not integers from 0 to 255: code that scales or rounds them, which is chosen by the smallest and the
 * largest of them.
 */
function conversionHint(numbers: ArrayLike<number>, { rounded }: PixelSource): string {
  let [min, max] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < numbers.length; i++) {
    if (numbers[i]! < min) min = numbers[i]!;
    if (numbers[i]! > max) max = numbers[i]!;
  }
  if (min >= 0 && max <= 1)
    return `If the values are from 0 to 1, multiply them by 255: ${rounded((x) => `255 * ${x}`)}`;
  if (min >= -1 && max <= 1)
    return `If the values are from -1 to 1, shift and scale them: ${rounded((x) => `127.5 * (${x} + 1)`)}`;
  if (min >= 0 && max <= 255) return `Round the values: ${rounded((x) => x)}`;
  return "Scale the values to this range, and round them.";
}
