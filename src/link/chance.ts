/** What may happen to segments that no rule is about. */
export interface Chance {
  /** Probabilities, 0 to 1: a segment is lost, or arrives twice. */
  readonly loss: number;
  readonly duplication: number;
  /** How long every segment is on its way, and how much longer it may be, microseconds: by that one overtakes another. */
  readonly delayUs: number;
  readonly jitterUs: number;
}

export const NO_CHANCE: Chance = { loss: 0, duplication: 0, delayUs: 0, jitterUs: 0 };

/** Numbers in [0, 1), from a seed: mulberry32. */
export function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One copy of a segment on its way. */
export interface Passage {
  /** 2 for the second. */
  copy: number;
  delayUs: number;
}

/** What becomes of one segment: its copies, of which there are none if it is lost. */
export function passagesOf({ loss, duplication, delayUs, jitterUs }: Chance, random: () => number): Passage[] {
  if (loss > 0 && random() < loss) return [];
  const copies = duplication > 0 && random() < duplication ? 2 : 1;
  return Array.from({ length: copies }, (_, i) => ({
    copy: i + 1,
    delayUs: delayUs + (jitterUs > 0 ? Math.floor(random() * (jitterUs + 1)) : 0),
  }));
}
