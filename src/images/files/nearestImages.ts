/**
 * For each of the images [n, D], the index of the nearest row by Euclidean distance. A sample that copies a training image equals its
 * nearest training image.
 */
export function nearestImages(
  images: ArrayLike<number>,
  { rows, features, values }: { rows: number; features: number; values: ArrayLike<number> },
): Int32Array {
  return Int32Array.from({ length: images.length / features }, (_, image) => {
    let [nearest, smallest] = [0, Number.POSITIVE_INFINITY];
    for (let row = 0; row < rows; row++) {
      let distance = 0;
      // A partial sum that reaches the smallest distance shows that this row is not nearer.
      for (let d = 0; d < features && distance < smallest; d++)
        distance += (images[image * features + d]! - values[row * features + d]!) ** 2;
      if (distance < smallest) [nearest, smallest] = [row, distance];
    }
    return nearest;
  });
}
