/** Rows of numbers with their context. */
export interface RowValues {
  readonly rows: number;
  /** [N, D] in row-major order. */
  readonly values: ArrayLike<number>;
  /** [N, C] in row-major order. */
  readonly context: ArrayLike<number>;
}

/**
 * A 53-bit hash of each row's values and context, with the constants of FNV-1a and MurmurHash3. Equal rows have equal hashes. The
 * probability that two different rows among a million have the same hash is 10^-4; treating them as equal does no harm.
 */
export function rowHashes({ rows, values, context }: RowValues): Float64Array {
  const hashes = new Float64Array(rows);
  const number = new Float64Array(1);
  const words = new Uint32Array(number.buffer);
  const [features, contextFeatures] = [values.length / rows, context.length / rows];
  for (let row = 0; row < rows; row++) {
    let low = 0x811c9dc5;
    let high = 0xcbf29ce4;
    const add = (value: number) => {
      // -0 is equal to 0 but has different bits; -0 + 0 is 0.
      number[0] = value + 0;
      for (const word of words) {
        low = Math.imul(low ^ word, 0x85ebca6b);
        low ^= low >>> 15;
        high = Math.imul(high ^ word ^ low, 0xc2b2ae35);
        high ^= high >>> 13;
      }
    };
    for (let i = row * features; i < (row + 1) * features; i++) add(values[i]);
    for (let i = row * contextFeatures; i < (row + 1) * contextFeatures; i++) add(context[i]);
    hashes[row] = (high >>> 11) * 2 ** 32 + (low >>> 0);
  }
  return hashes;
}

/** Groups of equal rows. */
interface EqualRows {
  /** Whether equal rows may be copies: some column is distinctive. If none is, each row is a group of one row. */
  readonly areCopies: boolean;
  /** `[N]`: the index of the first row of each row's group. */
  readonly firstRows: Int32Array;
  /** `[N]`: at the first row of a group, the number of its rows; 0 at all other rows. */
  readonly groupSizes: Int32Array;
}

/**
 * Equal rows can be equal by chance if independent columns would have at least this fraction of them. It is below 1 because dependent columns
 * repeat more rows.
 */
const MIN_EXPECTED_FRACTION = 0.1;

/**
 * Groups equal rows, so that a split can keep copies on one side.
 *
 * Rows that are equal by chance, because the distribution itself repeats its values, are not copies: each of them is a group of its own. If
 * they were kept together, no held-out row would be equal to a training row, unlike new rows of the distribution: early stopping on such rows
 * cost 0.2 nats on binary data. Rows are equal by chance
 *
 * - if none of their values is distinctive (`distinctiveColumns`), as in a table of categories or small counts, and in other tables in rows
 *   in which all amounts are 0 or missing;
 * - if independent columns would have nearly as many of them (`expectedRows`), and each distinctive value also occurs in rows that are not
 *   equal to them, or belongs to a column of rounded numbers (`fillsLattice`), as in a table of ages and sexes. Without this second condition,
 *   a table of one column that contains each row twice would have no copies.
 */
export function equalRows(data: RowValues): EqualRows {
  const { rows } = data;
  const { firstRows, groupSizes, differentRows } = groupsOf(data);
  const { columns, maxCategories } = distinctiveColumns(data, differentRows);
  const repeated = Array.from(groupSizes.keys()).filter((row) => groupSizes[row] > 1);
  const counts = new Map(columns.map((column) => [column, countsOf(column, repeated)]));
  const countOf = (column: Column, row: number) => counts.get(column)!.get(column.value(row))!;
  const distinctive = repeated.filter((row) =>
    columns.some((column) => countOf(column, row) < rows / maxCategories),
  );
  const expected = expectedRows(data, distinctive);
  const lattices = new Map<Column, boolean>();
  const isOnLattice = (column: Column) => {
    if (!lattices.has(column)) lattices.set(column, fillsLattice(column));
    return lattices.get(column)!;
  };
  const areExpected = (row: number) =>
    expected.get(row)! >= MIN_EXPECTED_FRACTION * groupSizes[row] &&
    columns.every((column) => countOf(column, row) > groupSizes[row] || isOnLattice(column));
  const copies = new Set(distinctive.filter((row) => !areExpected(row)));
  for (let row = 0; row < rows; row++) {
    if (copies.has(firstRows[row])) continue;
    firstRows[row] = row;
    groupSizes[row] = 1;
  }
  return { areCopies: columns.length > 0, firstRows, groupSizes };
}

