/** Every experiment in both worlds: whether they tell the same story. */
import type { Experiment } from "../../src/lab/experiment.ts";
import type { Lab } from "../../src/lab/lab.ts";
import { runExperiment } from "../../src/lab/run.ts";
import type { Story } from "../../src/lab/story.ts";
import { compareStories, storyOf, type StoryDifference } from "../../src/trace/story.ts";
import type { Trace } from "../../src/trace/trace.ts";
import { ModelWorld } from "../../src/world/model/model-world.ts";

/** Where the stories may part, and why. The verdict must be the same all the same. */
export const MAY_DIFFER: Readonly<Record<string, string>> = {
  "reuseport-shared":
    "Which of the two listeners gets a client is a matter of a hash with a key that the kernel draws anew each time; two runs on the kernel differ as well.",
};

/** An experiment that is nothing but its story. */
export function experimentOf(story: (lab: Lab) => Story): Experiment {
  return {
    id: "story",
    title: "",
    claims: [],
    article: "",
    *story(lab) {
      yield* story(lab);
      return { holds: "yes", because: "" };
    },
  };
}

function verdictOf({ outcome }: Trace): string {
  return outcome.status === "done" ? outcome.verdict.holds : `${outcome.status}: ${outcome.reason}`;
}

export interface Compared {
  verdicts: { kernel: string; model: string };
  differences: StoryDifference[];
}

/** Holds what happened on the kernel against what happens in the model. */
export function compareWithModel(experiment: Experiment, kernel: Trace): Compared {
  const model = runExperiment(experiment, new ModelWorld());
  return {
    verdicts: { kernel: verdictOf(kernel), model: verdictOf(model) },
    differences: compareStories(storyOf(kernel), storyOf(model)),
  };
}

/**
 * The same, and again where the stories part: on a busy machine a timer may go off before its time has come for others. The
 * kernel has to tell the model's story within so many runs.
 */
export function compareWithin(times: number, experiment: Experiment, first: Trace, again: () => Trace): Compared {
  let compared = compareWithModel(experiment, first);
  for (let run = 1; run < times && compared.differences.length > 0; run++) {
    compared = compareWithModel(experiment, again());
  }
  return compared;
}
