import { concat, type Tensor, withGradient } from "../../../graph/index.ts";
import { inversePermutation } from "../../../nn/index.ts";
import { type ColumnGroup, columnGroup, columnsByKey } from "./columnGroups.ts";
import { atomsOf, type ColumnHead, formulaKey, isNumeric, shapeKey } from "./columnHead.ts";
import type { HeadGroup } from "./headGroup.ts";

/**
 * With padding, a group has at most this many times the numbers of its columns. Fewer groups save time in small tables, and less padding
 * saves time in large ones.
 */
const MAX_PADDING = 1.25;

/** About how many parameters and encoded numbers a column has that depend on its atoms and knots, and on its components. */
function numberCount(atoms: number, knots: number, head: ColumnHead): number {
  return 2 * atoms + knots + (isNumeric(head) ? 3 * head.components : 0);
}

/** Divides columns into groups that have the same formulas, and similar numbers of atoms and knots. */
function groupColumns(heads: readonly ColumnHead[]): number[][] {
  const groups: number[][] = [];
  for (const columns of columnsByKey(heads, formulaKey)) {
    const sizes = columns.map((column) => {
      const head = heads[column];
      const [atoms, knots] = [atomsOf(head).length, isNumeric(head) ? head.knots.x.length : 0];
      return { column, atoms, knots, numbers: numberCount(atoms, knots, head) };
    });
    sizes.sort((a, b) => b.numbers - a.numbers);
    let group: number[] = [];
    /** The largest sizes in the group, and the numbers of its columns without padding. */
    let [atoms, knots, numbers] = [0, 0, 0];
    for (const size of sizes) {
      atoms = Math.max(atoms, size.atoms);
      knots = Math.max(knots, size.knots);
      numbers += size.numbers;
      if ((group.length + 1) * numberCount(atoms, knots, heads[size.column]) > MAX_PADDING * numbers) {
        groups.push(group);
        group = [];
        [atoms, knots, numbers] = [size.atoms, size.knots, size.numbers];
      }
      group.push(size.column);
    }
    groups.push(group);
  }
  for (const group of groups) group.sort((a, b) => a - b);
  return groups.sort(([a], [b]) => a - b);
}

/** Numbers of all columns, which are stored without the padding that columns have in their groups. */
interface StoredNumbers {
  /** The column of each stored number. */
  readonly columns: readonly number[];
  /** The position of each stored number among the numbers of all groups, one group after the other. */
  readonly positions: readonly number[];
}

/**
 * The heads of all D columns of a table, in groups that are computed together.
 *
 * Parameters and encodings are stored column by column, and columns with the same `shapeKey` stand together. The weights of saved models
 * depend on this order.
 */
export class GroupedHeads {
  readonly groups: readonly ColumnGroup[];
  /** All columns in the order in which their numbers are stored. */
  readonly storedOrder: readonly number[];
  readonly parameters: StoredNumbers;
  readonly inputs: StoredNumbers;

  constructor(heads: readonly ColumnHead[]) {
    this.groups = groupColumns(heads).map((columns) => columnGroup(heads, columns));
    this.storedOrder = columnsByKey(heads, shapeKey).flat();
    const stored = (
      countOf: (head: HeadGroup) => number,
      positionsOf: (head: HeadGroup, i: number) => number[],
    ) => {
      const ofColumns: number[][] = [];
      let start = 0;
      for (const { head, columns } of this.groups) {
        for (const [i, column] of columns.entries()) {
          const first = start;
          ofColumns[column] = positionsOf(head, i).map((position) => first + position);
          start += countOf(head);
        }
      }
      return {
        columns: this.storedOrder.flatMap((column) => ofColumns[column].map(() => column)),
        positions: this.storedOrder.flatMap((column) => ofColumns[column]),
      };
    };
    this.parameters = stored(
      ({ parameterCount }) => parameterCount,
      (head, i) => head.parameterPositions(i),
    );
    this.inputs = stored(
      ({ inputCount }) => inputCount,
      (head, i) => head.inputPositions(i),
    );
  }

  /** The parameters of each group, [S, parameterCount, ..., N], from the stored ones of all columns, [parameters, ..., N]. */
  parametersOfGroups(stored: Tensor): Tensor[] {
    const { positions } = this.parameters;
    const [, ...rest] = stored.shape;
    const sizes = this.groups.map(({ head, columns }) => columns.length * head.parameterCount);
    const total = sizes.reduce((sum, size) => sum + size, 0);
    const zero = positions.length;
    const sources = new Array<number>(total).fill(zero);
    for (const [i, position] of positions.entries()) sources[position] = i;
    // Each stored parameter is selected once. The gradient of `gather` would take longer, because the row of zeros is selected many times.
    const all =
      total === positions.length
        ? stored.gather(0, sources)
        : withGradient(stored.pad(0, 0, 1).gather(0, sources), [stored], (g) => [g.gather(0, positions)]);
    return all.split(0, sizes).map((numbers, g) => {
      const { head, columns } = this.groups[g];
      return numbers.reshape([columns.length, head.parameterCount, ...rest]);
    });
  }

  /** The stored encodings of all columns, [inputs, N], from the values [S, N] of each group. */
  encode(values: readonly Tensor[]): Tensor {
    const encodings = this.groups.map(({ head, columns }, g) => {
      const [, N] = values[g].shape;
      return head.encode(values[g]).reshape([columns.length * head.inputCount, N]);
    });
    return concat(encodings, 0).gather(0, this.inputs.positions);
  }

  /** log p of each column, [D, N], for the values [S, N] and the parameters of each group. */
  logProb(values: readonly Tensor[], parameters: readonly Tensor[]): Tensor {
    return this.joinColumns(this.groups.map(({ head }, g) => head.logProb(values[g], parameters[g])));
  }

  /** A draw of each column, [D, N], by two uniform numbers, [N, D] each, for the parameters of each group. */
  sample(
    noise: readonly Tensor[],
    parameters: readonly Tensor[],
    options: { readonly present: boolean },
  ): Tensor {
    const noiseOfGroups = noise.map((numbers) => this.splitColumns(numbers));
    const drawn = this.groups.map(({ head }, g) =>
      head.sample(
        noiseOfGroups.map((groups) => groups[g]),
        parameters[g],
        options,
      ),
    );
    return this.joinColumns(drawn);
  }

  /** The columns [S, N] of each group, from rows [N, D]. */
  splitColumns(rows: Tensor): Tensor[] {
    const columns = rows.transpose();
    return this.groups.map((group) => columns.gather(0, group.columns));
  }

  /** All columns [D, N] in their order, from those [S, N] of each group. */
  joinColumns(groups: readonly Tensor[]): Tensor {
    const groupedColumns = this.groups.flatMap((group) => group.columns);
    return concat(groups, 0).gather(0, inversePermutation(groupedColumns));
  }
}
