/** What an experiment is. */
import type { Verdict } from "../trace/trace.ts";
import type { Lab } from "./lab.ts";
import type { Story } from "./story.ts";

export interface Experiment {
  /** Lower case, words joined by hyphens; also the name of its file. */
  id: string;
  title: string;
  /** The claims that it puts to the test, as docs/experiments.md numbers them. */
  claims: readonly string[];
  /** What the document says, in a sentence. */
  article: string;
  /** Tells the story and judges the claim. An unmet expectation ends it. */
  story(lab: Lab): Story<Verdict>;
}

export function holds(because: string): Verdict {
  return { holds: "yes", because };
}

export function holdsPartly(because: string): Verdict {
  return { holds: "partly", because };
}

export function doesNotHold(because: string): Verdict {
  return { holds: "no", because };
}
