/** A list of 32-bit numbers that only grows. It lies in pages, so that growing copies nothing. */
const PAGE_BITS = 15;
const PAGE = 1 << PAGE_BITS;

export class NumberList {
  readonly #pages: Uint32Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get bytes(): number {
    return this.#pages.length * PAGE * 4;
  }

  push(value: number): void {
    const at = this.#length++;
    if ((at & (PAGE - 1)) === 0) this.#pages.push(new Uint32Array(PAGE));
    this.#pages[at >>> PAGE_BITS]![at & (PAGE - 1)] = value;
  }

  at(i: number): number {
    return this.#pages[i >>> PAGE_BITS]![i & (PAGE - 1)]!;
  }
}
