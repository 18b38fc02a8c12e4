/** Randomness that can be had again: every random test of a run derives from one seed. */

/** LASTACK_SEED, or one drawn for this run; a failed test prints it. */
export const seed = Number(process.env["LASTACK_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** mulberry32: uniform numbers in [0, 1). */
export function generator(start = seed): () => number {
  let state = start | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
