/** Integers and bytes, one after the other, in as few bytes as they need. For keys: what is written is not read again. */
export class ByteWriter {
  #bytes = new Uint8Array(256);
  #length = 0;

  #grow(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#length + count));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }

  /** Any integer; small ones take a byte. */
  integer(value: number): void {
    let rest = value < 0 ? -2 * value - 1 : 2 * value;
    if (this.#length + 8 > this.#bytes.length) this.#grow(8);
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
      rest = rest < 0x8000_0000 ? rest >>> 7 : Math.floor(rest / 0x80);
    }
    this.#bytes[this.#length++] = rest;
  }

  /** An integer of 0 or more, or null. */
  nullable(value: number | null): void {
    this.integer(value === null ? -1 : value);
  }

  bytes(value: Uint8Array): void {
    this.#grow(value.length);
    this.#bytes.set(value, this.#length);
    this.#length += value.length;
  }

  /** What has been written; the writer begins anew. */
  take(): Uint8Array {
    const result = this.#bytes.slice(0, this.#length);
    this.#length = 0;
    return result;
  }
}
