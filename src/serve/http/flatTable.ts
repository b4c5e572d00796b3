/** A list of a table: the address of its first element, and the number of its elements. */
interface FlatList {
  readonly first: number;
  readonly length: number;
}

/**
 * A table of a FlatBuffer, the format of Arrow's metadata. A field is named by its offset in the table's vtable: 4, 6, 8... in the order of
 * the schema; `absent` is the value of a missing field. All tables of a buffer share a budget: the lists and strings that are read must
 * together not be longer than the buffer. In a valid buffer they are not, since each is written once; a hostile buffer could refer to one
 * long string many times.
 *
 * All methods throw a `RangeError` for addresses outside the buffer.
 */
export class FlatTable {
  private readonly view: DataView;
  private readonly start: number;
  private readonly budget: { bytes: number };

  private constructor(view: DataView, reference: number, budget: { bytes: number }) {
    this.view = view;
    this.start = reference + view.getInt32(reference, true);
    this.budget = budget;
  }

  /** The table of a whole buffer. */
  static root(view: DataView): FlatTable {
    return new FlatTable(view, 0, { bytes: view.byteLength });
  }

  uint8(field: number, absent = 0): number {
    const address = this.address(field);
    return address === undefined ? absent : this.view.getUint8(address);
  }

  int16(field: number, absent = 0): number {
    const address = this.address(field);
    return address === undefined ? absent : this.view.getInt16(address, true);
  }

  int32(field: number, absent = 0): number {
    const address = this.address(field);
    return address === undefined ? absent : this.view.getInt32(address, true);
  }

  int64(field: number, absent = 0): number {
    const address = this.address(field);
    return address === undefined ? absent : Number(this.view.getBigInt64(address, true));
  }

  table(field: number): FlatTable | undefined {
    const address = this.address(field);
    return address === undefined ? undefined : new FlatTable(this.view, address, this.budget);
  }

  tables(field: number): FlatTable[] {
    const { first, length } = this.list(field, 4);
    return Array.from({ length }, (_, i) => new FlatTable(this.view, first + 4 * i, this.budget));
  }

  text(field: number): string {
    const { first, length } = this.list(field, 1);
    return new TextDecoder().decode(new Uint8Array(this.view.buffer, this.view.byteOffset + first, length));
  }

  /** A list of pairs of 64-bit numbers. */
  pairs(field: number): [number, number][] {
    const { first, length } = this.list(field, 16);
    const read = (address: number) => Number(this.view.getBigInt64(address, true));
    return Array.from({ length }, (_, i) => [read(first + 16 * i), read(first + 16 * i + 8)]);
  }

  private list(field: number, elementBytes: number): FlatList {
    const address = this.address(field);
    if (address === undefined) return { first: 0, length: 0 };
    const base = address + this.view.getInt32(address, true);
    const length = this.view.getInt32(base, true);
    this.budget.bytes -= length * elementBytes;
    const end = base + 4 + length * elementBytes;
    if (length < 0 || this.budget.bytes < 0 || end > this.view.byteLength)
      throw new RangeError("a list is longer than its buffer");
    return { first: base + 4, length };
  }

  private address(field: number): number | undefined {
    const fields = this.start - this.view.getInt32(this.start, true);
    if (field >= this.view.getInt16(fields, true)) return undefined;
    const offset = this.view.getInt16(fields + field, true);
    return offset === 0 ? undefined : this.start + offset;
  }
}
