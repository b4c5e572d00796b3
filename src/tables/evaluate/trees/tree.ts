import { BINS, type ColumnBins, MISSING_BIN } from "./bins.ts";

/** Rows to fit a tree to: their bins, column by column, and the derivatives of the loss with respect to the score of each row. */
export interface TreeData {
  readonly columns: readonly ColumnBins[];
  readonly bins: readonly Uint8Array[];
  readonly gradients: Float64Array;
  readonly hessians: Float64Array;
}

/** A node of a tree: a leaf with its value, or a split by the bins of a column. */
export type TreeNode = { readonly value: number } | Branch;

/** A tree, and the value of the leaf of each row that it was fitted to. */
export interface FittedTree {
  readonly root: TreeNode;
  readonly values: Float64Array;
}

interface Branch {
  readonly column: number;
  /** `[256]`: whether rows with this bin go to the left. */
  readonly goesLeft: Uint8Array;
  readonly gain: number;
  left: TreeNode;
  right: TreeNode;
}

/** Gradients, hessians and numbers of rows, summed over rows. */
interface Sums {
  gradient: number;
  hessian: number;
  rows: number;
}

interface Leaf extends Sums {
  readonly indices: Int32Array;
  readonly split: Split | undefined;
  /** Puts a node in the place of the leaf. */
  replace(node: TreeNode): void;
}

interface Split {
  readonly column: number;
  readonly goesLeft: Uint8Array;
  readonly gain: number;
}

/** The limits of a tree are the defaults of scikit-learn. */
const MAX_LEAVES = 31;
const MIN_ROWS_PER_LEAF = 20;
/** The value of a leaf, -(sum of gradients) / (sum of hessians), would be huge with a smaller sum. The limit of scikit-learn. */
const MIN_HESSIAN = 1e-3;
/**
 * Added to the sum of hessians when labels are ordered by their mean gradients, since the means of rare labels are mostly noise. LightGBM
 * adds the same number (`cat_smooth`).
 */
const LABEL_SMOOTHING = 10;

/**
 * Fits a regression tree to gradients by Newton steps (Chen and Guestrin 2016). It always splits the leaf with the largest gain (Shi
 * 2007), at limits between bins (Ke et al. 2017). Missing values go to the side that gains more, or to the larger one if the rows
 * of a leaf have none. Labels are split in the order of their mean gradients, which is best for two groups (Fisher 1958).
 */
export function fitTree(data: TreeData, rows: Int32Array): FittedTree {
  let root: TreeNode = { value: 0 };
  const leafOf = (indices: Int32Array, replace: Leaf["replace"]): Leaf => {
    const sums = sumOver(data, indices);
    return { ...sums, indices, replace, split: bestSplit(data, indices, sums) };
  };
  const leaves = [
    leafOf(rows, (node) => {
      root = node;
    }),
  ];
  while (leaves.length < MAX_LEAVES) {
    const best = leaves.reduce((a, b) => ((b.split?.gain ?? 0) > (a.split?.gain ?? 0) ? b : a));
    if (!best.split) break;
    leaves.splice(leaves.indexOf(best), 1);
    const { column, goesLeft, gain } = best.split;
    const bins = data.bins[column];
    const branch: Branch = { column, goesLeft, gain, left: { value: 0 }, right: { value: 0 } };
    best.replace(branch);
    leaves.push(
      leafOf(
        best.indices.filter((row) => goesLeft[bins[row]] === 1),
        (node) => {
          branch.left = node;
        },
      ),
      leafOf(
        best.indices.filter((row) => goesLeft[bins[row]] === 0),
        (node) => {
          branch.right = node;
        },
      ),
    );
  }
  const values = new Float64Array(data.gradients.length);
  for (const { gradient, hessian, indices, replace } of leaves) {
    const value = hessian > 0 ? -gradient / hessian : 0;
    replace({ value });
    for (const row of indices) values[row] = value;
  }
  return { root, values };
}

/** The value of the leaf of a row. */
export function leafValue(tree: TreeNode, bins: readonly Uint8Array[], row: number): number {
  let node = tree;
  while ("column" in node) node = node.goesLeft[bins[node.column][row]] === 1 ? node.left : node.right;
  return node.value;
}

/** Adds the gain of each split to that of its column. */
export function addGains(tree: TreeNode, gains: Float64Array): void {
  if (!("column" in tree)) return;
  gains[tree.column] += tree.gain;
  addGains(tree.left, gains);
  addGains(tree.right, gains);
}

function sumOver({ gradients, hessians }: TreeData, indices: Int32Array): Sums {
  const sums = { gradient: 0, hessian: 0, rows: indices.length };
  for (const row of indices) {
    sums.gradient += gradients[row];
    sums.hessian += hessians[row];
  }
  return sums;
}

