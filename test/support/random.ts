/** Randomness that can be had again: every random test of a run derives from one seed. */
import { generator as generatorOf } from "../../src/link/chance.ts";

/** LASTACK_SEED, or one drawn for this run; a failed test prints it. */
export const seed = Number(process.env["LASTACK_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** Uniform numbers in [0, 1). */
export function generator(start = seed): () => number {
  return generatorOf(start);
}
