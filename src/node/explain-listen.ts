/** All about a listen that was refused: what `error.lastack` is. Read when a program asks for it. */
import type { Trial } from "../diagnose/facts.ts";
import { explain, type Explanation } from "../remedy/explanation.ts";
import { look } from "../remedy/look.ts";

/** `isNew`: the kernel has just refused it. Later that is no fact any more, for the port may be free. */
export function explainListen(refused: Trial, isNew: boolean): Explanation {
  const ask = { name: "this listen", request: refused.request };
  return explain(look([ask], { probe: false, known: isNew ? [refused] : [] }));
}