/** Groups all equal rows. */
function groupsOf(data: RowValues): Omit<EqualRows, "areCopies"> & { differentRows: number } {
  const { rows } = data;
  const hashes = rowHashes(data);
  const firstRows = new Int32Array(rows);
  const groupSizes = new Int32Array(rows);
  // A hash table with open addressing and linear probing, at most half full.
  const capacity = 2 ** Math.ceil(Math.log2(2 * rows + 1));
  const table = new Int32Array(capacity).fill(-1);
  let differentRows = 0;
  for (let row = 0; row < rows; row++) {
    let slot = hashes[row] % capacity;
    while (table[slot] >= 0 && hashes[table[slot]] !== hashes[row]) slot = (slot + 1) % capacity;
    if (table[slot] < 0) {
      table[slot] = row;
      differentRows++;
    }
    firstRows[row] = table[slot];
    groupSizes[firstRows[row]]++;
  }
  return { firstRows, groupSizes, differentRows };
}

/** A column of the values or of the context. */
interface Column {
  readonly rows: number;
  value(row: number): number;
}

const columnsOf = ({ rows, values, context }: RowValues): Column[] =>
  [values, context].flatMap((table) => {
    const width = table.length / rows;
    return Array.from({ length: width }, (_, column) => ({
      rows,
      value: (row: number) => table[row * width + column],
    }));
  });

/** How many rows have each of the values of `selected` rows. */
function countsOf(column: Column, selected: Iterable<number>): Map<number, number> {
  const counts = new Map<number, number>();
  for (const row of selected) counts.set(column.value(row), 0);
  for (let row = 0; row < column.rows && counts.size > 0; row++) {
    const count = counts.get(column.value(row));
    if (count !== undefined) counts.set(column.value(row), count + 1);
  }
  return counts;
}

/**
 * For each selected row, the expected number of rows that are equal to it if columns are independent: N times the product of the relative
 * frequencies of its values.
 */
function expectedRows(data: RowValues, selected: readonly number[]): Map<number, number> {
  const expected = new Map(selected.map((row) => [row, data.rows]));
  if (selected.length === 0) return expected;
  for (const column of columnsOf(data)) {
    const counts = countsOf(column, selected);
    for (const [row, count] of expected)
      expected.set(row, (count * counts.get(column.value(row))!) / data.rows);
  }
  return expected;
}

/** The share of the smallest and of the largest distinct values that do not count as a part of a lattice, because they may be far away. */
const TAIL_OF_LATTICE = 0.05;

/**
 * Whether the numbers of a column are so dense that rounding explains equal ones: they are at least half of the multiples of the smallest
 * difference between them.
 */
function fillsLattice(column: Column): boolean {
  const distinct = new Set<number>();
  for (let row = 0; row < column.rows; row++) distinct.add(column.value(row));
  distinct.delete(Number.NaN);
  const sorted = Float64Array.from(distinct).sort();
  const tail = Math.floor(TAIL_OF_LATTICE * sorted.length);
  const inner = sorted.subarray(tail, sorted.length - tail);
  let step = Number.POSITIVE_INFINITY;
  for (let i = 1; i < inner.length; i++) step = Math.min(step, inner[i] - inner[i - 1]);
  const cells = (inner[inner.length - 1] - inner[0]) / step + 1;
  return inner.length > 1 && inner.length >= cells / 2;
}

/**
 * The columns that have more than K different values, where K, `maxCategories`, is the smallest of 200, one for every 20 rows and, in a table
 * of several columns, one for every two different rows. A value of such a column is distinctive if less than 1 / K of all rows have it: rows
 * with a distinctive value are unlikely to be equal by chance, unless there are few columns of rounded numbers.
 */
function distinctiveColumns(data: RowValues, differentRows: number) {
  const { rows, values, context } = data;
  const hasSeveralColumns = values.length + context.length > rows;
  const maxCategories = Math.min(
    200,
    rows / 20,
    hasSeveralColumns ? differentRows / 2 : Number.POSITIVE_INFINITY,
  );
  const columns = columnsOf(data).filter((column) => {
    const distinct = new Set<number>();
    for (let row = 0; row < rows; row++)
      if (distinct.add(column.value(row)).size > maxCategories) return true;
    return false;
  });
  return { columns, maxCategories };
}
