/** Rows of numbers, each with its context: `[rows, D]` and `[rows, C]`. */
interface RowValues {
  readonly rows: number;
  readonly values: ArrayLike<number>;
  readonly context: ArrayLike<number>;
}

/**
 * A 53-bit hash of each row's values and context. Equal rows have equal hashes; that two different rows among a million share
 * one has a probability of 10^-4, and does no harm: they are then kept together like equal ones.
 */
export function rowHashes({ rows, values, context }: RowValues): Float64Array {
  const hashes = new Float64Array(rows);
  const number = new Float64Array(1);
  const words = new Uint32Array(number.buffer);
  const [features, conditions] = [values.length / rows, context.length / rows];
  for (let row = 0; row < rows; row++) {
    let low = 0x811c9dc5;
    let high = 0xcbf29ce4;
    const add = (value: number) => {
      // -0 equals 0, and has other bits.
      number[0] = value + 0;
      for (const word of words) {
        low = Math.imul(low ^ word, 0x85ebca6b);
        low ^= low >>> 15;
        high = Math.imul(high ^ word ^ low, 0xc2b2ae35);
        high ^= high >>> 13;
      }
    };
    for (let i = row * features; i < (row + 1) * features; i++) add(values[i]);
    for (let i = row * conditions; i < (row + 1) * conditions; i++) add(context[i]);
    hashes[row] = (high >>> 11) * 2 ** 32 + (low >>> 0);
  }
  return hashes;
}

/** Groups of equal rows. */
export interface EqualRows {
  /** Whether equal rows are copies. If not, each row is a group of its own. */
  readonly copies: boolean;
  /** For each row the first row of its group. */
  readonly first: Int32Array;
  /** For each such first row the number of rows in the group. */
  readonly sizes: Int32Array;
}

/**
 * Groups equal rows.
 *
 * In a table of categories or small counts, equal rows are not copies: the distribution repeats its values. (Held-out rows that
 * all differ from the training rows would not be like new rows: binary data, whose rows repeat, would lose 0.2 nats by early
 * stopping on them.)
 */
export function equalRows(data: RowValues): EqualRows {
  const { rows } = data;
  const hashes = rowHashes(data);
  const first = new Int32Array(rows);
  const sizes = new Int32Array(rows);
  // Open addressing with linear probing in a table that is at most half full.
  const capacity = 2 ** Math.ceil(Math.log2(2 * rows + 1));
  const table = new Int32Array(capacity).fill(-1);
  let different = 0;
  for (let row = 0; row < rows; row++) {
    let slot = hashes[row] % capacity;
    while (table[slot] >= 0 && hashes[table[slot]] !== hashes[row]) slot = (slot + 1) % capacity;
    if (table[slot] < 0) {
      table[slot] = row;
      different++;
    }
    first[row] = table[slot];
    sizes[first[row]]++;
  }
  if (areCopies(data, different)) return { copies: true, first, sizes };
  return {
    copies: false,
    first: Int32Array.from({ length: rows }, (_, row) => row),
    sizes: new Int32Array(rows).fill(1),
  };
}

/**
 * Whether equal rows are copies: a column has many values, so that rows do not meet by chance, or one of several columns has
 * a value of its own in every second of the different rows.
 */
function areCopies({ rows, values, context }: RowValues, differentRows: number): boolean {
  const several = values.length + context.length > rows;
  const maxCategories = Math.min(200, rows / 20, several ? differentRows / 2 : Number.POSITIVE_INFINITY);
  return [values, context].some((table) => {
    const width = table.length / rows;
    for (let column = 0; column < width; column++) {
      const distinct = new Set<number>();
      for (let i = column; i < table.length; i += width)
        if (distinct.add(table[i]).size > maxCategories) return true;
    }
    return false;
  });
}
