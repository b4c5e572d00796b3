const INITIAL_BYTES = 64;

/** Wire types of the protobuf encoding. */
const VARINT = 0;
const LENGTH_DELIMITED = 2;
const FIXED_32_BITS = 5;

const encoder = new TextEncoder();

/**
 * A protobuf message that is written field by field, in the wire format of https://protobuf.dev/programming-guides/encoding.
 *
 * This class replaces a protobuf library, which would be a quarter of the JavaScript of a page that scores rows.
 */
export class ProtobufMessage {
  private buffer = new Uint8Array(INITIAL_BYTES);
  private length = 0;

  /** An `int32`, an `int64` or an enum. Numbers have to be safe integers. */
  integer(field: number, value: number): this {
    this.tag(field, VARINT);
    this.varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.tag(field, FIXED_32_BITS);
    this.reserve(4);
    new DataView(this.buffer.buffer).setFloat32(this.length, value, true);
    this.length += 4;
    return this;
  }

  bytes(field: number, value: Uint8Array): this {
    this.tag(field, LENGTH_DELIMITED);
    this.varint(value.length);
    this.reserve(value.length);
    this.buffer.set(value, this.length);
    this.length += value.length;
    return this;
  }

  string(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  message(field: number, value: ProtobufMessage): this {
    return this.bytes(field, value.encoded());
  }

  /** The encoded message. It shares memory with this object, which must not be written to afterwards. */
  encoded(): Uint8Array<ArrayBuffer> {
    return this.buffer.subarray(0, this.length);
  }

  private tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  /**
   * Seven bits per byte, the lowest first. The highest bit of a byte is set if another byte follows. A negative integer has the ten bytes
   * of its 64-bit two's complement.
   */
  private varint(value: number): void {
    this.reserve(10);
    let remaining = value;
    const minBytes = value < 0 ? 9 : 0;
    // `&` keeps the lowest bits of any safe integer, but a shift would be limited to 32 bits.
    for (let i = 0; i < minBytes || remaining >= 0x80; i++, remaining = Math.floor(remaining / 0x80))
      this.buffer[this.length++] = (remaining & 0x7f) | 0x80;
    this.buffer[this.length++] = value < 0 ? 1 : remaining;
  }

  private reserve(bytes: number): void {
    const needed = this.length + bytes;
    if (needed <= this.buffer.length) return;
    const larger = new Uint8Array(Math.max(needed, 2 * this.buffer.length));
    larger.set(this.buffer.subarray(0, this.length));
    this.buffer = larger;
  }
}
