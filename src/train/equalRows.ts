import { counting, type TrainingRows } from "./rows.ts";

type RowValues = Pick<TrainingRows, "rows" | "values" | "context">;

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

/**
 * The groups of equal rows: for each row the first row that equals it, and for each such first row how many there are.
 *
 * Where every column has few distinct values, equal rows are not copies but what the distribution repeats, and each row is a
 * group of its own. (Held-out rows that all differ from the training rows would not be like new rows: binary data, whose
 * rows repeat, would lose 0.2 nats by early stopping on them.)
 */
export function equalRows(data: RowValues): { first: Int32Array; sizes: Int32Array } {
  const { rows } = data;
  if (!hasManyValues(data)) return { first: counting(rows), sizes: new Int32Array(rows).fill(1) };
  const hashes = rowHashes(data);
  const first = new Int32Array(rows);
  const sizes = new Int32Array(rows);
  // Open addressing with linear probing in a table that is at most half full.
  const capacity = 2 ** Math.ceil(Math.log2(2 * rows + 1));
  const table = new Int32Array(capacity).fill(-1);
  for (let row = 0; row < rows; row++) {
    let slot = hashes[row] % capacity;
    while (table[slot] >= 0 && hashes[table[slot]] !== hashes[row]) slot = (slot + 1) % capacity;
    if (table[slot] < 0) table[slot] = row;
    first[row] = table[slot];
    sizes[first[row]]++;
  }
  return { first, sizes };
}

/** Whether a column, of the values or of the context, has more than a few distinct values. */
function hasManyValues({ rows, values, context }: RowValues): boolean {
  const most = Math.min(200, rows / 20);
  return [values, context].some((table) => {
    const width = table.length / rows;
    for (let column = 0; column < width; column++) {
      const distinct = new Set<number>();
      for (let i = column; i < table.length; i += width) if (distinct.add(table[i]).size > most) return true;
    }
    return false;
  });
}

/** How many rows equal a row before them. */
export function copiesIn(data: RowValues): number {
  return equalRows(data).first.reduce((copies, first, row) => copies + (first === row ? 0 : 1), 0);
}
