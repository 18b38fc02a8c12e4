/** A thread that helps a search: what it is told of it, and what it does. */
import { Block } from "./block.ts";
import { Crew, type Work } from "./crew.ts";
import { StateTable } from "./state-table.ts";
import { Ways, type WaysMemory } from "./ways.ts";
import { Words } from "./words.ts";

/** The memory of a search, as other threads get it. */
export interface Shared {
  width: number;
  crew: SharedArrayBuffer | ArrayBuffer;
  block: SharedArrayBuffer[];
  ways: WaysMemory;
}

/** Look at the successors of states `a` to `b`; settle those of so many states; enter so many states into the index. */
export const [EXPAND, SETTLE, ENTER] = [0, 1, 2];
/** What a thread enters at a time. */
const ENTERED = 1 << 14;

/** A member's share of a turn. */
export function shareOf(block: Block, ways: Ways | undefined, crew: Crew): Work {
  return (task, [a, b]) => {
    if (task === EXPAND) block.expand(a!, b!, (state, emit) => ways!.successors(state, emit), crew);
    else if (task === SETTLE) block.settle(a!, crew);
    else
      for (let from: number; (from = crew.claim() * ENTERED) < a!;)
        block.table.enter(from, Math.min(from + ENTERED, a!));
  };
}

/** Helps for as long as the thread lives. */
export function help(shared: Shared): never {
  const [rows, index, records, firsts, counts] = shared.block.map((memory) => new Words(memory));
  const block = new Block(new StateTable(shared.width, rows, index), records, firsts, counts);
  const ways = Ways.of(shared.ways);
  const crew = new Crew(shared.crew);
  const share = shareOf(block, ways, crew);
  const all = [...block.words, ...ways.words];
  return crew.help((task, numbers) => {
    for (const words of all) words.refresh();
    share(task, numbers);
  });
}