function bestSplit(data: TreeData, indices: Int32Array, total: Sums): Split | undefined {
  if (total.rows < 2 * MIN_ROWS_PER_LEAF || total.hessian < 2 * MIN_HESSIAN) return undefined;
  let best: (BinGroup & { column: number }) | undefined;
  data.columns.forEach((bins, column) => {
    fillHistogram(data, column, indices);
    const group = bins.isOrdered ? splitNumbers(bins, total) : splitLabels(bins, total);
    if (group && group.gain > (best?.gain ?? 0)) best = { ...group, column };
  });
  if (!best) return undefined;
  fillHistogram(data, best.column, indices);
  return { column: best.column, gain: best.gain, goesLeft: sides(best, total) };
}

/** Sums over the rows of each bin. All columns use the same histogram, since allocating one for each took longer than the sums. */
interface Histogram {
  readonly gradients: Float64Array;
  readonly hessians: Float64Array;
  readonly rows: Float64Array;
}

const histogram: Histogram = {
  gradients: new Float64Array(BINS),
  hessians: new Float64Array(BINS),
  rows: new Float64Array(BINS),
};

function fillHistogram({ bins, gradients, hessians }: TreeData, column: number, indices: Int32Array): void {
  const binOfRow = bins[column];
  for (const sums of [histogram.gradients, histogram.hessians, histogram.rows]) sums.fill(0);
  for (let i = 0; i < indices.length; i++) {
    const row = indices[i];
    const bin = binOfRow[row];
    histogram.gradients[bin] += gradients[row];
    histogram.hessians[bin] += hessians[row];
    histogram.rows[bin]++;
  }
}

/** Bins that a split puts on one side: the first `size` of `order`. */
interface BinGroup {
  readonly gain: number;
  readonly order: Uint8Array;
  readonly size: number;
  readonly isLeft: boolean;
}

/**
 * Splits an order of bins into its first bins and the remaining ones so that the gain G₁² / H₁ + G₂² / H₂ - G² / H is largest, with the sums
 * G of gradients and H of hessians of both sides and of all bins (Chen and Guestrin 2016, eq. 7). Undefined if no split has a gain.
 */
function scan(order: Uint8Array, total: Sums): Pick<BinGroup, "gain" | "order" | "size"> | undefined {
  const { gradients, hessians, rows } = histogram;
  const side = { gradient: 0, hessian: 0, rows: 0 };
  const whole = total.gradient ** 2 / total.hessian;
  let [gain, size] = [0, 0];
  for (let i = 0; i < order.length; i++) {
    const bin = order[i];
    if (rows[bin] === 0) continue;
    side.gradient += gradients[bin];
    side.hessian += hessians[bin];
    side.rows += rows[bin];
    if (side.rows < MIN_ROWS_PER_LEAF || side.hessian < MIN_HESSIAN) continue;
    const hessian = total.hessian - side.hessian;
    if (total.rows - side.rows < MIN_ROWS_PER_LEAF || hessian < MIN_HESSIAN) break;
    const candidate =
      side.gradient ** 2 / side.hessian + (total.gradient - side.gradient) ** 2 / hessian - whole;
    if (candidate > gain) [gain, size] = [candidate, i + 1];
  }
  return size > 0 ? { gain, order, size } : undefined;
}

function splitNumbers({ ascending, descending }: ColumnBins, total: Sums): BinGroup | undefined {
  // Neither order contains the bin of missing values, so they go to the side of the remaining bins.
  const fromLeft = scan(ascending, total);
  const fromRight = histogram.rows[MISSING_BIN] > 0 ? scan(descending, total) : undefined;
  if (fromRight && fromRight.gain > (fromLeft?.gain ?? 0)) return { ...fromRight, isLeft: false };
  return fromLeft && { ...fromLeft, isLeft: true };
}

function splitLabels({ ascending }: ColumnBins, total: Sums): BinGroup | undefined {
  const meanOf = (bin: number) => histogram.gradients[bin] / (histogram.hessians[bin] + LABEL_SMOOTHING);
  const order = Uint8Array.from([...ascending, MISSING_BIN].filter((bin) => histogram.rows[bin] > 0)).sort(
    (a, b) => meanOf(a) - meanOf(b),
  );
  const group = scan(order, total);
  return group && { ...group, isLeft: true };
}

/** Which bins go to the left. Missing values, and labels of no training row, go to the larger side if no row of the node has them. */
function sides({ order, size, isLeft }: BinGroup, total: Sums): Uint8Array {
  const goesLeft = new Uint8Array(BINS).fill(isLeft ? 0 : 1);
  let rows = 0;
  for (const bin of order.subarray(0, size)) {
    goesLeft[bin] = isLeft ? 1 : 0;
    rows += histogram.rows[bin];
  }
  if (histogram.rows[MISSING_BIN] > 0) return goesLeft;
  goesLeft[MISSING_BIN] = 2 * rows > total.rows ? 1 : 0;
  return goesLeft;
}
