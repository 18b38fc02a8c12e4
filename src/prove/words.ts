/**
 * 32-bit numbers in memory that threads may share. It grows where it is, so that nothing has to be told but that it has. Who
 * holds a view of it takes a new one then: one that grows by itself (a length-tracking array) is ten times as slow in V8.
 */
const WORD_BYTES = 4;
const FIRST_BYTES = 1 << 12;
/** Address space that is kept free for growth; of memory it takes what is written to. */
const SPACE_BYTES = 2 ** 28;
/** V8 11 (Node 20) has no more for one buffer. */
const SPACE_BYTES_MAX = 2 ** 32 - 2 ** 16;

/** More is to be kept than there is room for. */
export class NoRoom extends Error {}

export class Words {
  /** Undefined where threads can't share any, as in a page that is not isolated from others: then it grows by being copied. */
  readonly memory: SharedArrayBuffer | undefined;
  readonly #bytesMax: number;
  view: Int32Array;

  /** Of this memory, or new ones, all 0, that may grow to so many bytes. */
  constructor(memory: SharedArrayBuffer | number = SPACE_BYTES) {
    this.memory = typeof memory === "number" ? allocate(Math.min(memory, SPACE_BYTES_MAX)) : memory;
    this.#bytesMax = this.memory?.maxByteLength ?? (memory as number);
    this.view = this.memory ? wholeOf(this.memory) : new Int32Array(FIRST_BYTES / WORD_BYTES);
  }

  /** Another thread may have made it grow. */
  refresh(): void {
    if (this.memory && this.view.byteLength !== this.memory.byteLength) this.view = wholeOf(this.memory);
  }

  /** Has room for so many, and for more before long. */
  reserve(length: number): void {
    if (length <= this.view.length) return;
    const more = this.view.length + (this.view.length >>> 1);
    this.grow(Math.max(length, Math.min(more, Math.floor(this.#bytesMax / WORD_BYTES))));
  }

  /** Has room for so many and no more. What is new is 0. */
  grow(length: number): void {
    const bytes = length * WORD_BYTES;
    if (bytes > this.#bytesMax) throw new NoRoom(`no room for ${bytes} bytes`);
    if (this.memory) {
      this.memory.grow(bytes);
      this.refresh();
    } else {
      const before = this.view;
      this.view = new Int32Array(length);
      this.view.set(before);
    }
  }
}

function wholeOf(memory: SharedArrayBuffer): Int32Array {
  return new Int32Array(memory, 0, memory.byteLength / WORD_BYTES);
}

/** The memories of those that have any to share. */
export function memoriesOf(words: readonly Words[]): SharedArrayBuffer[] {
  return words.flatMap(({ memory }) => memory ?? []);
}

/** Where so much address space is not to be had (ulimit -v), less. */
function allocate(space: number): SharedArrayBuffer | undefined {
  if (typeof SharedArrayBuffer === "undefined") return undefined;
  try {
    return new SharedArrayBuffer(FIRST_BYTES, { maxByteLength: Math.ceil(space) });
  } catch (error) {
    if (space <= 2 * FIRST_BYTES) throw error;
    return allocate(space / 2);
  }
}
